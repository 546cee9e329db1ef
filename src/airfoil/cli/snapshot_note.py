"""What `up` says about the snapshot that it made before an upgrade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.cli import console
from airfoil.stack import snapshots

if TYPE_CHECKING:
    from airfoil.stack.project import Project
    from airfoil.stack.snapshots import Snapshot

_MIB = 2**20


def newest(project: Project) -> Snapshot | None:
    """Return the newest snapshot."""
    return next(reversed(snapshots.found_in(project)), None)


def tell(project: Project, before: Snapshot | None) -> None:
    """Say that there is a new snapshot since then, also when the start failed: that is when it is wanted."""
    made = newest(project)
    if made is None or made == before:
        return
    console.note(
        f"{console.styled('Note:', 'yellow')} Other versions ran this project before; its databases of then are in "
        f"{made.folder} ({made.size_bytes / _MIB:.1f} MiB; the last {snapshots.KEPT} such snapshots are kept)."
    )
    console.note(f"To go back: `airfoil down`, `sh '{made.restore}'`, and install those versions again.")
    for what, why in made.left_out:
        console.note(f"{console.styled('Note:', 'yellow')} {what} {why}")
