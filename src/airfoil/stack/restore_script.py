"""The text of `restore.sh`, which puts a snapshot back with nothing but a shell.

What is there is moved aside, never deleted. Pure text: must not touch a file.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "restore.sh"
_HEAD = """#!/bin/sh
# Puts back the databases of this snapshot; what is there now is moved aside, to NAME.replaced-TIME.
# Stop the platform first (`airfoil down`), and install the versions that snapshot.json names afterwards.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
state=$(CDPATH='' cd -- "$here/../.." && pwd)
report="$state/run/state.json"
if [ -f "$report" ] && ! grep -q '"phase": "stopped"' "$report"; then
  manager=$(sed -n 's/^ *"manager_pid": *\\([0-9]*\\).*/\\1/p' "$report")
  if [ -n "$manager" ] && kill -0 "$manager" 2>/dev/null; then
    echo "The platform runs. Stop it first: airfoil down" >&2
    exit 1
  fi
fi
aside=".replaced-$(date -u +%Y%m%dT%H%M%SZ)"
put_back() {
  for end in "" -wal -shm; do
    if [ -e "$2$end" ]; then mv -- "$2$end" "$2$aside$end"; fi
  done
  cp -p -- "$here/$1" "$2.restoring"
  mv -- "$2.restoring" "$2"
  echo "$2"
}
"""


def text(state: Path, files: Mapping[str, Path], dumps: Mapping[str, str]) -> str:
    """Return the script for these SQLite files (name in the snapshot -> live path) and dumps (name -> address)."""
    lines = [_HEAD]
    lines += [f"put_back {shlex.quote(name)} {_place(path, state)}" for name, path in files.items()]
    for name, address in dumps.items():
        restore = f"pg_restore --clean --if-exists --dbname={shlex.quote(address)}"
        lines.append(
            f'echo {shlex.quote("Not done, it is on a server: " + restore)} "$here/"{shlex.quote(name)}'
        )
    # What earlier set-ups did to the databases does not hold for these; the versions come last, as the seal.
    lines.append('rm -f -- "$state/airflow/applied.json" "$state/mlflow/applied.json"')
    lines.append('if [ -f "$here/secrets.json" ] && [ ! -e "$state/secrets.json" ]; then')
    lines.append('  put_back secrets.json "$state/secrets.json"')
    lines.append("fi")
    lines.append('put_back versions.json "$state/versions.json"')
    return "\n".join(lines) + "\n"


def _place(path: Path, state: Path) -> str:
    """Return a shell word for a live file; inside the state folder it follows the project when that moves."""
    if path.is_relative_to(state):
        return f'"$state/"{shlex.quote(str(path.relative_to(state)))}'
    return shlex.quote(str(path))
