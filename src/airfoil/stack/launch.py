"""Brings a project's stack up and down, and tells whether it runs: what the command line calls.

The stack itself is run by a manager process of its own; this module prepares what it needs, starts it, and follows
the state it writes.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from airfoil.errors import NeighbourError, ServiceFailed, StorageError
from airfoil.stack import (
    connections,
    logs,
    mlflow_login,
    process,
    secrets,
    servers,
    services,
    upgrade,
    work_environment,
)
from airfoil.stack import state as states
from airfoil.stack.packages import record
from airfoil.stack.ports import Ports, wishes_of
from airfoil.stack.restart_requests import restart as restart  # noqa: PLC0414 - offered to the command line
from airfoil.stack.service import PATH_VARIABLE, Spec, join_paths
from airfoil.stack.storage import storage_error, write_private
from airfoil.stack.supervision import OUT_OF_MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.state import StackState

    Progress = Callable[[StackState], None]

_LOOK_SECONDS = 0.05
_MANAGER_GRACE_SECONDS = 60.0
_STUCK_SECONDS = 30.0
_FULL_BYTES = 16 * 1024
_MUTE_SECONDS = 5.0


def up(project: Project, settings: Settings, on_progress: Progress = lambda _: None) -> StackState:
    """Start what does not run yet, adopt what does, wait until everything is ready."""
    project.prepare()
    upgrade.refuse_newer_state(project, settings)
    _refuse_full_disk(project, settings)
    with _one_at_a_time(project, on_progress):
        keys = secrets.ensure(project)
        secrets.write_airflow_passwords(project, keys)
        foreign = servers.resolve(settings, project, os.environ)
        servers.settle(project, foreign)
        with Ports(project).settle(wishes_of(settings), services.stack_id(project)) as ports:
            spec = record.marked(services.specification(settings, project, keys, ports, foreign), project)
            running = current(project)
            as_before = _same_table(project, spec) and not upgrade.other_versions_ran(project)
            if running is not None and not as_before:
                down(project, on_progress)
                servers.settle(project, foreign)
            elif running is not None and _manager_alive(running):
                if running.phase != "failed":
                    return _follow(project, on_progress)
                _dismiss_manager(running)
            upgrade.snapshot_if_due(project, settings)
            _write_spec(project, spec, settings)
            _start_manager(project)
            return _follow(project, on_progress)


def down(project: Project, on_progress: Progress = lambda _: None) -> bool:
    """Stop everything and leave no process behind; True when something was running."""
    last = states.load(project.state_file)
    if last is not None and last.stack_id != services.stack_id(project):
        last = None  # a copied folder brings along the state of the stack it was copied from
    was_running = current(project) is not None
    if last is not None and _manager_alive(last):
        process.signal_process(last.manager_pid, last.manager_started, signal.SIGTERM)
        seen = None
        deadline = time.monotonic() + _stop_patience(last)
        while _manager_alive(last) and time.monotonic() < deadline:
            seen = _report(project, seen, on_progress)
            time.sleep(_LOOK_SECONDS)
        process.signal_process(last.manager_pid, last.manager_started, signal.SIGKILL)
        last = states.load(project.state_file)
    if last is not None:
        _stop_without_manager(last)
    left_over = process.sweep(services.stack_id(project))
    if last is not None and last.phase != "stopped":
        now = time.time()
        rows = tuple(
            replace(
                row, state="done" if row.state == "done" else "stopped", since=now, pid=None, pid_started=None
            )
            for row in last.services
        )
        with contextlib.suppress(OSError):  # a full disk: the processes are gone, and that is what counts
            states.save(project.state_file, replace(last, phase="stopped", updated_at=now, services=rows))
    servers.unsettle(project)
    return was_running or bool(left_over)


def current(project: Project) -> StackState | None:
    """The state of what runs now, or None; without a living manager the phase is "degraded"."""
    found = states.load(project.state_file)
    if found is None or found.stack_id != services.stack_id(project):
        return None
    if _manager_alive(found):
        return found
    alive = {row.name for row in found.services if process.is_alive(row.pid, row.pid_started)}
    if not alive:
        return None
    rows = tuple(
        row
        if row.name in alive or row.pid is None
        else replace(row, state="stopped", pid=None, pid_started=None)
        for row in found.services
    )
    notice = "The manager is gone: nothing restarts a service that ends. `airfoil up` starts a new one."
    return replace(found, phase="degraded", notices=(*found.notices, notice), services=rows)


def environment(project: Project, settings: Settings) -> dict[str, str]:
    """What `airflow`, `mlflow` and `feast` need to work on this project from anywhere in it."""
    project.prepare()
    keys = secrets.ensure(project)
    wishes = wishes_of(settings)
    remembered = Ports(project).remembered()
    ports = {
        name: wish.port if wish.user_set else remembered.get(name, wish.port) for name, wish in wishes.items()
    }
    foreign = servers.resolve(settings, project, os.environ)
    engine = services.chosen_engine(settings)
    return {
        PATH_VARIABLE: join_paths(str(project.sources), os.environ.get(PATH_VARIABLE, "")),
        **work_environment.environment(settings, project, keys, ports, foreign, engine),
    }


@contextlib.contextmanager
def _one_at_a_time(project: Project, on_progress: Progress) -> Iterator[None]:
    """Hold the project's start; a second `up` watches the first and goes on when it is through."""
    with project.up_lock.open("a") as lock:
        seen = None
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                seen = _report(project, seen, on_progress)
                time.sleep(_LOOK_SECONDS)
        yield


