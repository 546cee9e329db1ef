"""The sensor that waits until tables are published: files of a web server, a store or a folder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

from airfoil.provider.table_inputs import plain_data
from airfoil.provider.task_tracking import one_sentence
from airfoil.provider.triggers.published_tables import AwaitedTables, PublishedTablesTrigger, too_late

if TYPE_CHECKING:
    from airflow.sdk import Context

_MARGIN_SECONDS = 600.0
"""The trigger ends by itself and says what was missing; Airflow ends it this much later if it does not."""


class PublishedTablesSensor(BaseSensorOperator):
    """Waits until every table lies where it should, and fails with what was missing when its `timeout` is over.

    `tables` are given as to other operators: paths, addresses, mappings with a `conn_id`. Deferrable: it then holds no
    worker. A failure is final: waiting again for what did not come is a new run's business.
    """

    template_fields = ("tables",)
    ui_color = "#e8e2f4"

    def __init__(self, *, tables: Any, deferrable: bool | None = None, **kwargs: Any) -> None:
        """Take the tables; `deferrable` is Airflow's own default unless it is given."""
        super().__init__(**kwargs)
        is_list = isinstance(tables, Sequence) and not isinstance(tables, str)
        self.tables = [plain_data(one) for one in tables] if is_list else plain_data(tables)
        self.deferrable = (
            conf.getboolean("operators", "default_deferrable", fallback=False)
            if deferrable is None
            else deferrable
        )
        self._missing: list[str] = []

    def execute(self, context: Context) -> Any:
        """Look once; then wait in the triggerer, or here."""
        if not self.deferrable:
            return self._wait_here(context)
        if self.poke(context):
            return None
        return self.defer(
            trigger=PublishedTablesTrigger(
                tables=self._awaited.tables,
                dag_file=self._awaited.dag_file,
                poll_seconds=self.poke_interval,
                until_epoch=time.time() + self.timeout,
                waited_seconds=self.timeout,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout + _MARGIN_SECONDS),
        )

    def poke(self, context: Context) -> bool:
        """Look once."""
        del context
        with one_sentence():
            self._missing = self._awaited.missing()
        if self._missing:
            self.log.info("Not there yet: %s", "; ".join(self._missing))
        return not self._missing

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> None:
        """Go on, or fail for good with what was missing."""
        del context
        if "error" in event:
            raise AirflowFailException(event["error"])

    def _wait_here(self, context: Context) -> Any:
        try:
            return super().execute(context)
        except AirflowSensorTimeout:
            raise AirflowSensorTimeout(too_late(self._missing, self.timeout)) from None

    @property
    def _awaited(self) -> AwaitedTables:
        many = isinstance(self.tables, Sequence) and not isinstance(self.tables, str)
        dag = self.get_dag()
        return AwaitedTables(self.tables if many else [self.tables], dag.fileloc if dag else "")
