from __future__ import annotations

import logging
import os
import threading
import time

import pytest

from airfoil.provider import run_keeper
from airfoil.provider.run_keeper import RunKeeper

pytestmark = pytest.mark.unit

PATIENCE = 10


class Work:
    """Stands for the reaper: notes what it is asked; `hold` makes it hang as a silent MLflow does."""

    def __init__(self, seconds=0.0, unsettled=0):
        self.settled: list[list[tuple[str, str]]] = []
        self.rounds = 0
        self.seconds = seconds
        self.unsettled = unsettled
        self.changed = threading.Condition()
        self.hold = threading.Event()
        self.hold.set()
        self.error = None

    def settle(self, ended):
        self.hold.wait(PATIENCE)
        with self.changed:
            self.settled.append(sorted(ended))
            self.changed.notify_all()
            if self.error:
                raise self.error
            self.unsettled -= 1
            return set(ended) if self.unsettled >= 0 else set()

    def round(self):
        self.hold.wait(PATIENCE)
        with self.changed:
            self.rounds += 1
            self.changed.notify_all()
            if self.error:
                raise self.error

    def pause_seconds(self):
        return self.seconds

    def until(self, true):
        with self.changed:
            assert self.changed.wait_for(true, PATIENCE)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(run_keeper, "SETTLE_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(run_keeper, "SETTLE_AGAIN_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(run_keeper, "FIRST_ROUND_SECONDS", 0.01)
    monkeypatch.setattr("atexit.register", lambda _: None)


def keeper_of(work):
    return RunKeeper(lambda: work)


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "airfoil-run-keeper"]


def test_nothing_runs_before_it_is_needed():
    before = len(threads())
    keeper_of(Work())
    assert len(threads()) == before


def test_what_is_noted_is_settled_once():
    work = Work()
    keeper = keeper_of(work)
    for _ in range(3):
        keeper.settle_soon("d", "r")
    work.until(lambda: work.settled)
    assert work.settled == [[("d", "r")]]


def test_what_is_not_settled_is_tried_a_few_times_more():
    work = Work(unsettled=99)
    keeper_of(work).settle_soon("d", "r")
    work.until(lambda: len(work.settled) == 3)
    time.sleep(0.05)  # and then no more
    assert len(work.settled) == 3


def test_rounds_come_again_and_again_and_end_when_told():
    work = Work(seconds=0.01)
    keeper = keeper_of(work)
    keeper.begin()
    work.until(lambda: work.rounds >= 3)
    keeper.end()
    time.sleep(0.05)
    before = work.rounds
    time.sleep(0.05)
    assert work.rounds == before


def test_no_rounds_no_thread():
    before = len(threads())
    keeper_of(Work(seconds=0)).begin()
    assert len(threads()) == before


def test_a_failure_ends_neither_rounds_nor_settling(caplog):
    work = Work(seconds=0.01)
    work.error = OSError("no")
    keeper = keeper_of(work)
    keeper.begin()
    keeper.settle_soon("d", "r")
    work.until(lambda: work.rounds >= 2 and work.settled)
    keeper.end()
    assert "the next round tries again" in caplog.text


def test_work_that_cannot_be_made_is_told_once(caplog):
    def broken():
        raise ImportError("half an installation")

    keeper = RunKeeper(broken)
    for _ in range(3):
        keeper.begin()
        keeper.settle_soon("d", "r")
    assert len([record for record in caplog.records if "could not be made" in record.message]) <= 3
    assert not keeper._notes


def test_a_note_takes_no_time_while_mlflow_is_silent(monkeypatch, caplog):
    """Ten thousand DAG runs end while the thread hangs: nobody waits, nothing grows, and it is told once."""
    monkeypatch.setattr(run_keeper, "MAX_NOTES", 100)
    work = Work()
    work.hold.clear()
    keeper = keeper_of(work)
    taken = []
    with caplog.at_level(logging.WARNING):
        for number in range(10_000):
            began = time.perf_counter()
            keeper.settle_soon("d", f"r{number}")
            taken.append(time.perf_counter() - began)
    work.hold.set()
    taken.sort()
    print(f"p50 {taken[5000] * 1e6:.0f} us, p99 {taken[9900] * 1e6:.0f} us, p99.9 {taken[9990] * 1e6:.0f} us")
    assert taken[9900] < 0.001
    assert keeper.dropped >= 10_000 - 200
    assert len(keeper._notes) <= 100
    assert len([record for record in caplog.records if "wait for MLflow" in record.message]) == 1


def test_a_fork_begins_with_nothing():
    work = Work()
    work.hold.clear()
    keeper = keeper_of(work)
    keeper.settle_soon("d", "r")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        work.hold.set()
        keeper.settle_soon("d", "child")
        work.until(lambda: work.settled)
        os.write(writer, str(work.settled).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        assert answer.read() == "[[('d', 'child')]]"
    os.waitpid(pid, 0)
    work.hold.set()


def test_a_process_that_ends_gives_its_last_notes_a_moment(monkeypatch):
    monkeypatch.setattr(run_keeper, "SETTLE_AFTER_SECONDS", 60)
    work = Work()
    keeper = keeper_of(work)
    keeper.settle_soon("d", "r")
    keeper._farewell()
    assert work.settled == [[("d", "r")]]


def test_and_no_longer_than_a_moment(monkeypatch):
    monkeypatch.setattr(run_keeper, "FAREWELL_SECONDS", 0.05)
    work = Work()
    work.hold.clear()
    keeper = keeper_of(work)
    keeper.settle_soon("d", "r")
    began = time.monotonic()
    keeper._farewell()
    assert time.monotonic() - began < 2
    work.hold.set()
