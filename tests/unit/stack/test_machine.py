"""Looking at the real machine; limits of a container come from made-up files."""

import os
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from airfoil.stack import machine
from airfoil.stack.machine import Machine

pytestmark = pytest.mark.unit


def test_the_defaults_look_at_this_machine(tmp_path):
    real = Machine()
    assert real.python == sys.version_info[:2]
    assert real.disk(tmp_path / "not" / "there").free_mib > 0
    assert real.available_memory_mib() > 0
    assert real.installed("pydantic")
    assert real.installed("no-such-distribution") is None
    assert real.user_id() == os.geteuid()


def test_the_type_of_the_disk_is_that_of_the_nearest_mount(monkeypatch):
    mounts = [("/", "ext4"), ("/mnt", "tmpfs"), ("/mnt/c", "9p")]
    monkeypatch.setattr(
        psutil,
        "disk_partitions",
        lambda **_: [SimpleNamespace(mountpoint=where, fstype=kind) for where, kind in mounts],
    )
    assert machine._file_system(Path("/mnt/c/anna/shop")) == "9p"
    assert machine._file_system(Path("/mnt/cd")) == "tmpfs"
    assert machine._file_system(Path("/home")) == "ext4"


def cgroup(folder: Path, limit: str, used: int, cached: int) -> Path:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\nactive_file 5\n")
    return folder


def test_a_container_has_what_its_limit_leaves(tmp_path):
    mib = 2**20
    assert machine.available_memory_mib(cgroup(tmp_path, str(64 * mib), 60 * mib, 20 * mib)) == 24
    assert machine.available_memory_mib(cgroup(tmp_path, str(64 * mib), 70 * mib, 0)) == 0
    assert machine.available_memory_mib(cgroup(tmp_path, "max", 0, 0)) > 64


def test_a_garbled_limit_is_no_limit(tmp_path):
    assert machine.available_memory_mib(cgroup(tmp_path, "many", 0, 0)) > 64
    assert machine.available_memory_mib(tmp_path / "absent") > 64


def test_requirements_of_a_bare_checkout(monkeypatch):
    def absent(_name: str) -> None:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "requires", absent)
    assert machine.own_requirements() == []


def test_a_process_is_seen_and_a_gone_one_is_not():
    seen = machine.see_process(os.getpid())
    assert seen is not None
    assert seen.pid == os.getpid()
    assert seen.name
    assert machine.see_process(2**30) is None


def test_a_server_that_does_not_answer_is_explained():
    assert machine.connection_problem("127.0.0.1", 1) != ""


def test_the_limit_of_control_groups_of_version_1(tmp_path):
    mib = 2**20
    folder = tmp_path / "memory"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text(f"{64 * mib}\n")
    (folder / "memory.usage_in_bytes").write_text(f"{60 * mib}\n")
    (folder / "memory.stat").write_text(f"cache 1\ninactive_file 7\ntotal_inactive_file {20 * mib}\n")
    assert machine.available_memory_mib(tmp_path) == 24
    (folder / "memory.limit_in_bytes").write_text("9223372036854771712\n")  # which means: none
    assert machine.available_memory_mib(tmp_path) > 64


def test_a_linux_inside_windows_is_known_by_its_kernel(tmp_path):
    release = tmp_path / "osrelease"
    assert not machine.is_wsl(release)
    release.write_text("5.15.153.1-microsoft-standard-WSL2\n")
    assert machine.is_wsl(release)
    release.write_text("6.18.44-generic\n")
    assert not machine.is_wsl(release)


def test_the_clock_of_the_hardware(tmp_path):
    device = tmp_path / "since_epoch"
    assert machine.hardware_clock(device) is None
    device.write_text("1790000000\n")
    assert machine.hardware_clock(device) == 1_790_000_000.0
    device.write_text("")
    assert machine.hardware_clock(device) is None
    assert machine.total_memory_mib() > 64