def _write_spec(project: Project, spec: Spec, settings: Settings) -> None:
    page_url = next((service.url for service in spec.services if service.name == "page"), "")
    connections.write(settings, project, spec.environment, page_url=page_url or "")
    mlflow_login.write(settings, project)
    write_private(project.spec, spec.to_json())


def _same_table(project: Project, spec: Spec) -> bool:
    try:
        return Spec.from_json(project.spec.read_text(encoding="utf-8")).digest() == spec.digest()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _dismiss_manager(running: StackState) -> None:
    """End a manager that has given something up: the next one adopts what runs and tries the rest anew."""
    process.signal_process(running.manager_pid, running.manager_started, signal.SIGKILL)
    deadline = time.monotonic() + _MANAGER_GRACE_SECONDS
    while _manager_alive(running) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _start_manager(project: Project) -> None:
    project.state_file.with_suffix(".old").unlink(missing_ok=True)
    log = project.service_log("manager")
    handle = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        manager = subprocess.Popen(
            [sys.executable, "-m", "airfoil.stack.manager", "--project", str(project.root)],
            cwd=project.root,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
            env={**os.environ, process.STACK_MARK: services.stack_id(project)},
        )
    finally:
        os.close(handle)
    write_private(project.manager_pid, f"{manager.pid}\n")
    deadline = time.monotonic() + _MANAGER_GRACE_SECONDS
    while time.monotonic() < deadline:
        found = states.load(project.state_file)
        if found is not None and found.manager_pid == manager.pid:
            return
        if manager.poll() is not None:
            break
        time.sleep(_LOOK_SECONDS)
    if manager.poll() is None:
        return  # slow machine; following it tells more
    raise ServiceFailed(
        f"The manager ended at once (exit code {manager.returncode}).",
        f"Its log is {log}; `airfoil doctor` looks for the reason.",
        details=logs.last_lines(log, 10),
    )


