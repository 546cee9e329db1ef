"""`--fix`: rewrites files where the replacement is certain, by our own edits and ruff's safe fixes.

A file is replaced whole or not at all, keeps its mode, and must still be Python afterwards.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.lint.mending import mend
from airfoil.lint.source import Source, parse_source
from airfoil.stack.dag_checks import ruff
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.stack.dag_checks.scope import Scope


@dataclass(frozen=True)
class Change:
    """What was changed in one file."""

    file: str
    diff: str


def repair(scope: Scope) -> Iterator[Change]:
    """Mend every file of the scope; give what was changed."""
    program = ruff.find_ruff()
    for path in scope.files:
        name = scope.name(path)
        try:
            before = path.read_bytes()
            if not isinstance(parse_source(before, name), Source):
                continue
            after = mend(before, name)
            if program is not None:
                after = _sound(ruff.mend_with_ruff(program, after, path), after, name)
                if after != before:
                    after = _sound(ruff.clean_with_ruff(program, after, path), after, name)
            if after != before:
                _replace(path, after)
                yield Change(name, _diff(before, after, name))
        except OSError as error:
            raise storage_error(path, error) from error


def _sound(changed: bytes, before: bytes, name: str) -> bytes:
    """Take a change only when it is still Python: ruff can give an argument twice."""
    return changed if isinstance(parse_source(changed, name), Source) else before


def _diff(before: bytes, after: bytes, name: str) -> str:
    old, new = (text.decode(errors="replace").splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(old, new, name, name, n=0))


def _replace(path: Path, content: bytes) -> None:
    target = path.resolve()  # a link stays a link
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(target.stat().st_mode & 0o7777)
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
