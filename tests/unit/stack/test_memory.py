from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from airfoil.stack import memory, process
from airfoil.stack.state import ServiceState, StackState

pytestmark = [pytest.mark.unit, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]


@pytest.fixture
def proc(tmp_path):
    """A small /proc: call it to add a process."""

    def add(pid, parent, session, pss_kib=None, command="python", rss_pages=None):
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "stat").write_text(f"{pid} ({command}) S {parent} {session} {session} 0 -1")
        if pss_kib is not None:
            (folder / "smaps_rollup").write_text(f"5581-7ffc [rollup]\nRss: 99999 kB\nPss:   {pss_kib} kB\n")
        if rss_pages is not None:
            (folder / "statm").write_text(f"5000 {rss_pages} 100 1 0 300 0")

    (tmp_path / "self").mkdir()
    add(1, 0, 1, 1024)
    add.folder = tmp_path  # type: ignore[attr-defined]
    return add


def test_a_tree_is_the_process_and_everything_below_it(proc):
    proc(10, 1, 10, 2048)
    proc(11, 10, 10, 1024)
    proc(12, 11, 10, 512)
    proc(20, 1, 20, 8192)
    assert memory.tree_memory_mib(10, proc.folder) == 3.5


def test_an_orphan_is_found_by_its_session(proc):
    proc(10, 1, 10, 1024)
    proc(13, 1, 10, 1024)  # its parent died, init adopted it
    assert memory.tree_memory_mib(10, proc.folder) == 2


def test_a_process_counts_for_its_nearest_owner_only(proc):
    proc(5, 1, 5, 1024)
    proc(10, 5, 10, 2048)
    proc(20, 10, 20, 4096)
    proc(21, 20, 20, 1024)
    found = memory.owned_memory_mib({"manager": 5, "preload": 10, "scheduler": 20}, proc.folder)
    assert found == {"manager": 1, "preload": 2, "scheduler": 5}


def test_a_command_may_hold_brackets_and_spaces(proc):
    proc(10, 1, 10, 1024, command="a) R 1 1 (b")
    assert memory.tree_memory_mib(10, proc.folder) == 1


def test_resident_size_stands_in_where_the_proportional_one_may_not_be_read(proc):
    proc(10, 1, 10, rss_pages=1024)
    assert memory.tree_memory_mib(10, proc.folder) == 1024 * os.sysconf("SC_PAGE_SIZE") / memory.MIB


def test_a_process_that_ends_while_it_is_looked_at_counts_nothing(proc):
    proc(10, 1, 10, 1024)
    (proc.folder / "11").mkdir()
    proc(12, 10, 10)
    assert memory.tree_memory_mib(10, proc.folder) == 1


def test_parents_in_a_circle_end(proc):
    proc(10, 11, 10, 1024)
    proc(11, 10, 10, 1024)
    assert memory.owned_memory_mib({"other": 99}, proc.folder) == {"other": 0}


def test_this_very_process_has_a_size():
    assert 5 < memory.tree_memory_mib(os.getpid()) < 20000


def test_the_stack_is_measured_by_service_with_the_manager_and_without_strangers():
    me, born = os.getpid(), process.birth(os.getpid())
    parent_born = process.birth(os.getppid())
    assert born is not None
    assert parent_born is not None
    services = (
        ServiceState("page", "Status page", "service", "ready", 0, pid=me, pid_started=born),
        # the pid of a service that died long ago and now belongs to somebody else
        ServiceState("mlflow", "MLflow", "service", "ready", 0, pid=1, pid_started=-5),
        ServiceState("triggerer", "Triggerer", "service", "failed", 0),
    )
    state = StackState(
        project="/p",
        stack_id="x",
        engine="plain",
        phase="ready",
        started_at=0,
        updated_at=0,
        manager_pid=os.getppid(),
        manager_started=parent_born,
        services=services,
    )
    found = memory.stack_memory(state)
    assert set(found) == {"page", memory.MANAGER}
    assert memory.stack_memory(state, Path("/proc")).keys() == found.keys()
