"""When the scheduler wakes, over a made-up clock and database, and an executor whose parent class is a stand-in."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytestmark = pytest.mark.unit

SOURCE = Path(__file__).parents[3] / "src" / "airfoil" / "runtime" / "executor.py"
T0 = 1_800_000_000.3


class LocalExecutor:
    """What the executor leans on, and nothing else."""

    def __init__(self) -> None:
        self.workers: dict[int, Any] = {}
        self.running: set[str] = set()
        """Always empty, as Airflow's own (3.3.2)."""
        self.queued: list[Any] = []
        self.states: list[tuple[Any, Any]] = []
        self.result_queue = ResultQueue()
        self.sent: list[Any] = []
        self.activity_queue = SimpleNamespace(put=self.sent.append)
        self.synced = 0

    def start(self) -> None:
        self.workers = {1: Worker(), 2: Worker()}

    def queue_workload(self, workload: Any, session: Any) -> None:
        self.queued.append(workload)

    def change_state(self, key: Any, state: Any, info: Any = None, remove_running: bool = True) -> None:
        self.states.append((key, state))

    def sync(self) -> None:
        self.synced += 1
        self.workers = {pid: worker for pid, worker in self.workers.items() if not worker.joined}


class Worker:
    joined = False

    def join(self, timeout: float) -> None:
        assert timeout <= 1
        self.joined = True


class ResultQueue:
    """A queue that a result enters when the test says so."""

    def __init__(self) -> None:
        self._reader = SimpleNamespace(fileno=lambda: 7, queue=self)
        self.waits: list[float] = []
        self.full = False

    def empty(self) -> bool:
        return not self.full


class Poll:
    """select.poll(), which ends when the queue is full or the time is up."""

    _queue: ResultQueue

    def register(self, what: Any, _mask: int) -> None:
        self._queue = what.queue

    def poll(self, milliseconds: int) -> list[tuple[int, int]]:
        self._queue.waits.append(milliseconds / 1000)
        return [(7, 1)] if self._queue.full else []


