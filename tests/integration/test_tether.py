"""Ties between real processes: who dies with whom, and whom the tie leaves alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airfoil.stack import process

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tie is Linux's"),
]

# A service that forks a worker, that forks a task, that forks what a user's code may fork.
SERVICE = """
import json, os, pathlib, selectors, signal, socket, subprocess, sys, threading, time
from airfoil.runtime import tether
notes = pathlib.Path(sys.argv[1])

def note(name, value):
    temporary = notes / f".{name}"
    temporary.write_text(json.dumps(value))
    temporary.rename(notes / name)

def fork(name, work):
    pid = os.fork()
    if pid:
        return pid
    try:
        note(name, os.getpid())
        work()
        time.sleep(60)
    finally:
        os._exit(0)

def worker():
    ours, theirs = socket.socketpair()
    short = fork("short", lambda: (time.sleep(0.3), os._exit(0)))
    with selectors.DefaultSelector() as selector:
        selector.register(ours, selectors.EVENT_READ)
        began = time.monotonic()
        selector.select(20)
        note("woke after", time.monotonic() - began)
    os.waitpid(short, 0)
    fork("task", task)

def task():
    note("handler", signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL)
    began = time.monotonic()
    subprocess.run(["sleep", "0.01"])
    selectors.DefaultSelector().select(0.3)
    note("waited", time.monotonic() - began)
    fork("shell", lambda: fork("daemon", lambda: None))
    thread = threading.Thread(target=lambda: fork("of a thread", lambda: None))
    thread.start()
    thread.join()
    time.sleep(0.1)
    note("thread over", True)

note("service", os.getpid())
tether.install(with_family=sys.argv[2] == "with family")
fork("worker", worker)
time.sleep(60)
"""
MARK = "tether-test"


class Family:
    """The processes of one service, by what they are."""

    def __init__(self, folder: Path, kind: str = "") -> None:
        self.folder = folder
        self.mark = f"{MARK}-{os.getpid()}-{time.monotonic_ns()}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVICE, str(folder), kind],
            env=os.environ | {process.STACK_MARK: self.mark},
        )
        self.births: dict[str, float | None] = {}

    def note(self, name: str) -> object:
        wait_for((self.folder / name).exists, name)
        return json.loads((self.folder / name).read_text())

    def pid(self, name: str) -> int:
        return int(str(self.note(name)))

    def alive(self, *names: str) -> list[str]:
        return [name for name in names if process.birth(self.pid(name)) is not None]


def wait_for(check: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        time.sleep(0.01)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    made = Family(tmp_path)
    made.note("daemon")
    made.note("thread over")
    yield made
    process.sweep(made.mark)
    made.process.wait()


def test_a_killed_service_takes_worker_task_and_shell_along_and_leaves_what_the_user_detached(family):
    everybody = ("worker", "task", "shell", "daemon", "of a thread")
    assert family.alive(*everybody) == list(everybody)
    os.kill(family.pid("service"), signal.SIGKILL)
    wait_for(lambda: not family.alive("worker", "task", "shell"), "the family to die")
    time.sleep(0.2)
    assert family.alive(*everybody) == ["daemon", "of a thread"]


def test_a_killed_scheduler_takes_all_that_lives_below_its_workers_along(tmp_path):
    """Also what carries no mark and would be found by nobody once its parents are dead."""
    family = Family(tmp_path, "with family")
    everybody = ("worker", "task", "shell", "daemon", "of a thread")
    try:
        family.note("daemon")
        family.note("thread over")
        assert family.alive(*everybody) == list(everybody)
        os.kill(family.pid("service"), signal.SIGKILL)
        wait_for(lambda: not family.alive(*everybody), "the family to die")
    finally:
        process.sweep(family.mark)
        family.process.wait()


def test_a_killed_worker_takes_its_task_along_and_the_service_lives(family):
    os.kill(family.pid("worker"), signal.SIGKILL)
    wait_for(lambda: not family.alive("task", "shell"), "the task to die")
    time.sleep(0.1)
    assert family.alive("service") == ["service"]


def test_a_worker_sees_the_end_of_its_task_at_once_and_a_task_waits_undisturbed(family):
    woke = float(str(family.note("woke after")))
    assert 0.1 < woke < 10, "not after the whole twenty seconds"
    assert family.note("handler") is True
    assert float(str(family.note("waited"))) > 0.29, "the user's own select is not cut short"
