"""A wait that a child's end shortens, and that nothing else can tell from Python's own."""

from __future__ import annotations

import inspect
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from airfoil.runtime import waking_select

pytestmark = pytest.mark.unit
READY = 100
"""So many sockets are ready at once that a signal often arrives while `selectors` goes through them."""


@pytest.fixture
def installed(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(selectors.DefaultSelector, "select", selectors.DefaultSelector.select)
    before = signal.getsignal(signal.SIGCHLD)
    waking_select.install()
    waking_select.install()
    yield
    signal.signal(signal.SIGCHLD, before)


def test_what_is_uninstalled_waits_as_python_does(installed):
    waking_select.uninstall()
    ours, theirs = socket.socketpair()
    with selectors.DefaultSelector() as selector, ours, theirs:
        selector.register(ours, selectors.EVENT_READ)
        child = subprocess.Popen(["sleep", "0.05"])
        began = time.monotonic()
        assert selector.select(0.5) == []
        assert time.monotonic() - began >= 0.5, "the child's end shortened it"
        assert child.wait(60) == 0
    assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL


def test_it_interrupts_no_other_code():
    for frame in (None, inspect.currentframe()):
        try:
            waking_select.wake(signal.SIGCHLD, frame)
        except InterruptedError:
            pytest.fail(f"interrupted {frame}")


def test_a_child_that_ends_shortens_the_wait(installed):
    ours, theirs = socket.socketpair()
    with selectors.DefaultSelector() as selector, ours, theirs:
        selector.register(ours, selectors.EVENT_READ)
        child = subprocess.Popen(["sleep", "0.05"])
        began = time.monotonic()
        assert selector.select(5) == [], "nothing became ready, and nothing was raised"
        assert time.monotonic() - began < 4
        assert child.wait(60) == 0


def test_a_child_that_ends_at_any_other_moment_of_a_select_disturbs_nobody(installed):
    """A DAG processor died of it: the signal came while its selector went through what was ready."""
    pairs = [socket.socketpair() for _ in range(READY)]
    over = threading.Event()

    def signal_often() -> None:
        while not over.is_set():
            os.kill(os.getpid(), signal.SIGCHLD)
            time.sleep(0.0001)

    with selectors.DefaultSelector() as selector:
        for ours, theirs in pairs:
            selector.register(ours, selectors.EVENT_READ)
            theirs.send(b"ready")
        sender = threading.Thread(target=signal_often)
        sender.start()
        try:
            counts = {len(selector.select(0.01)) for _ in range(2000)}
        finally:
            over.set()
            sender.join()
            for one in (one for pair in pairs for one in pair):
                one.close()
    assert counts <= {0, READY}
    assert READY in counts, "what was ready is ready at the next look"
    assert 0 in counts, "no signal came while it looked: this test has shown nothing"


def test_other_uses_of_pythons_own_select_are_left_alone(installed):
    """One that is called past ours would not survive the interruption."""
    frames = []

    class Looking(list):
        def __len__(self) -> int:  # called by select() itself
            frames.append(inspect.currentframe().f_back)
            return 0

    with selectors.DefaultSelector() as selector:
        selector._fd_to_key = Looking()
        waking_select._plain(selector, 0)
        waking_select.wake(signal.SIGCHLD, frames[0])
        selector.select(0)
        with pytest.raises(InterruptedError):
            waking_select.wake(signal.SIGCHLD, frames[1])
