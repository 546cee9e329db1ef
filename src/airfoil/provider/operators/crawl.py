"""The task that fetches a source from a web address, and skips everything after it when there is nothing new to learn.

Fetching is done in airfoil.clients.crawling. Nothing new is a source as it was, with settings as they were, that a run
before has worked off to its end (`finish_source`): one that died halfway is no reason to skip.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.skipmixin import SkipMixin

from airfoil.clients.crawled_bodies import CrawlLimits
from airfoil.clients.crawling import Crawled, Crawler
from airfoil.clients.source_marks import digest_of, read_mark
from airfoil.errors import ConfigurationError, redact
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.task_tracking import one_sentence
from airfoil.provider.work_area import data_folder
from airfoil.steps.lifecycle.settings import LifecycleSettings, read_settings

if TYPE_CHECKING:
    from airflow.sdk import Context

LEARNT_BY = ("ml_model_type", "accuracy_threshold", "parameters")
"""The settings that make the same source worth another run."""


class CrawlOperator(ProfiledOperator, SkipMixin):
    """Fetches `url` into `data/raw/SOURCE`, and returns where it lies, which version it is, and the settings, checked.

    Each version is a file of its own. When it is not new, all tasks downstream are skipped, whatever their trigger
    rules say; `force` lets them run. `settings` are those of the life cycle (airfoil.steps.lifecycle.settings), and a
    mistake in one of them is told before anything is fetched. A server that is down is asked again, by the crawler
    after seconds and by Airflow as `retries` say; an address that leads to nothing is not.
    """

    template_fields = ("url", "source", "settings", "force", "sha256")
    inherits_from_skipmixin = True
    ui_color = "#dfe8d8"

    def __init__(
        self,
        *,
        url: str,
        source: str,
        settings: Mapping[str, Any] | None = None,
        force: bool | str = False,
        sha256: str = "",
        limits: CrawlLimits | None = None,
        **kwargs: Any,
    ) -> None:
        """Take the address, a name for the source, and what to do with it."""
        super().__init__(**kwargs)
        self.url = url
        self.source = source
        self.settings = dict(settings) if settings is not None else None
        self.force = force
        self.sha256 = sha256
        self.limits = None if limits is None else limits.model_dump(exclude_defaults=True, mode="json")

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the settings, fetch, and go on or skip."""
        with one_sentence():
            settings = None if self.settings is None else self._settings(self.settings)
            crawled = self.crawler().fetch(self.url, self.source, sha256=self.sha256)
            result = self._result(crawled, settings)
        self.log.info("%s: %d bytes, version %s", self.source, crawled.size_bytes, result["version"])
        mark = read_mark(Path(crawled.path).parent)
        known = mark and (mark.content_hash, mark.settings_digest)
        if mark and known == (crawled.content_hash, result["settings_digest"]) and not _is_on(self.force):
            self.log.info(
                "Nothing has changed since %s, which worked it off: the rest is skipped", mark.dag_run
            )
            # Skipping ends the task before Airflow would push what it returns.
            context["ti"].xcom_push("return_value", result)
            followers = context["task"].get_flat_relatives(upstream=False)
            self.skip(context["ti"], [task for task in followers if not task.is_teardown])
        return result

    def crawler(self) -> Crawler:
        """Return what fetches; another one is a subclass away."""
        return Crawler(data_folder("raw"), CrawlLimits.model_validate(self.limits or {}))

    def _settings(self, given: Mapping[str, Any]) -> LifecycleSettings:
        if "crawl_url" in given:
            raise ConfigurationError("The address is given twice", "Say it as `url` alone.")
        return read_settings({"crawl_url": self.url, **given})

    def _result(self, crawled: Crawled, settings: LifecycleSettings | None) -> dict[str, Any]:
        told = settings.to_json() | {"crawl_url": redact(settings.crawl_url)} if settings else {}
        return {
            "source": self.source,
            "version": Path(crawled.path).name.partition(".")[0],
            "raw": crawled.ref.to_json(),
            "is_new": crawled.is_new,
            "fetched_at": crawled.fetched_at.isoformat(),
            "settings": told,
            "settings_digest": digest_of({name: told[name] for name in LEARNT_BY if name in told}),
        }


def _is_on(given: object) -> bool:
    """Tell what a flag says that a template may have made text of."""
    return str(given).strip().lower() in {"true", "1", "yes", "on"}
