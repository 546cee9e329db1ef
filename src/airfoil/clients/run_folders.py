"""The names of the folders that DAG runs keep their data in: an id as a folder. Pure text."""

from __future__ import annotations

import hashlib
import re

SHARED = "data"
"""The folder beside those of DAGs that outlives their runs: versioned results."""
_MAX_CHARACTERS = 100


def folder_name(text: str) -> str:
    """Return an id as a folder's name: itself where it can be one, else readable and still its own."""
    name = re.sub(r"[^\w.+=@-]", "_", text)[:_MAX_CHARACTERS]
    if name == text and name.strip("."):
        return name
    return f"{name.strip('.')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
