"""Doctor's checks of what runs: services, ports, stale process ids, leftover processes.

A process counts as ours by the stack's mark in its environment, and as the one we started by its birth; a pid alone
proves nothing. Must not signal a process.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airfoil.stack.findings import Finding, error, ok, warn
from airfoil.stack.ports import Ports, wishes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.stack.doctor import Case

_OVER = frozenset({"stopped"})


def check_ports(case: Case) -> Iterator[Finding]:
    """Check that each service can listen where it should, or does."""
    if case.project is None or case.settings is None:
        return
    remembered = Ports(case.project).remembered()
    sound = []
    for name, wish in wishes_of(case.settings).items():
        port = wish.port if wish.user_set else remembered.get(name, wish.port)
        if case.machine.port_blocked(wish.host, port) is None:
            sound.append(f"{name} {port}")
        elif case.machine.port_owned_by(port, case.stack_id):
            sound.append(f"{name} {port} (ours)")
        else:
            reason = case.machine.port_explained(wish.host, port)
            if wish.user_set:
                yield error(
                    "ports",
                    f"Port {port}, which you set for {name}, {reason}.",
                    f"Stop that program, or set another port as {name}.port in airfoil.toml.",
                )
            else:
                yield warn(
                    "ports",
                    f"{name}'s port {port} {reason}; `airfoil up` will take the next free one.",
                    f"Nothing must be done. To keep {port}, stop that program first.",
                )
    if sound:
        yield ok("ports", f"Free or ours: {', '.join(sound)}.")


def check_services(case: Case) -> Iterator[Finding]:
    """Check what the manager says about the services, and that there is a manager."""
    state = case.last_state
    if state is None:
        yield ok("services", "Nothing was started yet.")
        return
    bad = [row for row in state.services if row.state in {"failed", "unhealthy"}]
    for row in bad:
        yield error(
            "services",
            f"{row.title} is {row.state}{f': {row.detail}' if row.detail else '.'}",
            f"`airfoil logs {row.name}` says why; then `airfoil up`.",
        )
    manager_lives = case.machine.is_alive(state.manager_pid, state.manager_started)
    alive = [row.name for row in state.services if case.machine.is_alive(row.pid, row.pid_started)]
    if alive and not manager_lives:
        yield warn(
            "services",
            f"The manager is gone; nobody restarts {', '.join(alive)} when it ends.",
            "`airfoil up` takes them over, `airfoil down` stops them.",
        )
    elif not manager_lives and state.phase not in _OVER:
        yield warn(
            "services",
            f"The stack was cut off while {state.phase}: its manager and services are gone.",
            "`airfoil up` starts it again and loses nothing.",
        )
    elif not bad:
        yield ok("services", f"The stack is {state.phase}.")


def check_processes(case: Case) -> Iterator[Finding]:
    """Check for processes of ours that nobody watches, and for noted pids that are somebody else's by now."""
    sound = True
    for pid, noted_as in _stale_pids(case):
        sound = False
        seen = case.machine.see_process(pid)
        yield warn(
            "processes",
            f"Process {pid} is noted as {noted_as}, but belongs to {seen.name if seen else 'somebody else'} now.",
            "Nothing will be done to it; `airfoil up` or `airfoil down` notes the truth.",
        )
    leftovers = [
        seen for pid in _unwatched(case) if (seen := case.machine.see_process(pid)) and not seen.has_terminal
    ]
    if leftovers:
        sound = False
        names = ", ".join(f"{seen.name} ({seen.pid})" for seen in leftovers[:5])
        more = f" and {len(leftovers) - 5} more" if len(leftovers) > 5 else ""  # noqa: PLR2004 - as many as are named
        yield warn(
            "processes",
            f"Nobody watches these processes of the stack: {names}{more}.",
            "`airfoil down` ends them.",
        )
    if sound:
        yield ok("processes", "No leftover processes.")


def _stale_pids(case: Case) -> Iterator[tuple[int, str]]:
    """Yield noted pids that live on as another process."""
    state = case.last_state
    if state is None:
        return
    noted = [(state.manager_pid, state.manager_started, "the manager")]
    noted += [(row.pid, row.pid_started or 0.0, row.title) for row in state.services if row.pid is not None]
    for pid, started, name in noted:
        if not case.machine.is_alive(pid, started) and case.machine.see_process(pid) is not None:
            yield pid, name


def _unwatched(case: Case) -> list[int]:
    """Return marked processes that belong neither to a living manager nor to a living, noted service."""
    state = case.last_state
    watched = {os.getpid(), os.getppid()}
    if state is not None:
        noted = [
            (state.manager_pid, state.manager_started),
            *((row.pid, row.pid_started) for row in state.services),
        ]
        for pid, started in noted:
            if pid is not None and case.machine.is_alive(pid, started):
                watched.update(case.machine.members(pid))
    return [pid for pid in case.machine.marked(case.stack_id) if pid not in watched]
