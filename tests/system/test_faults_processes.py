"""Processes: killed first starts, two at once, Ctrl-C, pids that are somebody else's, services that die, no memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sizes import full_only
from tests.system.faults import assert_gone, assert_nothing_started, begun, litter, seen, told
from tests.system.platforms import wait_until

from airfoil.stack import process
from airfoil.stack import state as states
from airfoil.stack.state import ServiceState, StackState

pytestmark = pytest.mark.system

MIB = 2**20
CGROUPS = (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max"))


def kill_everything(platform):
    """Do what a power cut does."""
    while pids := process.marked(platform.stack_id):
        process.kill_all({pid: born for pid, born in process.births().items() if pid in pids})


def managers(platform):
    return [pid for pid, words in platform.processes().items() if "airfoil.stack.manager" in words]


def test_a_killed_first_start_is_made_good_by_the_next(new_platform):
    """`up` is killed at several moments, then the manager, then everything; a start is a start."""
    for seconds in (0.2, 1.0, 3.0):
        with begun(new_platform, "up") as up:
            time.sleep(seconds)
            up.process.kill()
            assert up.done().code == -signal.SIGKILL
    kill_everything(new_platform)

    fresh = new_platform.project.airflow_database.with_name("airflow.db.new")
    new_platform.project.airflow_database.unlink(missing_ok=True)
    with begun(new_platform, "up") as up:
        wait_until(fresh.exists, 60, "the database is being built", step_seconds=0.02)
        up.process.kill()
        kill_everything(new_platform)
    assert not new_platform.project.airflow_database.exists()

    with begun(new_platform, "up") as up:
        seen(new_platform, "page", "ready")
        state = seen(new_platform, "setup", "starting")
        os.kill(
            state.manager_pid, signal.SIGKILL
        )  # the page lives on, which must not look like a finished set-up
        said = told(up.done())
    assert said.sentence == "The manager ended while the stack was starting."
    assert said.move == "Run `airfoil up` again: it takes over what runs."

    made = new_platform.project.secrets.read_bytes()
    with begun(new_platform, "up") as first, begun(new_platform, "up") as second:
        ended = [first.done(), second.done()]
    assert [done.code for done in ended] == [0, 0], (
        f"{ended[0].said}\n{ended[1].said}\n{new_platform.last_words()}"
    )
    assert addresses(ended[0]) == addresses(ended[1])
    assert len(managers(new_platform)) == 1
    assert new_platform.project.secrets.read_bytes() == made
    with new_platform.airflow() as airflow:
        assert airflow.health()["metadatabase"]["status"] == "healthy"
    variable = new_platform.run("airflow", "variables", "get", "airfoil_project")
    assert variable.code == 0, variable.said
    assert_gone(new_platform)


def addresses(done):
    """Where everything is, and how to log in."""
    return [line for line in done.out.splitlines() if line.startswith("  ") and "  http://" in line]


def test_ctrl_c_says_what_goes_on_and_down_stops_it(new_platform):
    with begun(new_platform, "up") as up:
        seen(new_platform, "page", "ready")
        up.process.send_signal(signal.SIGINT)
        done = up.done()
    assert done.code == 130
    said = (
        "Interrupted. What was started goes on starting: `airfoil status` shows it, `airfoil down` stops it."
    )
    assert done.err.strip() == said
    assert new_platform.run("status").code == 1
    assert len(managers(new_platform)) == 1
    with begun(new_platform, "up") as follower:
        time.sleep(2)  # it follows by now
        new_platform.project.toml.write_bytes(
            b"[airflow\n"
        )  # `down` reads no settings: what runs can be stopped
        new_platform.down()
        follower.process.wait(30)
        assert_gone(new_platform)
        said = told(follower.done())
    assert said.sentence in {"The platform was stopped while it was starting.", *unlucky(new_platform)}
    assert said.evidence == []


def unlucky(platform):
    """What a follower says that had not even read the settings when they were broken."""
    return [f"{platform.project.toml}:1 is not valid TOML: expected ']' at the end of a table declaration."]


def test_pids_that_belong_to_somebody_else_now(new_platform):
    """After a restart of the machine, say: the noted pids are those of strangers, who must not be touched."""
    strangers = [subprocess.Popen(["sleep", "600"]) for _ in range(3)]
    try:
        new_platform.project.prepare()
        noted = [(stranger.pid, (process.birth(stranger.pid) or 0) - 1000) for stranger in strangers]
        old = state_of(new_platform, *noted)
        states.save(new_platform.project.state_file, old)
        assert new_platform.run("status").code == 3
        assert "belongs to sleep now" in new_platform.run("doctor").out
        down = new_platform.run("down")
        assert (down.code, down.out) == (0, "Not running.\n")
        states.save(new_platform.project.state_file, replace(old, phase="ready"))
        with begun(new_platform, "up") as up:
            state = seen(new_platform, "page", "ready")
            up.process.send_signal(signal.SIGINT)
            up.done()
        assert state.manager_pid not in {stranger.pid for stranger in strangers}
        assert_gone(new_platform)
        assert [stranger.poll() for stranger in strangers] == [None] * 3
    finally:
        for stranger in strangers:
            stranger.kill()
            stranger.wait()


def state_of(platform, manager, service, parent):
    """What an earlier life of the platform left: a manager, a service and a parent that were up."""
    now = time.time()
    rows = [("mlflow", "MLflow", "service", *service), ("preload", "Pre-loaded parent", "helper", *parent)]
    return StackState(
        project=str(platform.root),
        stack_id=platform.stack_id,
        engine="preloaded",
        phase="starting",
        started_at=now - 100,
        updated_at=now - 50,
        manager_pid=manager[0],
        manager_started=manager[1],
        services=tuple(
            ServiceState(name, title, kind, "ready", now - 60, pid=pid, pid_started=born)  # type: ignore[arg-type]
            for name, title, kind, pid, born in rows
        ),
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', "\0" * 64], ids=ascii)
def test_a_garbled_state_file_is_as_good_as_none(new_platform, text):
    """Such as a power cut leaves on some file systems."""
    new_platform.project.prepare()
    new_platform.project.state_file.write_text(text)
    assert new_platform.run("status").code == 3
    down = new_platform.run("down")
    assert (down.code, down.out) == (0, "Not running.\n")
    new_platform.project.state_file.unlink()
    assert_nothing_started(new_platform)


@full_only
def test_a_service_that_ends_at_once_is_given_up_visibly(new_platform, tmp_path):
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'airfoil.stack.page' in sys.orig_argv:\n"
        "    os.write(2, b'no page today\\n')\n"
        "    os._exit(3)\n"
    )
    new_platform.environment["PYTHONPATH"] = str(shim)
    done = new_platform.run("up")
    said = told(done)
    assert said.sentence == "Status page did not start: gave up after 5 tries: it ended with exit code 3."
    assert said.evidence == ["  no page today"]
    assert said.move == "See `airfoil logs page`, mend it, then `airfoil up`."
    assert done.seconds < 180
    status = new_platform.run("status")
    assert status.code == 1
    assert "gave up after 5 tries" in status.out
    before = new_platform.pids()
    (shim / "sitecustomize.py").unlink()
    again = new_platform.up()  # tries what failed, and leaves alone what runs
    after = new_platform.pids()
    assert {name: after[name] for name in before if name != "preload"} == {
        name: pid for name, pid in before.items() if name != "preload"
    }
    assert again.seconds < done.seconds
    assert_gone(new_platform)


@contextmanager
def little_memory(mib):
    """Give what a command must begin with so that it and all it starts get no more than this."""
    for root, limit in CGROUPS:
        group = Path(root, f"airfoil-test-{os.getpid()}")
        with suppress(OSError):
            group.mkdir()
            try:
                (group / limit).write_text(str(mib * MIB))
                yield ("sh", "-c", f'echo $$ > "{group}/cgroup.procs" && exec "$@"', "sh")
                return
            finally:
                wait_until(
                    lambda group=group: not (group / "cgroup.procs").read_text(), 10, "the group is empty"
                )
                group.rmdir()
    code = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({mib * MIB}, {mib * MIB}))"
    yield (sys.executable, "-c", f"{code}; os.execv(sys.argv[1], sys.argv[1:])")


def test_no_free_memory(new_platform):
    if sys.platform != "linux":
        pytest.skip("memory can be limited on Linux only")
    new_platform.configure({"stack": {"engine": "plain"}})
    with little_memory(100) as prefix:
        with begun(new_platform, "up", prefix=prefix) as up:
            done = up.done()
        said = told(done)
        new_platform.down()
    assert said.sentence.startswith("Database and connections did not start: ")
    if prefix[0] == "sh":
        assert said.sentence.endswith("it was ended by SIGKILL, as the system does when memory runs out.")
        assert (
            said.move == "Give it more memory (`airfoil doctor` shows how much is free), then `airfoil up`."
        )
    assert new_platform.leftovers() == []
    assert [name for name in litter(new_platform) if "airflow.db.new" not in name] == []
