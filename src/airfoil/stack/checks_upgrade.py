"""Doctor's check of versions over time: what last ran the project, what is installed now, and the snapshots between.

Must not change anything, nor import what it compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.stack import snapshots, upgrade, versions
from airfoil.stack.findings import Finding, from_error, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.stack.doctor import Case

_MIB = 2**20


def check_upgrade(case: Case) -> Iterator[Finding]:
    """Check that the installed versions may work on what is there, and tell which snapshots lead back."""
    if case.project is None or case.settings is None or not case.may_look_inside:
        return
    wrote, here = versions.last_run(case.project), versions.installed()
    problem = upgrade.newer_state(case.project, case.settings)
    if problem is not None:
        yield from_error("upgrade", problem)
    elif not wrote.known():
        yield ok("upgrade", "No version has run this project yet.")
    elif wrote == here:
        yield ok("upgrade", f"Last run by the versions that are installed ({_words(wrote)}).")
    else:
        yield ok(
            "upgrade",
            f"Last run by {_words(wrote)}; the next `airfoil up` copies the databases first, then upgrades them.",
        )
    kept = snapshots.found_in(case.project)
    for one in kept:
        mib = one.size_bytes / _MIB
        text = f"Snapshot from {_words(one.versions)}, {mib:.1f} MiB; back to it: `sh '{one.restore}'`."
        yield ok("upgrade", text)
    for what, why in kept[-1].left_out if kept else ():
        yield warn("upgrade", what, why)


def _words(found: versions.Versions) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.known().items()) or "unknown versions"
