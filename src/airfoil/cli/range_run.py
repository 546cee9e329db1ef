"""`airfoil run DAG --from D --to D`: says how many runs that is, starts them, prints one line each as they end."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

from airfoil.cli import console, dates
from airfoil.errors import ConfigurationError
from airfoil.stack.page import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.live import Live

    from airfoil.cli.backfill import Backfill, DatedRun, Plan, Wanted
    from airfoil.cli.dag_runner import DagRunner

ASK_ABOVE_RUNS = 20
REDRAWS_PER_SECOND = 4
MOMENT_WIDTH = 16
CONTINUE = "The runs go on without this command; `airfoil status` shows them."


class RangePrinter:
    """Prints a range while it happens: runs that ended as lines that stay, the rest counted in a live line."""

    def __init__(self, runner: DagRunner, dag_id: str, *, quiet: bool, terminal: bool | None = None) -> None:
        self._runner = runner
        self._dag_id = dag_id
        self._quiet = quiet
        self._terminal = (console.is_terminal() if terminal is None else terminal) and not quiet
        self._live: Live | None = None
        self._seen: Sequence[DatedRun] = ()
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if self._terminal:
            from rich.live import Live

            self._live = Live(
                get_renderable=self._render,
                console=console.rich_console(),
                refresh_per_second=REDRAWS_PER_SECOND,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def progress(self, runs: Sequence[DatedRun]) -> None:
        """Hear of a look."""
        self._seen = runs

    def ended(self, run: DatedRun) -> None:
        """Print a run that is over, and why its tasks failed."""
        if self._quiet:
            return
        self._print(run_line(run))
        for task in run.failed_tasks:
            reason = self._runner.story.reason(self._dag_id, run.run_id, task)
            self._print(f"    {console.mark('failed')} {task.label}{f': {reason}' if reason else ''}")

    def counts(self) -> str:
        """Say how far the range is."""
        done = sum(run.ended for run in self._seen)
        running = sum(run.state == "running" for run in self._seen)
        passed = wording.duration(time.monotonic() - self._began)
        return f"  {done} of {len(self._seen)} runs done, {running} running  {passed}"

    def _print(self, text: str) -> None:
        if self._live is None:
            console.out(text)
            return
        from rich.text import Text

        self._live.console.print(Text.from_ansi(text), soft_wrap=True)

    def _render(self) -> Any:
        from rich.text import Text

        return Text(self.counts(), style="dim")


def run_range(
    runner: DagRunner,
    backfill: Backfill,
    wanted: Wanted,
    *,
    agreed: bool,
    as_json: bool,
    ask: Callable[[str], bool] | None = None,
) -> int:
    """Do it all; the exit code is that of the worst run."""
    plan = backfill.plan()
    say = (lambda _: None) if as_json else console.out
    if plan.left_alone:
        say(left_alone(wanted, plan))
    if not plan.moments:
        say(f"Nothing to run for {wanted.dag_id}.")
        if as_json:
            console.emit_json(outcome(runner, wanted, plan, []))
        return console.SUCCESS
    if len(plan.moments) > ASK_ABOVE_RUNS and not agreed:
        agree(wanted.dag_id, len(plan.moments), ask)
    backfill.start(plan)
    say(f"{wording.count(len(plan.moments), 'run')} of {wanted.dag_id}, {extent(plan)}:")
    with RangePrinter(runner, wanted.dag_id, quiet=as_json) as printer:
        runs = backfill.follow(plan, printer)
    failed = [run for run in runs if run.state != "success"]
    if as_json:
        console.emit_json(outcome(runner, wanted, plan, runs))
    else:
        show_end(runner, wanted.dag_id, runs, failed)
    return console.FAILURE if failed else console.SUCCESS


def agree(dag_id: str, count: int, ask: Callable[[str], bool] | None) -> None:
    """Ask before many runs are started, or say how to agree where nobody can be asked."""
    if ask is not None and sys.stdin.isatty():
        if ask(f"Start {count} runs of {dag_id}?"):
            return
        raise ConfigurationError("Nothing was started.", "Name a shorter range.")
    raise ConfigurationError(
        f"That would be {count} runs of {dag_id}.", "Add --yes to start them, or name a shorter range."
    )


def left_alone(wanted: Wanted, plan: Plan) -> str:
    """Say which dates are not run, and how they would be."""
    what = wording.count(plan.left_alone, "date")
    how = "" if wanted.reprocess == "completed" else " (--reprocess failed or completed runs them again)"
    return (
        f"{what} ran already or {'runs' if plan.left_alone == 1 else 'run'} now, and stay as they are{how}."
    )


def extent(plan: Plan) -> str:
    """Say from when to when."""
    first, last = min(plan.moments), max(plan.moments)
    return f"{dates.short(first)} to {dates.short(last)} ({first.tzname()})"


def run_line(run: DatedRun) -> str:
    """Say how one run ended."""
    mark = console.mark("failed" if run.state == "missing" else run.state)
    seconds = "" if run.seconds is None else f"  {wording.duration(run.seconds)}"
    state = console.state_text(run.state)
    return f"{mark} {dates.short(run.moment):<{MOMENT_WIDTH}}  {state}{seconds}  {run.run_id}".rstrip()


def show_end(runner: DagRunner, dag_id: str, runs: Sequence[DatedRun], failed: Sequence[DatedRun]) -> None:
    """Print the sum, where to look, and what to type."""
    from airfoil.cli.dag_runner import retry_command

    good = len(runs) - len(failed)
    state = "failed" if failed else "success"
    console.out(f"{console.mark(state)} {dag_id}: {good} of {len(runs)} runs succeeded")
    console.out(f"  Airflow  {runner.airflow.base_url}/dags/{dag_id}")
    for run in failed[:ASK_ABOVE_RUNS]:
        if run.run_id:
            console.out(f"  Retry    {retry_command(dag_id, run.run_id)}")
    if any(run.state == "missing" for run in failed):
        console.out("  Some runs were not made: give the same command again.")


def outcome(runner: DagRunner, wanted: Wanted, plan: Plan, runs: Sequence[DatedRun]) -> dict[str, Any]:
    """Give the JSON object of a range."""
    return {
        "schema": 1,
        "dag_id": wanted.dag_id,
        "state": "success" if all(run.state == "success" for run in runs) else "failed",
        "left_alone": plan.left_alone,
        "runs": [
            {
                "run_id": run.run_id or None,
                "logical_date": dates.iso(run.moment),
                "state": run.state,
                "seconds": None if run.seconds is None else round(run.seconds, 3),
                "airflow_url": runner.airflow_url(wanted.dag_id, run.run_id) if run.run_id else None,
                "failed_tasks": [task.label for task in run.failed_tasks],
            }
            for run in runs
        ],
    }
