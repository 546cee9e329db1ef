"""The task that ends a run over a crawled source: from now on this version of it is nothing new."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airfoil.clients.object_store import path_of
from airfoil.clients.source_marks import SourceMark, write_mark
from airfoil.errors import ConfigurationError
from airfoil.provider.mover import dag_run_of
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.record_inputs import record
from airfoil.provider.task_tracking import one_sentence
from airfoil.records import DataRef

if TYPE_CHECKING:
    from airflow.sdk import Context


class FinishSourceOperator(ProfiledOperator):
    """Marks what `crawl` returned as worked off; give it a trigger rule under which the run is really over."""

    template_fields = ("crawled",)
    ui_color = "#e8e8e8"

    def __init__(self, *, crawled: Any, **kwargs: Any) -> None:
        """Take what the crawling task has returned."""
        super().__init__(**kwargs)
        self.crawled = crawled

    def execute(self, context: Context) -> dict[str, Any]:
        """Write the mark."""
        with one_sentence():
            if not isinstance(self.crawled, Mapping) or "raw" not in self.crawled:
                raise ConfigurationError(
                    "The argument 'crawled' is not what `crawl` returns", "Hand on its result whole."
                )
            raw = record(DataRef, self.crawled["raw"], "crawled")
            mark = SourceMark(
                content_hash=raw.content_hash,
                settings_digest=str(self.crawled.get("settings_digest", "")),
                dag_run=dag_run_of(context),
                at=datetime.now(UTC),
            )
            write_mark(path_of(raw).parent, mark)
        return mark.to_json()
