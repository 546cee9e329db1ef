"""The task that holds what is online against what the source of a feature view says, for a random sample of entities.

Comparing is done in airfoil.clients.feature_store.online_check, judging in airfoil.steps.feature_checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from airfoil.provider.feature_verdicts import act_on
from airfoil.provider.feature_windows import Moment, window_of
from airfoil.provider.hooks.feast import FeastHook
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.record_inputs import record
from airfoil.provider.task_tracking import one_sentence
from airfoil.steps.feature_checks import OnlineLimits, OnlineVerdict, judge_online

if TYPE_CHECKING:
    from airflow.sdk import Context


class FeastOnlineCheckOperator(ProfiledOperator):
    """Compares online values of a view with its source, and returns an OnlineVerdict with counts and examples.

    Drawn are entities with a row in the window, the same ones for the same `seed`; what should be online is their
    newest row in it. `limits` says which shares may be missing, stale or different: none, unless it is given. Give it
    the window that was brought online.
    """

    template_fields = ("view", "start", "end", "limits", "feast_conn_id")
    ui_color = "#e6e0f2"

    def __init__(  # noqa: PLR0913 - what an operator takes, each by its name
        self,
        *,
        view: str,
        last: timedelta | None = None,
        start: Moment = None,
        end: Moment = None,
        sample: int = 1000,
        seed: int = 0,
        limits: OnlineLimits | Mapping[str, float] | None = None,
        when_failed: Literal["fail", "continue"] = "fail",
        feast_conn_id: str = FeastHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take the view, the window, and what may differ."""
        super().__init__(**kwargs)
        self.view = view
        self.last = last
        self.start = start if start is None else str(start)
        self.end = end if end is None else str(end)
        self.sample = sample
        self.seed = seed
        self.limits: dict[str, Any] = (
            limits.to_json() if isinstance(limits, OnlineLimits) else dict(limits or {})
        )
        self.when_failed = when_failed
        self.feast_conn_id = feast_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Draw, read, compare and judge."""
        with one_sentence():
            verdict = self._judge(context)
        return act_on(context, verdict, self.when_failed)

    def _judge(self, context: Context) -> OnlineVerdict:
        from airfoil.clients.feature_store.online_check import compare_online

        limits = record(OnlineLimits, self.limits, "limits")
        start, end = window_of(context, last=self.last, start=self.start, end=self.end)
        store = FeastHook(self.feast_conn_id).get_conn()
        found = compare_online(store, self.view, start, end, size=self.sample, seed=self.seed)
        return judge_online(found, limits)
