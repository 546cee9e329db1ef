"""From a folder's name to a name that Python can import and a package index accepts.

Pure but for one look at what is installed.
"""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
import unicodedata

FALLBACK = "project"
SUFFIX = "_project"
FOLDERS = frozenset({"dags", "features", "plugins", "src", "tests"})
MAX_CHARACTERS = 60


def project_name(folder_name: str) -> str:
    """Derive the name: ASCII letters, digits and single underscores, starting with a letter, nobody else's."""
    folded = unicodedata.normalize("NFKD", folder_name.casefold())
    ascii_only = folded.encode("ascii", "ignore").decode("ascii")
    name = re.sub(r"[^a-z0-9]+", "_", ascii_only)[:MAX_CHARACTERS].strip("_")
    if not name:
        return FALLBACK
    if name[0].isdigit():
        name = f"{FALLBACK}_{name}"
    return name + SUFFIX if _is_taken(name) else name


def _is_taken(name: str) -> bool:
    """Tell whether a package of that name would hide (or be hidden by) something else."""
    if keyword.iskeyword(name) or name in FOLDERS or name in sys.stdlib_module_names:
        return True
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    # A folder without code counts as a namespace package: that may be the project's own folder.
    return found is not None and found.origin is not None
