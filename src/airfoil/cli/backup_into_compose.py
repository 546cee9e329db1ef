"""`airfoil backup restore --into compose`: the way from a laptop, or from a lost server, to a Compose server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.cli import console
from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from airfoil.stack.backup.manifest import Manifest
    from airfoil.stack.backup.place import Place
    from airfoil.stack.project import Project

COMPOSE = "compose"


def restore(
    project: Project, manifest: Manifest, opened: Place, passphrase: str, *, overwrite: bool, as_json: bool
) -> None:
    """Put a backup that lies in a folder into the project's Compose server, and say what comes next."""
    from airfoil.stack import target
    from airfoil.stack.backup.objects import Objects
    from airfoil.stack.backup.place import FolderPlace
    from airfoil.stack.deploy import compose
    from airfoil.stack.deploy.restoring import ComposeRestoration

    if not isinstance(opened, FolderPlace):
        raise ConfigurationError(
            "A backup in S3 cannot be put into a server from here.",
            "Fetch it into a folder first, with any S3 client, and name that: --from DIR.",
        )
    server = target.active(project) or target.ComposeTarget(project.root / compose.FOLDER)
    server.logins()  # a folder that was never rendered is told before anything is done
    place = Path(opened.title).absolute()
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
