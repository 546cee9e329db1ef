"""What `airfoil backup` prints: tables and sentences for people, rows for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airfoil.cli import console
from airfoil.errors import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airfoil.stack.backup.catalogue import Entry
    from airfoil.stack.backup.manifest import Manifest
    from airfoil.stack.backup.restoration import Restored
    from airfoil.stack.backup.retention import Pruned
    from airfoil.stack.backup.verification import Finding

COLUMNS = ("NAME", "PROJECT", "MADE", "SIZE", "NEW", "CONTENTS")
_COUNTED = ("dag runs", "runs", "model versions", "connections")
_UNIT = 1024.0
_STATES = {"ok": "ok", "failed": "failed", "skipped": "skipped"}


def size(count: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < _UNIT:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _UNIT
    return f"{count:.1f} TiB"


def row(manifest: Manifest) -> dict[str, Any]:
    """Return a backup for scripts."""
    return {
        "name": manifest.name,
        "project": manifest.project,
        "made_at": manifest.made_at.isoformat(),
        "seconds": manifest.seconds,
        "bytes": manifest.whole_bytes,
        "written_bytes": manifest.written_bytes,
        "versions": dict(manifest.versions),
        "databases": {one.part: one.kind for one in manifest.databases},
        "counts": dict(manifest.counts),
        "left_out": [list(one) for one in manifest.left_out],
        "digest": manifest.digest,
    }


def entry_row(entry: Entry) -> dict[str, Any]:
    """Return a line of the list for scripts."""
    if entry.manifest is None:
        return {"name": entry.name, "problem": str(entry.problem)}
    return row(entry.manifest)


def print_entries(entries: Sequence[Entry]) -> None:
    """Print the list; what is damaged stands in it with the reason."""
    cells = []
    for one in entries:
        found = one.manifest
        if found is None:
            cells.append((one.name, "", "", "", "", str(one.problem)))
            continue
        contents = ", ".join(f"{found.counts[what]} {what}" for what in _COUNTED if what in found.counts)
        made = f"{found.made_at.astimezone():%Y-%m-%d %H:%M}"
        sizes = (size(found.whole_bytes), size(found.written_bytes))
        cells.append((found.name, found.project, made, *sizes, contents))
    console.table(COLUMNS, cells, right=("SIZE", "NEW"))


def print_made(manifest: Manifest, pruned: Pruned, place: str, *, own_disk: bool) -> None:
    """Say what a new backup holds, what it does not, and what went."""
    console.out(
        f"Backup {manifest.name} in {redact(place)}: {size(manifest.whole_bytes)}, of which "
        f"{size(manifest.written_bytes)} new, in {manifest.seconds:.1f} s."
    )
    console.out(", ".join(f"{number} {what}" for what, number in manifest.counts.items() if number))
    for what, why in manifest.left_out:
        console.note(f"{_note()} {what} is not in it. {why}")
    if pruned.names:
        console.out(
            f"Removed {len(pruned.names)} older, {size(pruned.freed_bytes)}: {', '.join(pruned.names)}."
        )
    if own_disk:
        console.note(
            f"{_note()} It lies on the same disk as the project. Name another place: place under [backup], or --to."
        )
    console.out(f"Try it out: airfoil backup verify {manifest.name}")


def print_finding(finding: Finding) -> None:
    """Print what was found about one part."""
    state = _STATES[finding.outcome]
    sign = console.styled(console.mark(state), console.STATE_STYLES.get(state, "dim"))
    console.out(f"{sign} {finding.part:<14}  {finding.detail}")


def passed(findings: Sequence[Finding]) -> bool:
    """Tell whether nothing is damaged."""
    return all(one.outcome != "failed" for one in findings)


def verdict(manifest: Manifest, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return what was found, for scripts."""
    rows = [{"part": one.part, "outcome": one.outcome, "detail": one.detail} for one in findings]
    return {"schema": 1, "backup": manifest.name, "passed": passed(findings), "findings": rows}


def restored_row(manifest: Manifest, done: Restored) -> dict[str, Any]:
    """Return what a restore did, for scripts."""
    return {
        "schema": 1,
        "backup": manifest.name,
        "into": str(done.root),
        "databases": dict(done.databases),
        "files": done.files,
        "kept": list(done.kept),
        "aside": list(done.aside),
        "notes": list(done.notes),
    }


def print_restored(manifest: Manifest, done: Restored, seconds: float) -> None:
    """Say what is where now."""
    console.out(f"Backup {manifest.name} is in {done.root} ({seconds:.1f} s).")
    console.table(
        ("DATABASE", "ROWS"), [(part, str(rows)) for part, rows in done.databases.items()], ("ROWS",)
    )
    console.out(f"{done.files} artifacts.")
    for what, why in manifest.left_out:
        console.note(f"{_note()} {what} was not in the backup. {why}")
    for sentence in done.notes:
        console.note(f"{_note()} {sentence}")
    if done.kept:
        shown = ", ".join(done.kept[:5]) + (", ..." if len(done.kept) > len(done.kept[:5]) else "")
        console.note(f"{_note()} These files of yours stay, and differ from the backup's: {shown}.")
    for place in done.aside:
        console.out(f"What was there before: {place}")
    console.out(f"Next: cd '{done.root}' && airfoil up")


def _note() -> str:
    return console.styled("Note:", "yellow")
