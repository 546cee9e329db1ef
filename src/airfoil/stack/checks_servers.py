"""Doctor's check of servers that are not ours: each is there, is what it should be, and lets us in.

Must not change anything there; the words for what can go wrong are in `introduction`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.errors import AirfoilError
from airfoil.stack import servers
from airfoil.stack.findings import Finding, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.stack.doctor import Case


def check_servers(case: Case) -> Iterator[Finding]:
    """Check each server that the settings name instead of one of ours."""
    if case.project is None or case.settings is None or not case.may_look_inside:
        return
    foreign = servers.resolve(case.settings, case.project, case.environ)
    if not foreign:
        yield ok("servers", "Airflow and MLflow are started here; none that exists is named.")
    for server in foreign.values():
        try:
            version = case.meet(server)
        except AirfoilError as problem:
            # A warning: the rest of the platform starts and works without it.
            yield warn("servers", problem.message, problem.next_move or "`airfoil status` shows more.")
        else:
            who = f" as {server.username}" if server.username else ""
            yield ok("servers", f"{server.title} {version} at {server.url} lets us in{who}; it is not ours.")
