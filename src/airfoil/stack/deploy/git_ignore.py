"""What of a server's folder git must not see: secrets first, and what each rendering writes anew.

The folder is part of somebody's repository, where `git add` takes what nothing leaves out. Text in, text out; must not
run git. `constraints.txt` and a wheel stay visible: a clone builds its first image from them.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

NAME = ".gitignore"
LINES = (
    ".env*",
    "setup.json",
    "compose.override.yaml",
    "feature_store.yaml",
    "worker-*.yaml",
    "/workers/",
    "/tls/",
    "/sbom/",
    "*.key",
    "ca.crt*",
    ".*.tmp",
)
_HEAD = "# Of `airfoil deploy compose`: what holds secrets, and what is written anew each time."


def rendered(before: str) -> str:
    """Return the file with what is in it already, and with those lines of ours that it lacks at its end."""
    there = {line.strip() for line in before.splitlines()}
    lacking = [line for line in LINES if line not in there]
    if not lacking:
        return before
    kept = [before.rstrip("\n"), ""] if before.strip() else []
    return "\n".join([*kept, *([] if _HEAD in there else [_HEAD]), *lacking]) + "\n"


def leaves_out(name: str) -> bool:
    """Tell whether a file, by its path below the folder, is one of those."""
    parts = name.split("/")
    return any(fnmatchcase(part, line.strip("/")) for line in LINES for part in (parts[0], parts[-1]))
