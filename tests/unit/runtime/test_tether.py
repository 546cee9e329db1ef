"""What a tie consists of, generation by generation, without forking; real ones are in the integration tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from airfoil.runtime import tether, waking_select

pytestmark = pytest.mark.unit


class DiedError(Exception):
    """Stands for os._exit."""


@pytest.fixture
def child(monkeypatch) -> SimpleNamespace:
    """Pretends to be a freshly forked process each time the hook is called."""
    seen = SimpleNamespace(ties=[], signals=[], seeds=0, parent=100, pid=101)

    def seed() -> None:
        seen.seeds += 1

    def die(code: int) -> None:
        raise DiedError(code)

    monkeypatch.setattr(tether, "_depth", 0)
    monkeypatch.setattr(tether, "_parent", 100)
    monkeypatch.setattr(tether, "_with_family", False)
    monkeypatch.setattr(
        tether.ctypes, "CDLL", lambda _name: SimpleNamespace(prctl=lambda *given: seen.ties.append(given))
    )
    monkeypatch.setattr(os, "getppid", lambda: seen.parent)
    monkeypatch.setattr(os, "getpid", lambda: seen.pid)
    monkeypatch.setattr(os, "_exit", die)
    monkeypatch.setattr(signal, "signal", lambda *given: seen.signals.append(given))
    monkeypatch.setitem(sys.modules, "numpy.random", SimpleNamespace(seed=seed))
    return seen


def fork_again(child: SimpleNamespace) -> None:
    child.parent, child.pid = child.pid, child.pid + 1


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tie is Linux's")
@pytest.mark.parametrize(("from_main_thread", "ties"), [(True, 3), (False, 2)])
def test_worker_task_and_its_shell_are_tied_and_what_comes_after_is_the_users(
    child, monkeypatch, from_main_thread, ties
):
    """The kernel ties to the forking thread: a fork of the user's is tied only if that thread stays."""
    for generation in range(5):
        monkeypatch.setattr(tether, "_from_main_thread", from_main_thread or generation < 2)
        tether._after_fork()
        fork_again(child)
    assert child.ties == [(1, signal.SIGKILL, 0, 0, 0)] * ties
    assert child.seeds == 2, "the user's own forks keep the random numbers the user gave them"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tie is Linux's")
def test_a_worker_of_the_scheduler_is_asked_to_end_its_family_and_the_rest_is_killed(child, monkeypatch):
    monkeypatch.setattr(tether, "_with_family", True)
    for _ in range(3):
        tether._after_fork()
        fork_again(child)
    assert [number for _, number, *_ in child.ties] == [signal.SIGRTMAX, signal.SIGKILL, signal.SIGKILL]
    assert (signal.SIGRTMAX, tether._end_family) in child.signals


def test_a_family_is_found_with_children_before_grandchildren():
    shell = subprocess.Popen(["sh", "-c", "sh -c 'sleep 60 & wait' & wait"])
    try:
        deadline = time.monotonic() + 5
        while len(found := tether.descendants(shell.pid)) < 2 or b"sleep" not in cmdline(found[-1]):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert len(found) == 2
        assert shell.pid not in found
        assert found[0] in tether.descendants(os.getpid())
    finally:
        for pid in (*reversed(tether.descendants(shell.pid)), shell.pid):
            os.kill(pid, signal.SIGKILL)
        shell.wait(60)
    assert tether.descendants(shell.pid) == []


def cmdline(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_which_thread_forks_is_seen_before_the_fork(monkeypatch):
    import threading

    monkeypatch.setattr(tether, "_from_main_thread", None)
    tether._before_fork()
    assert tether._from_main_thread is (threading.get_native_id() == os.getpid())
    other = threading.Thread(target=tether._before_fork)
    other.start()
    other.join()
    assert tether._from_main_thread is False


def test_a_worker_wakes_when_its_task_ends_and_the_users_code_has_signals_as_python_sets_them(child):
    tether._after_fork()
    fork_again(child)
    tether._after_fork()
    fork_again(child)
    tether._after_fork()
    assert child.signals == [(signal.SIGCHLD, waking_select.wake), (signal.SIGCHLD, signal.SIG_DFL)]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tie is Linux's")
def test_a_child_whose_parent_died_before_it_was_tied_ends_itself(child):
    child.parent = 1
    with pytest.raises(DiedError):
        tether._after_fork()


def test_without_numpy_there_is_nothing_to_reseed(child, monkeypatch):
    monkeypatch.delitem(sys.modules, "numpy.random")
    tether._after_fork()
    assert child.seeds == 0
