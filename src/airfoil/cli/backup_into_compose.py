"""`airfoil backup restore --into compose`: the way from a laptop, or from a lost server, to a Compose server."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.cli import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.stack.backup.manifest import Manifest
    from airfoil.stack.backup.place import Place
    from airfoil.stack.project import Project

COMPOSE = "compose"


def restore(
    project: Project, manifest: Manifest, opened: Place, passphrase: str, *, overwrite: bool, as_json: bool
) -> None:
    """Put a backup into the project's Compose server, and say what comes next."""
    from airfoil.stack import target
    from airfoil.stack.backup.objects import Objects
    from airfoil.stack.deploy import compose
    from airfoil.stack.deploy.restoring import ComposeRestoration

    server = target.active(project) or target.ComposeTarget(project.root / compose.FOLDER)
    server.logins()  # a folder that was never rendered is told before anything is done
    with _folder_of(project, manifest, opened, quiet=as_json) as place:
        restoration = ComposeRestoration(server, manifest, Objects(opened), passphrase, place, overwrite)
        with console.interruptible(
            "The databases of the server may be half filled: run it again with --overwrite."
        ):
            changed = restoration.carry_out()
    if as_json:
        console.emit_json(
            {"schema": 1, "backup": manifest.name, "into": str(server.folder), "changed_keys": changed}
        )
        return
    console.out(f"Backup {manifest.name} is in the server of {server.folder}.")
    if changed:
        console.out(
            f".env has the backup's {', '.join(changed)} now; what it said before: .env.before-restore"
        )
    console.out(f"Next: cd '{server.folder}' && docker compose up -d --wait")


@contextmanager
def _folder_of(project: Project, manifest: Manifest, opened: Place, *, quiet: bool) -> Iterator[Path]:
    """Give the folder that a backup lies in; one in S3 is brought here first.

    The server has keys of its own store, which need not be those of the store that backups are in.
    """
    from airfoil.cli import waiting
    from airfoil.stack.backup import fetching, scratch
    from airfoil.stack.backup.objects import Objects
    from airfoil.stack.backup.place import FolderPlace

    if isinstance(opened, FolderPlace):
        yield Path(opened.title).absolute()
        return
    shown = nullcontext() if quiet else waiting.shown(f"Fetching the backup from {opened.title}")
    with scratch.folder(project.state) as folder:
        with shown, console.interruptible("Nothing was changed."):
            fetching.fetch(manifest, Objects(opened), FolderPlace(folder))
        yield folder
