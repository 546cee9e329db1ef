from datetime import UTC, datetime

import pytest
from benchmarks import chain
from benchmarks.contender import BenchmarkError

pytestmark = pytest.mark.unit


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Airflow:
    """Runs take the seconds they are told to; None never ends."""

    def __init__(self, clock: Clock, *takes: float | None) -> None:
        self._clock = clock
        self._takes = list(takes)
        self._ends: dict[str, float | None] = {}

    def trigger(self, dag_id):
        take = self._takes.pop(0)
        run_id = f"run-{len(self._ends)}"
        self._ends[run_id] = None if take is None else self._clock.now + take
        return run_id

    def run(self, dag_id, run_id):
        end = self._ends[run_id]
        if end is None or end > self._clock.now:
            return {"state": "running", "end_date": None}
        return {"state": "success", "end_date": datetime.fromtimestamp(end, UTC).isoformat()}

    def successes(self, dag_id, run_id):
        return 10


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(chain, "time", found)
    return found


def test_chain_time_ends_with_the_run_not_with_our_look(clock):
    found = chain.run_chains(Airflow(clock, 9.0, 2.03, 4.01, 3.02), 3)  # type: ignore[arg-type]
    assert found.first_seconds == pytest.approx(9)
    assert found.seconds == pytest.approx((2.03, 4.01, 3.02))
    assert found.median_seconds == pytest.approx(3.02)
    assert found.successes == 40


def test_chain_that_never_ends_is_an_error(clock):
    with pytest.raises(BenchmarkError, match="did not end in 120 s"):
        chain.run_chains(Airflow(clock, None), 1)  # type: ignore[arg-type]


def test_many_tasks_take_as_long_as_the_last_run(clock):
    assert chain.run_mapped(Airflow(clock, 5.0, 7.0), 2) == chain.MappedTimes(pytest.approx(7), 20, 0)  # type: ignore[arg-type]


def test_run_that_never_ends_is_counted(clock):
    found = chain.run_mapped(Airflow(clock, 5.0, None), 2)  # type: ignore[arg-type]
    assert found.unfinished_runs == 1
    assert found.seconds == pytest.approx(600, abs=1)
