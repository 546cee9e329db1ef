"""The .env of a Compose server: every variable of env.example, with what a person wrote there kept as he wrote it.

Text in, text out; values are carried as they stand in the file, quotes, lines and `$$` included. Must not know what a
variable means, and must not read or write a file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airfoil.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

NAME = ".env"
# A value between quotes may go over several lines; what stands behind the quote that ends it is nobody's.
_ENTRY = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z0-9_.-]+)=[ \t]*
        (?P<value>'(?:[^'\\]|\\.)*'[^\n]* | "(?:[^"\\]|\\.)*"[^\n]* | [^\n]*)$""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_PLAIN = re.compile(r"[\w@%+=:,./~?&*\[\]{}-]*")
_SINGLE = re.compile(r"'((?:[^'\\]|\\.)*)'[^\n]*", re.DOTALL)
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"[^\n]*', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_COMMENT = re.compile(r" #.*$")
_REPLACED = re.compile(r"\$[A-Za-z_{]")
"""What Compose takes for the name of a variable; before anything else a dollar is a dollar."""
_FOREIGN = "# ---- Yours: variables that env.example does not know ----"


def values(text: str) -> dict[str, str]:
    """Return name -> value as it is written, in the order of the file."""
    return {one["name"]: one["value"].strip() for one in _ENTRY.finditer(text)}


def check(text: str, known: Collection[str]) -> None:
    """Refuse what would be lost, or come to mean something else, when the file is written anew.

    `known` are the variables of which we have to say what Compose reads; no value is named, for it may be a secret.
    """
    end = 0
    for one in _ENTRY.finditer(text):
        _check_between(text, end, one.start())
        _check_value(one["name"], one["value"].strip(), known)
        end = one.end()
    _check_between(text, end, len(text))


def _check_between(text: str, start: int, end: int) -> None:
    for number, line in enumerate(text[start:end].split("\n"), text.count("\n", 0, start) + 1):
        if line.strip() and not line.lstrip().startswith("#"):
            raise SettingsError(
                f"Line {number} of .env is not NAME=VALUE.",
                "Write it so, without a blank before the =; or put # in front of it.",
            )


def _check_value(name: str, value: str, known: Collection[str]) -> None:
    # A quote that was forgotten takes in what follows, up to the next one.
    swallowed = [line.partition("=")[0].strip() for line in value.split("\n")[1:] if "=" in line]
    is_open = value.startswith(("'", '"')) and not (_SINGLE.fullmatch(value) or _DOUBLE.fullmatch(value))
    if is_open or any(line in known for line in swallowed):
        raise SettingsError(
            f"{name} in .env begins with a quote that nothing ends.", "Put the same quote behind the value."
        )
    if name in known and _REPLACED.search(_without_dollars(value)):
        raise SettingsError(
            f"{name} in .env holds a $ in front of a name, which Compose would replace by that variable.",
            "Write the value between single quotes, or each $ of it as $$.",
        )


def _without_dollars(written: str) -> str:
    """Return what is written without the dollars that stay dollars."""
    if _SINGLE.fullmatch(written):
        return ""
    if found := _DOUBLE.fullmatch(written):
        return _ESCAPED.sub("", found[1]).replace("$$", "")
    return _COMMENT.sub("", written).replace("$$", "")


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


def rendered(example: str, given: Mapping[str, str], before: str = "", former: str = "") -> str:
    """Return the example with its values replaced by those given (as written); others are added at the end.

    Comments of a person in the file of `before` stay above the variable that they stood above: those that are neither
    the example's nor those of the `former` one, out of which that file was made.
    """
    known = values(example)
    remarks = _remarks(before, {*_comments(example), *_comments(former), _FOREIGN})
    parts, end = [], 0
    for one in _ENTRY.finditer(example):
        name = one["name"]
        parts += [example[end : one.start()], *(f"{line}\n" for line in remarks.pop(name, ()))]
        parts.append(f"{name}={given[name]}" if name in given else one[0])
        end = one.end()
    text = "".join([*parts, example[end:]])
    foreign: list[str] = []
    for name in [*(name for name in given if name not in known), ""]:
        above = remarks.pop(name, [])
        foreign += ["", *above] if above and foreign else above
        foreign += [f"{name}={given[name]}"] if name else []
    lines = [text.removesuffix("\n"), *(["", _FOREIGN, "", *foreign] if foreign else [])]
    return "\n".join(lines) + "\n"


def _comments(text: str) -> Iterator[str]:
    return (line.strip() for line in text.split("\n") if line.lstrip().startswith("#"))


def _remarks(text: str, ours: Collection[str]) -> dict[str, list[str]]:
    """Return name of a variable -> the comments above it that are not ours; those behind the last one by no name."""
    found: dict[str, list[str]] = {}
    end = 0
    for one in _ENTRY.finditer(text):
        found.setdefault(one["name"], []).extend(_comments(text[end : one.start()]))
        end = one.end()
    found[""] = list(_comments(text[end:]))
    return {name: [line for line in lines if line not in ours] for name, lines in found.items()}
