"""The .env of a Compose server: every variable of env.example, with what was there before kept as it was written.

Text in, text out; values are carried as they stand in the file, quotes and `$$` included. Must not know what a variable
means, and must not read or write a file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = ".env"
_LINE = re.compile(r"^(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)$")
_PLAIN = re.compile(r"[\w@%+=:,./~?&*\[\]{}-]*")
_SINGLE = re.compile(r"'((?:[^'\\]|\\.)*)'(?:\s+#.*)?")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s+#.*)?')
_ESCAPED = re.compile(r"\\(.)")
_COMMENT = re.compile(r"\s#.*$")
_FOREIGN = "# ---- Yours: variables that env.example does not know ----"


def values(text: str) -> dict[str, str]:
    """Return name -> value as it is written, in the order of the file."""
    found = (_LINE.match(line.strip()) for line in text.splitlines())
    return {one["name"]: one["value"].strip() for one in found if one}


def spoken(written: str) -> str:
    """Return the value that Compose reads from what is written."""
    if found := _SINGLE.fullmatch(written):
        return _ESCAPED.sub(lambda one: "'" if one[1] == "'" else one[0], found[1])
    if found := _DOUBLE.fullmatch(written):
        return _ESCAPED.sub(_unescaped, found[1]).replace("$$", "$")
    return _COMMENT.sub("", written).rstrip().replace("$$", "$")


def _unescaped(found: re.Match[str]) -> str:
    """Return what a sign behind a backslash means between double quotes; others keep their backslash."""
    return {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$$"}.get(found[1], found[0])


def spoken_values(text: str) -> dict[str, str]:
    """Return name -> value as Compose reads it."""
    return {name: spoken(value) for name, value in values(text).items()}


def written(value: str) -> str:
    """Return a value as it must stand in the file for Compose to read it unchanged."""
    if _PLAIN.fullmatch(value):
        return value
    # A backslash in front of the quote that ends it would end nothing.
    if "'" not in value and "\n" not in value and not value.endswith("\\"):
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("\n", "\\n")
    return f'"{escaped}"'


def rendered(example: str, given: Mapping[str, str]) -> str:
    """Return the example with its values replaced by those given (as written); others are added at the end."""
    known = values(example)
    lines = []
    for line in example.splitlines():
        match = _LINE.match(line)
        name = match["name"] if match else ""
        lines.append(f"{name}={given[name]}" if name in given else line)
    foreign = [f"{name}={value}" for name, value in given.items() if name not in known]
    if foreign:
        lines += ["", _FOREIGN, "", *foreign]
    return "\n".join(lines) + "\n"
