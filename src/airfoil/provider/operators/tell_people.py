"""The task that tells people what a run came to, by mail and in a chat: what happened, numbers, links, next move.

A mail server that is down is a line in the log: whatever there was to tell has happened, and stays done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airfoil.errors import ConfigurationError
from airfoil.provider.links.mlflow_run import MlflowRunLink
from airfoil.provider.notifications.alert import tell
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.record_inputs import plain
from airfoil.steps.alert_numbers import facts_of
from airfoil.steps.alerts import Alert, AlertLink

if TYPE_CHECKING:
    from airflow.sdk import Context

KINDS = ("succeeded", "rejected")


class TellPeopleOperator(ProfiledOperator):
    """Sends one alert of a task's own making, and returns whether somebody was told.

    `about` are results of tasks before: decisions, moves of an alias, monitoring records, mappings of plain values;
    their reasons and numbers are told. `to` gets the mail instead of `[airfoil] alert_mail_to`.
    """

    template_fields = ("title", "about", "text", "next_move", "to")
    ui_color = "#f7e3e3"

    def __init__(
        self,
        *,
        title: str,
        kind: str = "succeeded",
        about: Sequence[Any] = (),
        text: str = "",
        next_move: str = "",
        to: Any = "",
        **kwargs: Any,
    ) -> None:
        """Take what happened in a few words, and what to tell about it."""
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise ConfigurationError(
                f"'{kind}' is nothing to tell people", f"Take one of {', '.join(KINDS)}."
            )
        self.title = title
        self.kind = kind
        self.about = plain(about)
        self.text = text
        self.next_move = next_move
        self.to = to

    def execute(self, context: Context) -> dict[str, Any]:
        """Write the alert and send it."""
        alert = self._alert(context)
        self.log.info("%s", alert.headline)
        told = tell(alert, self.to if isinstance(self.to, str) else ",".join(map(str, self.to or ())))
        return {"told": told, "title": alert.title}

    def _alert(self, context: Context) -> Alert:
        ti, found = context["ti"], facts_of(self.about)
        return Alert(
            kind=self.kind,  # type: ignore[arg-type]  # held against KINDS above
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            title=self.title,
            reason=found.reason,
            text=self.text,
            numbers=found.numbers,
            next_move=self.next_move,
            links=(AlertLink(title="Airflow", url=_run_url(ti.dag_id, ti.run_id)), *self._runs(ti)),
        )

    def _runs(self, ti: Any) -> list[AlertLink]:
        """Return links to the MLflow runs of the tasks before; whoever has none is left out."""
        links = []
        for task_id in sorted(self.upstream_task_ids):
            try:
                url = ti.xcom_pull(task_ids=task_id, key=MlflowRunLink().xcom_key)
            except Exception as error:  # noqa: BLE001 - Airflow's server: a mail without a link is better than none
                self.log.info("The MLflow run of %s is not known: %s", task_id, error)
                continue
            if isinstance(url, str) and url:
                links.append(AlertLink(title=f"MLflow: {task_id}", url=url))
        return links


def _run_url(dag_id: str, run_id: str) -> str:
    from airflow.sdk.configuration import conf

    base = str(conf.get("api", "base_url", fallback="") or "http://localhost:8080").rstrip("/")
    return f"{base}/dags/{quote(dag_id)}/runs/{quote(run_id)}"
