"""Processes, real ones: who still is who, who carries a mark, and that a sweep leaves nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from airfoil.stack import process

pytestmark = pytest.mark.unit

ON_LINUX = sys.platform == "linux"
NEVER_A_PID = 2**22 + 1
"""Linux gives out numbers below 2**22."""


def wait_for(check: Callable[[], object], seconds: float = 60.0) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


@pytest.fixture
def stack_id() -> Iterator[str]:
    made = uuid.uuid4().hex[:16]
    yield made
    process.sweep(made)


def child(*argv: str, mark: str = "", **options) -> subprocess.Popen[bytes]:
    env = {"PATH": os.environ["PATH"]} | ({process.STACK_MARK: mark} if mark else {})
    return subprocess.Popen(argv or ("sleep", "60"), env=env, **options)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    made = child()
    yield made
    made.kill()
    made.wait()


# -- identity


def test_a_process_is_itself_as_long_as_it_lives(sleeper):
    born = process.birth(sleeper.pid)
    assert born is not None
    assert process.is_alive(sleeper.pid, born)
    assert process.birth(sleeper.pid) == born
    sleeper.kill()
    sleeper.wait()
    assert process.birth(sleeper.pid) is None
    assert not process.is_alive(sleeper.pid, born)


def test_a_pid_that_belongs_to_another_process_by_now_is_not_the_one_we_started(sleeper):
    born = process.birth(sleeper.pid)
    assert born is not None
    for other in (born - 1, born + 1, born - 0.05, 0.0):
        assert not process.is_alive(sleeper.pid, other)
        assert not process.signal_process(sleeper.pid, other, signal.SIGKILL)
    assert sleeper.poll() is None, "nobody else's process is ever signalled"


def test_nothing_known_is_nobody_alive():
    assert not process.is_alive(None, None)
    assert not process.is_alive(os.getpid(), None)
    assert not process.is_alive(None, 1.0)
    assert process.birth(NEVER_A_PID) is None
    assert process.started_at_epoch(NEVER_A_PID) is None
    assert not process.signal_process(NEVER_A_PID, 1.0, signal.SIGTERM)


def test_a_zombie_counts_as_gone():
    ended = child("true")
    try:
        wait_for(lambda: psutil.Process(ended.pid).status() == psutil.STATUS_ZOMBIE)
        assert process.birth(ended.pid) is None
        assert not process.is_alive(ended.pid, 1.0)
    finally:
        ended.wait()


@pytest.mark.skipif(not ON_LINUX, reason="/proc")
def test_a_name_with_brackets_and_spaces_does_not_confuse_us(tmp_path):
    program = tmp_path / "a) Z 1 (b"
    program.symlink_to("/bin/sleep")
    odd = child(str(program), "60")
    try:
        assert process.birth(odd.pid) == pytest.approx(process.birth(os.getpid()), abs=3600)
        assert odd.pid in process.members(odd.pid)
    finally:
        odd.kill()
        odd.wait()


def test_a_signal_reaches_exactly_this_process(sleeper):
    assert process.signal_process(sleeper.pid, process.birth(sleeper.pid), signal.SIGTERM)
    assert sleeper.wait(60) == -signal.SIGTERM


def test_the_wall_clock_time_of_a_start(sleeper):
    began = process.started_at_epoch(sleeper.pid)
    assert began == pytest.approx(time.time(), abs=5)


# -- marks


def test_only_what_carries_exactly_this_mark_is_found(stack_id, sleeper):
    ours = child(mark=stack_id)
    other = child(mark=f"{stack_id}x")
    try:
        # One that has just begun shows no environment yet.
        wait_for(lambda: process.marked(stack_id) and process.marked(f"{stack_id}x"))
        assert process.marked(stack_id) == [ours.pid]
        assert process.marked("") == []
    finally:
        for made in (ours, other):
            made.kill()
            made.wait()
    assert process.marked(stack_id) == []


def test_we_ourselves_are_never_found(stack_id):
    code = (
        "import os; from airfoil.stack import process; print(process.marked(os.environ[process.STACK_MARK]))"
    )
    env = os.environ | {process.STACK_MARK: stack_id}
    said = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_a_sweep_ends_all_that_is_marked_and_nothing_else(stack_id, sleeper):
    """Also what forked into a session of its own, what ignores SIGTERM and what lost its parent."""
    deaf = child("sh", "-c", "trap '' TERM; sleep 60 & wait", mark=stack_id)
    forked = child("sh", "-c", "setsid sleep 60 & wait", mark=stack_id, start_new_session=True)
    parent = child("sh", "-c", "setsid sleep 60 & exec true", mark=stack_id)
    assert parent.wait(60) == 0
    spared = child(mark=stack_id)
    try:
        wait_for(lambda: len(process.marked(stack_id)) == 6)
        assert {deaf.pid, forked.pid, spared.pid} < set(process.marked(stack_id))
        ended = process.sweep(stack_id, spare=[spared.pid])
        assert len(ended) == 5
        assert process.marked(stack_id) == [spared.pid]
        # A shell whose child is killed first may end by itself before its turn comes.
        assert {deaf.wait(60), forked.wait(60)} <= {-signal.SIGKILL, 0}
        assert sleeper.poll() is None
        assert process.sweep(stack_id, spare=[spared.pid]) == []
    finally:
        spared.kill()
        spared.wait()


def test_a_sweep_catches_up_with_something_that_forks_as_fast_as_it_can(stack_id):
    script = "n=0; while [ $n -lt 200 ]; do n=$((n+1)); setsid sleep 60 & done; wait"
    busy = child("sh", "-c", script, mark=stack_id)
    wait_for(lambda: len(process.marked(stack_id)) > 3)
    process.sweep(stack_id)
    busy.wait(60)
    assert process.marked(stack_id) == []


def test_what_a_living_service_forks_while_a_sweep_looks_is_not_taken_for_a_leftover(
    stack_id, sleeper, monkeypatch
):
    """Asked before the look, the owner would not know of it yet; such a task was killed once."""
    order: list[str] = []

    def look(_stack_id: str) -> list[int]:
        order.append("look")
        return [sleeper.pid]

    def owned() -> list[int]:
        order.append("owners")
        return [sleeper.pid]

    monkeypatch.setattr(process, "marked", look)
    assert process.sweep(stack_id, owned=owned) == []
    assert order == ["look", "owners"]
    assert sleeper.poll() is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to a process of ours")
def test_an_orphan_without_a_mark_is_found_below_the_process_that_adopted_it():
    """A Bash task with an environment of its own carries no mark."""
    code = (
        "import os, subprocess; from airfoil.stack import process; process.adopt_orphans()\n"
        "subprocess.run(['sh', '-c', 'setsid sleep 60 &'], env={'PATH': os.environ['PATH']}, check=True)\n"
        "assert len(process.sweep('nobody', below=[os.getpid()])) == 1\n"
        "process.reap(lambda pid, code: print(code))\n"
        "assert process.sweep('nobody', below=[os.getpid()]) == []"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (said.stdout, said.stderr) == ("-9\n", "")


# -- families


def test_the_members_of_a_service_are_its_session_and_all_that_descends_from_it(stack_id, sleeper):
    leader = child(
        "sh", "-c", "sleep 60 & setsid sh -c 'sleep 60 & wait' & wait", mark=stack_id, start_new_session=True
    )
    try:
        wait_for(lambda: len(process.members(leader.pid)) == 4)
        found = process.members(leader.pid)
        assert found == sorted(process.marked(stack_id))
        assert leader.pid in found
        assert not {sleeper.pid, os.getpid()} & set(found)
    finally:
        process.sweep(stack_id)
        leader.wait(60)


def test_orphans_of_a_dead_leader_are_found_by_their_session(stack_id):
    leader = child("sh", "-c", "sleep 60 & exec true", mark=stack_id, start_new_session=True)
    leader.wait(60)
    assert process.members(leader.pid) == process.marked(stack_id)
    assert len(process.members(leader.pid)) == 1


def test_nobody_belongs_to_a_process_that_never_was():
    assert process.members(NEVER_A_PID) == []


def test_killing_counts_those_that_were_there(sleeper):
    born = process.births()
    assert process.kill_all({NEVER_A_PID: 1.0}) == 0
    assert process.kill_all({sleeper.pid: born[sleeper.pid], NEVER_A_PID: 1.0}) == 1
    assert sleeper.wait(60) == -signal.SIGKILL


def test_a_process_that_got_the_pid_of_another_is_not_killed(sleeper):
    """Born at another time, so it is not the one that was seen."""
    assert process.kill_all({sleeper.pid: process.births()[sleeper.pid] - 5.0}) == 0
    assert sleeper.poll() is None


# -- collecting

COLLECT = """
import os, sys, time
from airfoil.stack import process