def _follow(project: Project, on_progress: Progress) -> StackState:
    """Report every change until the stack is ready, has failed, or the manager is gone."""
    seen = None
    mute_since = time.monotonic()
    while True:
        before = seen
        seen = _report(project, seen, on_progress)
        if seen != before or _free_bytes(project) >= _FULL_BYTES:
            mute_since = time.monotonic()
        elif time.monotonic() - mute_since > _MUTE_SECONDS:  # the manager cannot say any more how it goes
            raise _disk_is_full(project)
        if seen is not None and seen.phase == "ready":
            return seen
        if seen is not None and seen.phase == "failed" and _nothing_under_way(seen):
            raise _failure(project, seen)
        if seen is not None and not _manager_alive(seen):
            if seen.phase in {"stopping", "stopped"}:
                raise ServiceFailed(
                    "The platform was stopped while it was starting.", "Start it again: `airfoil up`."
                )
            log = project.service_log("manager")
            raise ServiceFailed(
                "The manager ended while the stack was starting.",
                "Run `airfoil up` again: it takes over what runs.",
                details=logs.last_lines(log, 10),
            )
        time.sleep(_LOOK_SECONDS)


def _nothing_under_way(seen: StackState) -> bool:
    failed = {row.name for row in seen.services if row.state == "failed"}
    blocked = failed & {"setup", "api-server"}  # what the others wait for, or tell their health through
    return bool(blocked) or all(
        row.state in {"ready", "done", "failed", "unhealthy"} for row in seen.services
    )


def _failure(project: Project, seen: StackState) -> NeighbourError:
    if _free_bytes(project) < _FULL_BYTES:
        return _disk_is_full(project)
    row = next(row for row in seen.services if row.state == "failed")
    sentence = f"{row.title} did not start: {row.detail.rstrip('.')}."
    if OUT_OF_MEMORY in row.detail:
        move = "Give it more memory (`airfoil doctor` shows how much is free), then `airfoil up`."
        return ServiceFailed(sentence, move)
    lines = list(dict.fromkeys(logs.last_lines(row.log, 10)))
    in_our_words = bool(lines) and row.detail.endswith(lines[-1].removeprefix(logs.OUR_WORD))
    return ServiceFailed(
        sentence,
        f"See `airfoil logs {row.name}`, mend it, then `airfoil up`.",
        details=() if in_our_words else lines,  # the sentence says what the log would
    )


def _report(project: Project, seen: StackState | None, on_progress: Progress) -> StackState | None:
    found = states.load(project.state_file)
    if found is not None and found != seen:
        on_progress(found)
    return found or seen


def _manager_alive(found: StackState) -> bool:
    return process.is_alive(found.manager_pid, found.manager_started)


def _stop_patience(found: StackState) -> float:
    return _STUCK_SECONDS + 30.0 * len(found.services)


def _stop_without_manager(last: StackState) -> None:
    """Stop in order what a killed manager left running."""
    rows = {row.name: row for row in last.services if process.is_alive(row.pid, row.pid_started)}
    if not rows:
        return
    order = [
        ["page", "feature-server", "mlflow", "scheduler", "triggerer", "dag-processor"],
        ["api-server"],
        ["preload"],
    ]
    for wave in order:
        named = [rows[name] for name in wave if name in rows]
        for row in named:
            process.signal_process(row.pid or 0, row.pid_started, signal.SIGTERM)
        deadline = time.monotonic() + _STUCK_SECONDS
        while (
            any(process.is_alive(row.pid, row.pid_started) for row in named) and time.monotonic() < deadline
        ):
            time.sleep(_LOOK_SECONDS)


def _free_bytes(project: Project) -> int:
    return shutil.disk_usage(project.state).free


def _disk_is_full(project: Project) -> StorageError:
    return storage_error(project.state, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


def _refuse_full_disk(project: Project, settings: Settings) -> None:
    free_mib = _free_bytes(project) // (1024 * 1024)
    if free_mib < min(100, settings.budgets.disk_free_mib):
        raise NeighbourError(
            f"Only {free_mib} MiB are free on the disk of {project.state}; databases could be damaged.",
            "Free some space, then run `airfoil up` again.",
        )