@pytest.fixture
def executor(monkeypatch) -> Any:
    """The module, loaded without Airflow (whose import takes four seconds)."""
    stand_ins = {
        "airflow": ModuleType("airflow"),
        "airflow.configuration": ModuleType("airflow.configuration"),
        "airflow.executors": ModuleType("airflow.executors"),
        "airflow.executors.local_executor": ModuleType("airflow.executors.local_executor"),
    }
    stand_ins["airflow.configuration"].conf = SimpleNamespace(
        get=lambda *_, fallback="postgresql://x": fallback
    )  # type: ignore[attr-defined]
    stand_ins["airflow.executors.local_executor"].LocalExecutor = LocalExecutor  # type: ignore[attr-defined]
    for name, module in stand_ins.items():
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("executor_under_test", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    freezes: list[int] = []
    monkeypatch.setattr(made, "select", SimpleNamespace(poll=Poll, POLLIN=1))
    monkeypatch.setattr(made, "gc", SimpleNamespace(freeze=lambda: freezes.append(1)))
    made.freezes = freezes  # type: ignore[attr-defined]
    return made


class World:
    """A clock that moves only while somebody waits, a database, and a result that arrives at some time."""

    def __init__(self, module: Any, *, watched: bool = True, told: bool = False, start: float = T0) -> None:
        self.now = start
        self.signature = (1,)
        self.writes: dict[float, tuple[int, ...]] = {}
        self.result_at: float | None = None
        self.naps: list[float] = []
        self.wakes: list[float] = []
        self.waiter = module.Waiter(self.look, watched=watched, told=told, clock=lambda: self.now)

    def look(self) -> tuple[int, ...]:
        for at in sorted(self.writes):
            if at <= self.now:
                self.signature = self.writes.pop(at)
        return self.signature

    def ready(self, seconds: float) -> bool:
        self.naps.append(seconds)
        woken = [at for at in self.wakes if self.now < at <= self.now + seconds][:1]
        until = woken[0] if woken else self.now + seconds
        if self.result_at is not None and self.result_at <= until:
            self.now = max(self.now, self.result_at)
            return True
        self.now = until
        return False

    def wait(self, *, busy: bool = True) -> tuple[str, float]:
        """Why it woke, and after how long."""
        began = self.now
        return self.waiter.wait(self.ready, busy=busy), round(self.now - began, 3)


# -- SQLite: its files are watched


def test_a_result_wakes_at_once(executor):
    world = World(executor)
    world.result_at = T0 + 0.25
    assert world.wait() == ("result", 0.25)


def test_a_write_of_somebody_else_wakes_within_a_step(executor):
    world = World(executor)
    world.writes = {T0 + 0.25: (2,)}
    reason, waited = world.wait()
    assert reason == "database"
    assert 0.25 <= waited <= 0.25 + executor.STEP_SECONDS + executor.SETTLE_SECONDS


def test_at_rest_the_database_is_looked_at_less_often_and_still_soon(executor):
    world = World(executor)
    world.writes = {T0 + 0.25: (2,)}
    assert world.wait(busy=False)[1] <= 0.25 + executor.IDLE_STEP_SECONDS + executor.SETTLE_SECONDS
    assert max(world.naps) <= executor.IDLE_STEP_SECONDS


def test_what_was_written_during_the_schedulers_own_round_makes_the_next_wait_short(executor):
    world = World(executor)
    world.result_at = T0
    world.wait()
    world.result_at = None
    world.signature = (2,)
    assert world.wait() == ("database", executor.SETTLE_SECONDS)


def test_what_was_written_before_the_round_was_seen_by_it(executor):
    world = World(executor)
    world.writes = {T0 + 0.1: (2,)}
    world.result_at = T0 + 0.1
    assert world.wait()[0] in {"result", "database"}
    world.result_at = None
    world.signature = world.look()
    assert world.wait()[0] == "time"


def test_a_burst_of_writes_is_one_wake_up_and_a_result_within_it_counts(executor):
    world = World(executor)
    world.writes = {T0 + 0.1: (2,)}
    world.result_at = T0 + 0.115
    assert world.wait()[0] == "result"


def test_with_work_about_it_wakes_when_the_clock_of_sqlite_ticks(executor):
    for start, expected in ((T0, 0.705), (T0 + 0.6, 0.105), (T0 + 0.699, 0.006)):
        world = World(executor, start=start)
        reason, waited = world.wait(busy=True)
        assert (reason, waited) == ("time", pytest.approx(expected, abs=0.002))


def test_a_boundary_that_has_just_passed_is_not_waited_for_again(executor):
    world = World(executor, start=T0 + 0.701)
    assert world.wait(busy=True) == ("time", pytest.approx(1.004, abs=0.002))


def test_without_news_it_sleeps_longer_but_never_long(executor):
    world = World(executor)
    first, second, third = (world.wait(busy=False)[1] for _ in range(3))
    assert first == pytest.approx(0.705, abs=0.06)
    assert 1.0 < second <= executor.IDLE_SECONDS + 0.06
    assert third <= executor.IDLE_SECONDS + 0.06


def test_news_end_the_calm(executor):
    world = World(executor)
    for _ in range(3):
        world.wait(busy=False)
    world.signature = (2,)
    assert world.wait(busy=False)[0] == "database"
    assert world.wait(busy=False)[1] <= 1.1, "what was created in this second is due at its end"


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_is_set_does_not_keep_anybody_waiting(executor, jump):
    world = World(executor)
    clock = iter([T0, T0, T0 + jump, T0 + jump])
    world.waiter._clock = lambda: next(clock)
    assert world.waiter.wait(world.ready, busy=True) == "time"
    assert len(world.naps) <= 1


# -- SQLite, where the system tells of changes


def test_told_of_changes_it_sleeps_until_one_comes(executor):
    world = World(executor, told=True)
    world.wakes = [T0 + 0.1, T0 + 0.25]
    world.writes = {T0 + 0.25: (2,)}
    assert world.wait() == ("database", 0.27), "the first event was no write, the second one settles"
    assert len(world.naps) == 3


def test_a_burst_of_events_settles_before_the_next_round(executor):
    world = World(executor, told=True)
    world.writes = {T0 + 0.1: (2,)}
    world.wakes = [T0 + 0.1 + 0.001 * number for number in range(10)]
    assert world.wait() == ("database", 0.12)


def test_a_result_ends_the_settling(executor):
    world = World(executor, told=True)
    world.wakes = [T0 + 0.1]
    world.writes = {T0 + 0.1: (2,)}
    world.result_at = T0 + 0.11
    assert world.wait() == ("result", 0.11)


def test_told_of_changes_it_still_wakes_when_the_second_is_over(executor):
    assert World(executor, told=True).wait() == ("time", 0.705)


# -- a database on a server: nothing to watch


def test_after_news_rounds_are_quick_and_grow_slower(executor):
    world = World(executor, watched=False)
    world.result_at = T0
    assert world.wait() == ("result", 0.0)
    world.result_at = None
    waits = [world.wait()[1] for _ in range(20)]
    assert waits[0] == pytest.approx(executor.STEP_SECONDS * 1.5)
    assert waits == sorted(waits)
    assert waits[-1] == executor.IDLE_SECONDS
    assert sum(waits[:8]) < 1.6


def test_with_nothing_to_do_it_sleeps_and_a_result_wakes_it(executor):
    world = World(executor, watched=False)
    assert world.wait(busy=False) == ("time", executor.IDLE_SECONDS)
    world.result_at = world.now + 0.4
    assert world.wait(busy=False) == ("result", 0.4)


# -- the executor around it


def test_a_waiting_result_is_handled_without_a_wait(executor):
    made = executor.WakingLocalExecutor()
    made.start()
    made.result_queue.full = True
    made.sync()
    assert (made.synced, made.result_queue.waits) == (1, [])


def test_every_round_waits_and_then_does_what_its_parent_does(executor):
    made = executor.WakingLocalExecutor()
    made.start()
    made.sync()
    assert made.synced == 1
    assert made.result_queue.waits == [executor.IDLE_SECONDS]
    made.queue_workload(SimpleNamespace(key="a"), None)
    made.sync()
    assert made.result_queue.waits[1] <= executor.IDLE_SECONDS


def test_what_was_handed_over_and_has_not_ended_is_never_given_back_for_a_second_start(executor):
    """A scheduler whose heartbeat was late declares itself dead, and asks itself to adopt its own tasks."""
    made = executor.WakingLocalExecutor()
    made.start()
    waiting, running, ended, foreign = (
        SimpleNamespace(key=key) for key in ("waiting", "running", "ended", "foreign")
    )
    for one in (waiting, running, ended):
        made.queue_workload(one, None)
    made.change_state("running", "running")
    made.change_state("ended", "success")
    made.change_state("foreign", "failed")
    assert made.try_adopt_task_instances([waiting, running, ended, foreign]) == [ended, foreign]
    assert made.queued == [waiting, running, ended]
    assert made.states == [("running", "running"), ("ended", "success"), ("foreign", "failed")]


def test_the_end_of_a_part_is_no_news_while_the_next_part_is_with_us(executor):
    """A person who answers at once: the task goes on before the scheduler has heard that it paused."""
    made = executor.WakingLocalExecutor()
    made.start()
    asking = SimpleNamespace(key="approve")
    made.queue_workload(asking, None)
    made.queue_workload(asking, None)
    made.change_state("approve", "success")
    assert made.states == []
    assert made.try_adopt_task_instances([asking]) == [], "its second part is still with us"
    made.change_state("approve", "running")
    made.change_state("approve", "failed")
    assert made.states == [("approve", "running"), ("approve", "failed")]
    assert made.try_adopt_task_instances([asking]) == [asking]


def test_shared_objects_are_frozen_again_whenever_workers_were_forked(executor):
    made = executor.WakingLocalExecutor()
    made.start()
    assert len(executor.freezes) == 1
    made.sync()
    assert len(executor.freezes) == 1, "and only then"
    made.workers[3] = Worker()
    made.sync()
    assert len(executor.freezes) == 2


def test_idle_workers_go_home_after_a_while_and_busy_ones_stay(executor, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(executor, "time", SimpleNamespace(monotonic=lambda: now[0], time=lambda: T0))
    made = executor.WakingLocalExecutor()
    made.start()
    made.queue_workload(SimpleNamespace(key="task"), None)
    for _ in range(5):
        now[0] += executor.RETIRE_SECONDS / 2
        made.sync()
    assert (len(made.workers), made.sent) == (2, [])
    made.change_state("task", "success")
    for _ in range(3):
        made.sync()
        now[0] += executor.RETIRE_SECONDS / 2
    assert len(made.workers) == 2
    made.sync()
    assert made.sent == [None, None], "each is told once"
    assert made.workers == {}
    now[0] += executor.RETIRE_SECONDS * 3
    made.sync()
    assert made.sent == [None, None]
