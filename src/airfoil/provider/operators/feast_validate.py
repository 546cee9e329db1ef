"""The task that looks whether a feature store can be used: registry, sources, columns, types, freshness, online store.

Looking is done in airfoil.clients.feature_store.inspection, judging in airfoil.steps.feature_checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from airfoil.provider.feature_verdicts import act_on
from airfoil.provider.feature_windows import run_moment
from airfoil.provider.hooks.feast import FeastHook
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.task_tracking import one_sentence
from airfoil.steps.feature_checks import StoreLimits, StoreVerdict, judge_store

if TYPE_CHECKING:
    from airflow.sdk import Context


class FeastValidateOperator(ProfiledOperator):
    """Checks feature views before they are used, and returns a StoreVerdict.

    For each view: its entities are registered, its source is there and has the columns and types that the view
    declares, its newest row is fresh and not in the future, and the online store answers for it. What is wrong fails
    the task at once, with all findings in one sentence; a store that does not answer is tried again.
    """

    template_fields = ("views", "feast_conn_id")
    ui_color = "#e6e0f2"

    def __init__(
        self,
        *,
        views: Sequence[str] | None = None,
        fresh_within: timedelta | None = None,
        when_failed: Literal["fail", "continue"] = "fail",
        feast_conn_id: str = FeastHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take the views (all, if none are named), and how old the newest row of each may be."""
        super().__init__(**kwargs)
        self.views = views
        self.fresh_within = fresh_within
        self.when_failed = when_failed
        self.feast_conn_id = feast_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Look behind each view, and judge all of them."""
        with one_sentence():
            verdict = self._judge(context)
        return act_on(context, verdict, self.when_failed)

    def _judge(self, context: Context) -> StoreVerdict:
        from airfoil.clients.feature_store.inspection import inspect_view

        store = FeastHook(self.feast_conn_id).get_conn()
        names = store.views() if self.views is None else list(self.views)
        facts = [inspect_view(store, name) for name in names]
        return judge_store(facts, run_moment(context), StoreLimits(fresh_within=self.fresh_within))
