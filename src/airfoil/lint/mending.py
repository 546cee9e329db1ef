"""Applies the edits of faults to a file's text, again until none is left. Must not write a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airfoil.lint.rules import check_source
from airfoil.lint.source import Source, parse_source

if TYPE_CHECKING:
    from airfoil.lint.fault import Edit

MOST_ROUNDS = 4
"""One edit can make room for the next: an import that moved, then the argument that its new home calls otherwise."""
# The tree counts these as ends of lines; we do not, so offsets would be wrong.
_LONE_RETURN = re.compile(rb"\r(?!\n)")


def mend(content: bytes, name: str) -> bytes:
    """Return the content with everything mended that is certain; what cannot be read comes back as it is."""
    for _ in range(MOST_ROUNDS):
        source = parse_source(content, name)
        if not isinstance(source, Source) or _LONE_RETURN.search(source.content):
            return content
        edits = {found.edit for found in check_source(source) if found.edit is not None}
        changed = _apply(source.content, edits).decode().encode(source.encoding)
        if not edits or not isinstance(parse_source(changed, name), Source):
            return content
        content = changed
    return content


def _apply(content: bytes, edits: set[Edit]) -> bytes:
    """Replace from the end to the start; of two that overlap the later one waits for the next round."""
    border = len(content) + 1
    for edit in sorted(edits, key=lambda one: (one.start, one.end), reverse=True):
        if edit.end <= border:
            content = content[: edit.start] + edit.text + content[edit.end :]
            border = edit.start
    return content
