"""The work every contender does: a chain of empty tasks, and many empty tasks at once.

The tasks do nothing but are really executed (Airflow skips EmptyOperator, so it would measure nothing).
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.airflow_api import AirflowApi, moment
from benchmarks.contender import BenchmarkError

CHAIN = "bench_chain"
MAPPED = "bench_mapped"
CHAIN_TASKS = 10
_RUN_SECONDS = 120.0
_MAPPED_SECONDS = 600.0
_LOOK_SECONDS = 0.2
_DONE = {"success", "failed"}

_CHAIN_FILE = '''"""Ten tasks that do nothing, one after the other."""

from airflow.sdk import chain, dag, task


@dag(schedule=None)
def {dag_id}():
    @task
    def nothing():
        pass

    chain(*[nothing.override(task_id=f"step_{{number}}")() for number in range({count})])


{dag_id}()
'''
_MAPPED_FILE = '''"""Many tasks that do nothing, all at once."""

from airflow.sdk import dag, task


@dag(schedule=None)
def {dag_id}():
    @task
    def nothing(number):
        pass

    nothing.expand(number=list(range({count})))


{dag_id}()
'''


@dataclass(frozen=True)
class ChainTimes:
    """Seconds from the request until the run had ended."""

    first_seconds: float
    seconds: tuple[float, ...]
    successes: int

    @property
    def median_seconds(self) -> float:
        """Of the warm runs."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class MappedTimes:
    """Many tasks at once."""

    seconds: float
    successes: int
    unfinished_runs: int = 0
    """Seen with plain Airflow under load: tasks that nobody works on any more."""


def write_dags(folder: Path, mapped_tasks: int) -> None:
    """The same files for everybody."""
    folder.mkdir(parents=True, exist_ok=True)
    chain = _CHAIN_FILE.format(dag_id=CHAIN, count=CHAIN_TASKS)
    (folder / f"{CHAIN}.py").write_text(chain, encoding="utf-8")
    mapped = _MAPPED_FILE.format(dag_id=MAPPED, count=mapped_tasks)
    (folder / f"{MAPPED}.py").write_text(mapped, encoding="utf-8")


def run_chains(api: AirflowApi, runs: int) -> ChainTimes:
    """One cold run, then the warm ones, requested at moments spread evenly over the second."""
    seconds = []
    successes = 0
    for number in range(runs + 1):
        time.sleep(
            0.5 + number % 10 / 10
        )  # schedulers look once a second: no contender may profit from its phase
        asked = time.time()
        run_id = api.trigger(CHAIN)
        ended = _wait(api, CHAIN, run_id, asked + _RUN_SECONDS)
        if ended is None:
            raise BenchmarkError(f"A run of {CHAIN} did not end in {_RUN_SECONDS:.0f} s.")
        seconds.append(ended - asked)
        successes += api.successes(CHAIN, run_id)
    return ChainTimes(seconds[0], tuple(seconds[1:]), successes)


def run_mapped(api: AirflowApi, runs: int) -> MappedTimes:
    """All runs requested at once; seconds until the last has ended, or until patience has."""
    asked = time.time()
    run_ids = [api.trigger(MAPPED) for _ in range(runs)]
    ends = [_wait(api, MAPPED, run_id, asked + _MAPPED_SECONDS) for run_id in run_ids]
    return MappedTimes(
        max(end or time.time() for end in ends) - asked,
        sum(api.successes(MAPPED, run_id) for run_id in run_ids),
        ends.count(None),
    )


def _wait(api: AirflowApi, dag_id: str, run_id: str, until_epoch: float) -> float | None:
    """When the run ended; None when it did not in time."""
    while True:
        run = api.run(dag_id, run_id)
        if run["state"] in _DONE:
            return moment(run["end_date"])
        if time.time() > until_epoch:
            return None
        time.sleep(_LOOK_SECONDS)
