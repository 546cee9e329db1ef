import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmarks import meter
from benchmarks.meter import Being, Meter, Row

pytestmark = pytest.mark.unit


class World:
    """A made-up /proc."""

    def __init__(self, proc: Path) -> None:
        self.proc = proc

    def process(
        self, pid, *, parent=1, session=1, state="S", cpu=(0, 0, 0, 0), born=100, mark="", kib=0, words=()
    ):
        folder = self.proc / str(pid)
        (folder / "fd").mkdir(parents=True, exist_ok=True)
        fields = [state, parent, 0, session, *[0] * 7, *cpu, *[0] * 4, born, 0]
        (folder / "stat").write_text(f"{pid} (a name) with (brackets)) " + " ".join(map(str, fields)))
        (folder / "environ").write_bytes(
            b"PATH=/bin\0" + (f"{meter.MARK}={mark}\0".encode() if mark else b"")
        )
        (folder / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
        if kib:
            text = (
                f"00-ff ---p 0 0 0 [rollup]\nRss: 9999 kB\nPss: {kib} kB\nPss_Dirty: 7 kB\nSwapPss: 1024 kB\n"
            )
            (folder / "smaps_rollup").write_text(text)

    def gone(self, pid):
        (self.proc / str(pid)).rename(self.proc / f"gone-{pid}")


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path)
    found.process(1, parent=0)
    return found


def pids(measured: Meter) -> list[int]:
    return [row.being.pid for row in measured.look()]


def test_family_is_found_by_mark_descent_and_session(world):
    world.process(10, session=10, mark="red")
    world.process(11, parent=10, session=10)
    world.process(12, parent=11, session=12)
    world.process(13, parent=1, session=12)  # an orphan whose environment a title has overwritten
    world.process(20, session=20, mark="blue")
    assert pids(Meter("red", world.proc)) == [10, 11, 12, 13]


def test_orphan_is_remembered_once_seen(world):
    world.process(10, session=10, mark="red")
    world.process(11, parent=10, session=77)
    measured = Meter("red", world.proc)
    measured.look()
    world.gone(10)
    world.process(11, parent=1, session=77)
    assert pids(measured) == [11]


def test_later_process_with_the_same_pid_does_not_belong(world):
    world.process(10, born=100)
    measured = Meter("red", world.proc)
    measured.add(10)
    assert pids(measured) == [10]
    world.process(10, born=200)
    assert pids(measured) == []


def test_family_of_a_dead_session_leader():
    table = {5: Row(Being(5, 1), 1, 4, "S", 0)}
    assert meter.family(table, [Being(4, 1)], []) == {Being(5, 1)}


def test_memory_adds_swap_sorts_and_leaves_zombies_out(world):
    world.process(10, mark="red", kib=2048, words=("/usr/bin/python3.11", "-m", "small"))
    world.process(11, parent=10, kib=10240, words=("/usr/bin/python3.11", "/opt/bin/airflow", "scheduler"))
    world.process(12, parent=10, state="Z")
    shares = Meter("red", world.proc).memory()
    assert shares == [meter.Share("airflow scheduler", 11.0), meter.Share("-m small", 3.0)]


def test_cpu_time_of_collected_children_is_not_lost(world):
    world.process(10, mark="red", cpu=(100, 50, 0, 0))
    world.process(11, parent=10, cpu=(30, 20, 0, 0))
    measured = Meter("red", world.proc)
    before = measured.cpu_seconds()
    world.gone(11)
    world.process(10, mark="red", cpu=(100, 50, 32, 28))  # the child used 10 more ticks before it ended
    assert measured.cpu_seconds() - before == pytest.approx(10 / meter.TICKS_PER_SECOND)


def test_listening_sockets_are_told_by_inode(world):
    world.process(10, mark="red")
    (world.proc / "10" / "fd" / "3").symlink_to("socket:[111]")
    (world.proc / "10" / "fd" / "4").symlink_to("socket:[333]")
    (world.proc / "net").mkdir()
    head = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    )
    row = " 0: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0  0 {inode} 1\n"
    (world.proc / "net" / "tcp").write_text(
        head
        + row.format(port=8080, state="0A", inode=111)
        + row.format(port=5000, state="0A", inode=222)
        + row.format(port=9000, state="01", inode=333)
    )
    assert meter.listening(world.proc) == {"111": 8080, "222": 5000}
    assert Meter("red", world.proc).listening() == {"111": 8080}


def test_process_that_vanishes_is_no_row(world):
    assert meter.read_row(4711, world.proc) is None
    assert meter.pss_mib(4711, world.proc) is None
    assert meter.title(4711, world.proc) == "?"


def test_machine_busy_seconds_leaves_idle_and_waiting_out(tmp_path):
    (tmp_path / "stat").write_text("cpu  100 10 50 9000 800 5 5 30 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    assert meter.machine_busy_seconds(tmp_path) == 170 / meter.TICKS_PER_SECOND


def test_kill_spares_a_process_of_another_birth():
    born = meter.read_row(os.getpid())
    assert born is not None
    meter.kill(Being(os.getpid(), born.being.born_ticks - 1))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_end_kills_a_real_process_and_names_it_once():
    name = f"green-{os.getpid()}"  # the same test may run elsewhere on the machine
    child = subprocess.Popen(["sleep", "600"], env={meter.MARK: name}, start_new_session=True)
    try:
        while meter.title(child.pid) != "sleep 600":  # it has its words and its environment a moment later
            time.sleep(0.01)
        assert Meter(name).end() == ["sleep 600"]
        assert child.wait(60) == -9
    finally:
        child.kill()
        child.wait()
