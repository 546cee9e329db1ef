"""The task that brings a window of a feature view online, recorded when all of it is there.

Reading and writing are done in airfoil.clients.feature_store.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airfoil.provider.feature_assets import BROUGHT_ONLINE, FeatureView, announce
from airfoil.provider.feature_windows import Moment, pieces_of, window_of
from airfoil.provider.hooks.feast import FeastHook
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.task_tracking import one_sentence
from airfoil.records import MaterializedView

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airfoil.clients.feature_store.store import FeatureStore


class FeastMaterializeOperator(ProfiledOperator):
    """Brings a window of one feature view online, and returns a MaterializedView.

    The window is the `last` days before the run's moment, or from `start` to `end`. With `pieces` it is written piece
    by piece, oldest first, and recorded once, when all of them are there. `partial(...).expand(view=[...])` works on
    several views side by side, which needs a registry in SQL, or `max_active_tis_per_dagrun=1`. The asset
    `FeatureView(view)` is updated.
    """

    template_fields = ("view", "start", "end", "feast_conn_id")
    ui_color = "#e6e0f2"

    def __init__(
        self,
        *,
        view: str,
        last: timedelta | None = None,
        start: Moment = None,
        end: Moment = None,
        pieces: timedelta | None = None,
        feast_conn_id: str = FeastHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take the view and the window; a moment may be text, such as a template."""
        super().__init__(**{"outlets": _outlets(view), **kwargs})
        self.view = view
        self.last = last
        self.start = _text(start)
        self.end = _text(end)
        self.pieces = pieces
        self.feast_conn_id = feast_conn_id

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Have a task that is mapped over views tell of them through an alias: the DAG file need not name them."""
        outlets = _outlets(kwargs["view"]) if "view" in kwargs else [BROUGHT_ONLINE]
        return super().partial(**{"outlets": outlets, **kwargs})

    def execute(self, context: Context) -> dict[str, Any]:
        """Write, record, and tell of it."""
        with one_sentence():
            start, end = window_of(context, last=self.last, start=self.start, end=self.end)
            store = FeastHook(self.feast_conn_id).get_conn()
            if self._is_side_by_side(context):
                store.require_parallel(2)
            found = self._bring(store, start, end)
        self.log.info("%s is online up to %s: %s rows", found.view, found.end, found.rows)
        announce(context, found.view, found.to_json())
        return found.to_json()

    def _bring(self, store: FeatureStore, start: datetime, end: datetime) -> MaterializedView:
        began = time.monotonic()
        if self.pieces is None:
            written = store.materialize(start, end, [self.view])
        else:
            written = store.materialize_in_order(self.view, pieces_of(start, end, self.pieces))
        return MaterializedView(
            view=self.view,
            start=start,
            end=end,
            # An entity may be in several pieces.
            entities=written[0].entities if len(written) == 1 else None,
            rows=sum(one.rows for one in written) if written else None,
            seconds=time.monotonic() - began,
        )

    def _is_side_by_side(self, context: Context) -> bool:
        map_index = context["ti"].map_index
        is_mapped = map_index is not None and map_index >= 0
        return is_mapped and self.max_active_tis_per_dagrun != 1 and self.max_active_tis_per_dag != 1


def _outlets(view: Any) -> list[Any]:
    """A view that a template will name is told of through the alias too."""
    return [FeatureView(view)] if isinstance(view, str) and "{{" not in view else [BROUGHT_ONLINE]


def _text(moment: Moment) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime) else moment
