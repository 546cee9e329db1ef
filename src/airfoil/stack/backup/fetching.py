"""One backup brought from one place to another, whole: what it refers to first, its manifest last.

Each content is proved on the way. Must not know what the contents are.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from airfoil.stack.backup import manifest as manifests
from airfoil.stack.backup import objects, retention
from airfoil.stack.backup.manifest import Stored

if TYPE_CHECKING:
    from airfoil.stack.backup.manifest import Manifest
    from airfoil.stack.backup.objects import Objects
    from airfoil.stack.backup.place import Place


def fetch(manifest: Manifest, kept: Objects, target: Place) -> int:
    """Copy a backup; return how many contents it has. A damaged one is an error, and the copy is no backup then."""
    found = sorted(retention.used_by([manifest], kept))
    for digest in found:
        with kept.open(Stored(object=digest, bytes=0), f"Backup {manifest.name}") as content:
            target.put(objects.name_of(digest), content)
    target.put(manifests.place_of(manifest.name), io.BytesIO(manifests.written(manifest).encode()))
    return len(found)
