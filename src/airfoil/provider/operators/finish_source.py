"""The task that ends a run over a crawled source: this version of it is nothing new any more, and old ones may go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airfoil.clients.object_store import path_of
from airfoil.clients.source_marks import SourceMark, write_mark
from airfoil.errors import ConfigurationError
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.kept_sources import KEPT_VERSIONS, tidy_source
from airfoil.provider.mover import dag_run_of
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.record_inputs import record
from airfoil.provider.task_tracking import one_sentence
from airfoil.records import DataRef

if TYPE_CHECKING:
    from airflow.sdk import Context


class FinishSourceOperator(ProfiledOperator):
    """Marks what `crawl` returned as worked off; give it a trigger rule under which the run is really over.

    Of the source's versions the newest `keep` stay in `data`, and those that a deployed model has learned from.
    """

    template_fields = ("crawled", "keep", "mlflow_conn_id")
    ui_color = "#e8e8e8"

    def __init__(
        self,
        *,
        crawled: Any,
        keep: int | str = KEPT_VERSIONS,
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take what the crawling task has returned, and how many versions are kept."""
        super().__init__(**kwargs)
        self.crawled = crawled
        self.keep = keep
        self.mlflow_conn_id = mlflow_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Write the mark, then tidy up."""
        with one_sentence():
            if not isinstance(self.crawled, Mapping) or "raw" not in self.crawled:
                raise ConfigurationError(
                    "The argument 'crawled' is not what `crawl` returns", "Hand on its result whole."
                )
            raw, keep = record(DataRef, self.crawled["raw"], "crawled"), _count(self.keep)
            mark = SourceMark(
                content_hash=raw.content_hash,
                settings_digest=str(self.crawled.get("settings_digest", "")),
                dag_run=dag_run_of(context),
                at=datetime.now(UTC),
            )
            write_mark(path_of(raw).parent, mark)
        tidy_source(path_of(raw), keep=keep, mlflow_conn_id=self.mlflow_conn_id)
        return mark.to_json()


def _count(given: int | str) -> int:
    """Return how many versions are kept; a template makes text of a number."""
    text = str(given).strip()
    if not text.isdecimal() or int(text) < 1:
        raise ConfigurationError(
            f"keep is {text!r:.60}, and at least one version is kept", "Give a whole number from 1."
        )
    return int(text)
