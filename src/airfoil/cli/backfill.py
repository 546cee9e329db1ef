"""Runs of one DAG for many dates: which they are, starting them, following them to their ends.

A DAG with a schedule is left to Airflow's own backfill. One without has no dates of its own, so Airflow refuses; it
gets one run a day. Talks to Airflow through a `DagRunner`'s means; printing is left to a `Telling`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from airfoil.cli import dates, follow
from airfoil.errors import ConfigurationError, NeighbourError, ServiceAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from airfoil.cli.dag_runner import DagRunner
    from airfoil.stack.airflow_rest import AirflowRest

NONE, FAILED, COMPLETED = "none", "failed", "completed"
REPROCESS = (NONE, FAILED, COMPLETED)
MAX_ACTIVE_RUNS = 10  # Airflow's own default
# A backfill's runs are there when its creation is answered; a run that is cleared at this moment may be hidden once.
LOOKS_UNTIL_MISSING = 5
# Airflow's scheduler looks for backfills that are over every 30 s, later on a crowded machine.
CLOSE_SECONDS = 120.0
LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Wanted:
    """What a person asked for."""

    dag_id: str
    begin: datetime
    end: datetime
    conf: Mapping[str, Any]
    reprocess: str = NONE


@dataclass(frozen=True)
class Plan:
    """What is to be run."""

    moments: tuple[datetime, ...]
    left_alone: int = 0
    """Dates that ran already, or run now."""
    earlier: Mapping[float, str] = field(default_factory=dict)
    """For a DAG without a schedule: the runs that exist, by date."""
    by_airflow: bool = True


@dataclass(frozen=True)
class DatedRun:
    """One run of the range at one moment."""

    moment: datetime
    run_id: str
    state: str
    seconds: float | None = None
    failed_tasks: tuple[follow.TaskView, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in follow.ENDED_RUN or self.state == "missing"


class Telling(Protocol):
    """Who is told what happens."""

    def progress(self, runs: Sequence[DatedRun]) -> None:
        """Hear of a look."""

    def ended(self, run: DatedRun) -> None:
        """Hear that a run is over."""


class Backfill:
    """The runs of one DAG in a range of dates."""

    def __init__(self, runner: DagRunner, wanted: Wanted, dag: Mapping[str, Any], zone: tzinfo) -> None:
        if dag.get("timetable_partitioned"):
            raise ConfigurationError(
                f"{wanted.dag_id} is scheduled by partitions, not by dates.",
                f"Airflow's own command knows them: `airfoil airflow backfill create --dag-id {wanted.dag_id} ...`.",
            )
        self._airflow: AirflowRest = runner.airflow
        self._patience = runner.patience
        self._runner = runner
        self._wanted = wanted
        self._scheduled = bool(dag.get("timetable_periodic", True))
        self._zone = zone

    def plan(self) -> Plan:
        """Find out which runs that would be; starts nothing."""
        if not self._scheduled:
            return self._plan_days()
        chosen = self._dates(self._wanted.reprocess)
        every = self._dates(COMPLETED) if self._wanted.reprocess != COMPLETED else chosen
        if not every:
            begin, end = dates.short(self._wanted.begin), dates.short(self._wanted.end)
            raise ConfigurationError(
                f"The schedule of {self._wanted.dag_id} has no date that is over from {begin} to {end}.",
                "Name another range.",
            )
        return Plan(tuple(chosen), len(every) - len(chosen))

    def start(self, plan: Plan) -> None:
        """Create the runs."""
        if plan.by_airflow:
            self._create()
            return
        for moment in plan.moments:
            earlier = plan.earlier.get(moment.timestamp())
            if earlier is None:
                self._runner.trigger(
                    self._wanted.dag_id, self._wanted.conf, dated_run_id(moment), dates.iso(moment)
                )
            else:
                self._clear(earlier)

    def _clear(self, run_id: str) -> None:
        self._patience(lambda: self._airflow.clear_run(self._wanted.dag_id, run_id))

    def follow(self, plan: Plan, telling: Telling) -> list[DatedRun]:
        """Tell of each run that ends until all have; give them in the order of their dates."""
        began = self._patience.clock()
        done: dict[float, DatedRun] = {}
        looks = 0
        while True:
            looks += 1
            runs = [done.get(run.moment.timestamp(), run) for run in self._look(plan, looks)]
            telling.progress(runs)
            for run in runs:
                if run.ended and run.moment.timestamp() not in done:
                    done[run.moment.timestamp()] = full = self._with_failures(run)
                    telling.ended(full)
            if len(done) == len(plan.moments):
                return [done[moment.timestamp()] for moment in plan.moments]
            self._patience.sleep(follow.poll_seconds(self._patience.clock() - began))

    # -- with a schedule ------------------------------------------------------------------------------------

    def _order(self, reprocess: str) -> dict[str, Any]:
        return {
            "dag_id": self._wanted.dag_id,
            "from_date": dates.iso(self._wanted.begin),
            "to_date": dates.iso(self._wanted.end),
            # Without parameters of today, a run that is repeated keeps those it had.
            "dag_run_conf": dict(self._wanted.conf) or None,
            "reprocess_behavior": reprocess,
            "max_active_runs": MAX_ACTIVE_RUNS,
        }

    def _dates(self, reprocess: str) -> list[datetime]:
        try:
            found = self._patience(lambda: self._airflow.dates_to_run(self._order(reprocess)))
        except ServiceAnswerError as error:
            raise refused(error) from error
        return [datetime.fromisoformat(text).astimezone(self._zone) for text in found]

    def _create(self) -> None:
        dag_id = self._wanted.dag_id
        before = self._patience(lambda: self._airflow.last_backfill(dag_id))
        if before is not None and before.get("completed_at") is None:
            self._await_close(before)

        def create() -> None:
            made = self._airflow.create_backfill(self._order(self._wanted.reprocess))
            # A newer one than before is ours: the answer to an earlier try was lost (a slow or locked database).
            newest = made or self._airflow.last_backfill(dag_id)
            if newest is None or newest.get("id") == (before or {}).get("id"):
                raise self._under_way()

        try:
            self._patience(create)
        except ServiceAnswerError as error:
            raise refused(error) from error

    def _await_close(self, earlier: Mapping[str, Any]) -> None:
        """Wait until Airflow has noticed that an earlier backfill is over; it looks every half minute.

        Ending it ourselves (`cancel`) would pause it for good, and its runs could never be retried.
        """
        query = {
            "logical_date_gte": earlier["from_date"],
            "logical_date_lte": earlier["to_date"],
            "run_type": "backfill",
        }
        rows = self._patience(lambda: self._airflow.runs(self._wanted.dag_id, query))
        if any(row.get("state") not in follow.ENDED_RUN for row in rows):
            raise self._under_way()
        self._runner.notice(
            f"The last backfill of {self._wanted.dag_id} has ended; Airflow notices within half a minute ..."
        )
        until = self._patience.clock() + CLOSE_SECONDS
        while self._is_open(earlier["id"]):
            if self._patience.clock() > until:
                raise self._under_way()
            self._patience.sleep(LOOK_SECONDS)

    def _is_open(self, backfill_id: object) -> bool:
        newest = self._patience(lambda: self._airflow.last_backfill(self._wanted.dag_id))
        return newest is not None and newest.get("id") == backfill_id and newest.get("completed_at") is None

    def _under_way(self) -> ConfigurationError:
        return ConfigurationError(
            f"A backfill of {self._wanted.dag_id} is under way already, and Airflow allows one at a time.",
            f"Wait for it, or stop it on {self._airflow.base_url}/dags/{self._wanted.dag_id}/backfills.",
        )

    # -- without one ----------------------------------------------------------------------------------------

    def _plan_days(self) -> Plan:
        moments = dates.days(self._wanted.begin, self._wanted.end)
        rows = {
            stamp: row for row in self._rows() if (stamp := follow.epoch_seconds(row.get("logical_date")))
        }
        chosen = [
            moment for moment in moments if may_run(rows.get(moment.timestamp()), self._wanted.reprocess)
        ]
        earlier = {stamp: str(row["dag_run_id"]) for stamp, row in rows.items()}
        repeated = [moment for moment in chosen if moment.timestamp() in earlier]
        if repeated and self._wanted.conf:
            raise keeps_its_parameters(self._wanted.dag_id)
        return Plan(tuple(chosen), len(moments) - len(chosen), earlier, by_airflow=False)

    # -- looking --------------------------------------------------------------------------------------------

    def _rows(self) -> list[dict[str, Any]]:
        query = {
            "logical_date_gte": dates.iso(self._wanted.begin),
            "logical_date_lte": dates.iso(self._wanted.end),
            "order_by": "logical_date",
        }
        return self._patience(lambda: self._airflow.runs(self._wanted.dag_id, query))

    def _look(self, plan: Plan, looks: int) -> list[DatedRun]:
        rows = {follow.epoch_seconds(row.get("logical_date")): row for row in self._rows()}
        found = []
        for moment in plan.moments:
            row = rows.get(moment.timestamp())
            if row is None:
                found.append(DatedRun(moment, "", "missing" if looks >= LOOKS_UNTIL_MISSING else "queued"))
                continue
            start, end = (follow.epoch_seconds(row.get(name)) for name in ("start_date", "end_date"))
            seconds = end - start if start is not None and end is not None else None
            found.append(DatedRun(moment, str(row.get("dag_run_id")), str(row.get("state")), seconds))
        return found

    def _with_failures(self, run: DatedRun) -> DatedRun:
        if run.state != "failed":
            return run
        try:
            view = self._runner.look(self._wanted.dag_id, run.run_id)
        except NeighbourError:
            return run  # that it failed is known; which tasks did stands on its page
        return DatedRun(run.moment, run.run_id, run.state, run.seconds, view.failed_tasks)


def may_run(row: Mapping[str, Any] | None, reprocess: str) -> bool:
    """Tell whether a date may run, as Airflow decides it for a backfill."""
    if row is None:
        return True
    state = row.get("state")
    return (state == "failed" and reprocess in {FAILED, COMPLETED}) or (
        state == "success" and reprocess == COMPLETED
    )


def dated_run_id(moment: datetime) -> str:
    """Name a run by its date, with a random end: the id must be ours for asking twice to be safe."""
    return f"manual__{dates.iso(moment)}_{secrets.token_hex(4)}"


def keeps_its_parameters(dag_id: str) -> ConfigurationError:
    """Say why --param and a repeated run do not go together."""
    return ConfigurationError(
        f"A run of {dag_id} that is repeated keeps the parameters it had.",
        "Leave out --param and --conf, or run another date.",
    )


def refused(error: ServiceAnswerError) -> ConfigurationError:
    """Word what Airflow refuses about a range."""
    move = "Add --reprocess failed or --reprocess completed." if "eprocess" in error.message else ""
    return ConfigurationError(error.message, move)


def repeat_or_refuse(
    runner: DagRunner, dag_id: str, moment: datetime, reprocess: str, conf: Mapping[str, Any]
) -> str:
    """Run a DAG for one date: a new run, or the one that exists when --reprocess says so; give its id."""
    at = dates.iso(moment)
    query = {"logical_date_gte": at, "logical_date_lte": at}
    row = next(iter(runner.patience(lambda: runner.airflow.runs(dag_id, query))), None)
    if row is None:
        return runner.trigger(dag_id, conf, dated_run_id(moment), at)
    run_id, state = str(row["dag_run_id"]), str(row.get("state"))
    if state not in follow.ENDED_RUN:
        raise ConfigurationError(
            f"{dag_id} has a run for {dates.short(moment)} that is {state} ({run_id}).", "Wait for its end."
        )
    if not may_run(row, reprocess):
        wish = FAILED if state == "failed" else COMPLETED
        raise ConfigurationError(
            f"{dag_id} ran for {dates.short(moment)} already: {state} ({run_id}).",
            f"To run it again: --reprocess {wish}.",
        )
    if conf:
        raise keeps_its_parameters(dag_id)
    runner.notice(f"Running {run_id} again, which was {state}.")
    runner.patience(lambda: runner.airflow.clear_run(dag_id, run_id))
    return run_id