assert process.adopt_orphans() == (sys.platform == "linux")
reader, writer = os.pipe()
if os.fork() == 0:  # the middle ends at once, its child becomes ours
    child = os.fork()
    if child == 0:
        os.close(writer)
        time.sleep(0.05)
        os._exit(97)
    os.write(writer, str(child).encode())
    os._exit(3)
os.close(writer)
orphan = int(os.fdopen(reader).read())
killed = os.fork()
if killed == 0:
    time.sleep(60)
process.reap(lambda pid, code: print("too early", pid) if pid == killed else None)
os.kill(killed, 9)
exits = {}
deadline = time.monotonic() + 5
while not {orphan, killed} <= set(exits) and time.monotonic() < deadline:
    process.reap(exits.__setitem__)
    time.sleep(0.005)
process.reap(exits.__setitem__)
print(exits[orphan], exits[killed], len(exits))
"""


@pytest.mark.skipif(not ON_LINUX, reason="only Linux lets a process adopt orphans")
def test_exit_codes_of_children_and_of_adopted_orphans_are_collected():
    said = subprocess.run([sys.executable, "-c", COLLECT], capture_output=True, text=True, check=True)
    assert said.stdout.split()[:2] == ["97", "-9"]
    assert said.stdout.split()[2] in {"2", "3"}, "the middle one too, unless the first look had it"


def test_nothing_here_knows_a_service():
    source = Path(process.__file__).read_text(encoding="utf-8")
    assert "airfoil." not in source.partition('"""')[2].partition('"""')[2]
