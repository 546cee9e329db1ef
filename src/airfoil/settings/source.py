"""Reads airfoil.toml as plain tables, and knows on which line each value was written.

Says in one sentence why a file cannot be read. Must not know which keys exist.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airfoil.errors import SettingsError

# A settings file is a page or two; anything bigger is a wrong file, and not worth reading to the end.
_MAX_BYTES = 1_000_000
_TOML_PLACE = re.compile(r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)\s*$")


@dataclass(frozen=True)
class TomlFile:
    """A parsed airfoil.toml with its text, so that errors can name lines."""

    path: Path
    text: str
    tables: Mapping[str, Any]

    def place(self, keys: Sequence[str]) -> str:
        """Return `FILE:LINE` of a key, or `FILE` when the line cannot be told."""
        line = self.line_of(keys)
        return f"{self.path}:{line}" if line else str(self.path)

    def line_of(self, keys: Sequence[str]) -> int | None:
        """Return the line on which the key path is first written.

        tomllib keeps no lines. But the first lines of a file are a file too: the shortest one that has the key ends
        where the value ends, and the value starts on a line that names the key.
        """
        lines = self.text.splitlines()
        for first, line in enumerate(lines):
            if keys[-1] not in line or _has(_parsed(lines[:first]) or {}, keys):
                continue
            for last in range(first, len(lines)):
                tables = _parsed(lines[: last + 1])
                if tables is not None:  # else we are inside a value of several lines
                    if _has(tables, keys):
                        return first + 1
                    break
        return None


def _parsed(lines: Sequence[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return None


def _has(tables: object, keys: Sequence[str]) -> bool:
    for key in keys:
        found = tables[0] if isinstance(tables, list) and tables else tables
        if not isinstance(found, dict) or key not in found:
            return False
        tables = found[key]
    return True


def read_toml(path: Path) -> TomlFile:
    """Return the parsed file; every way in which that can fail is one sentence and a next move."""
    text = _text(path)
    try:
        tables = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number with more digits than Python reads
        reason = _reason(error)
        line = _line_of_failure(text, str(error))
        # `from None`: the decoder's error carries the whole text, passwords included.
        raise SettingsError(
            f"{path}:{line} is not valid TOML: {reason}.",
            f"Correct line {line} of the file.",
        ) from None
    except RecursionError:
        raise SettingsError(
            f"{path} is nested too deeply.", "Write it as sections with keys and values."
        ) from None
    return TomlFile(path, text, tables)


def _reason(error: ValueError) -> str:
    """Return the decoder's reason; what it says about repeated names speaks of its own data structures."""
    reason = _TOML_PLACE.sub("", str(error))
    if not isinstance(error, tomllib.TOMLDecodeError):
        return "a number has too many digits"
    if reason == "Cannot overwrite a value":
        return "this key is set already"
    if reason.startswith("Cannot declare") and reason.endswith("twice"):
        return "this section is there already"
    return f"{reason[:1].lower()}{reason[1:]}"


def _line_of_failure(text: str, reason: str) -> int:
    """Return the line that the decoder names, else the last line of the shortest beginning that fails alike."""
    place = _TOML_PLACE.search(reason)
    lines = text.splitlines()
    if place:
        return int(place["line"] or len(lines) or 1)
    for last in range(1, len(lines)):
        try:
            tomllib.loads("\n".join(lines[:last]))
        except tomllib.TOMLDecodeError:
            continue
        except ValueError:
            return last
    return len(lines)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(raw) > _MAX_BYTES:
        raise SettingsError(
            f"{path} is larger than {_MAX_BYTES // 1000} kB, so it is no settings file.",
            "Put the right file there.",
        )
    try:
        return raw.decode("utf-8-sig")  # editors on Windows put a mark before the first letter
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}:{line} is not UTF-8 text.", "Save the file as UTF-8.") from None


def _unreadable(path: Path, error: OSError) -> SettingsError:
    if isinstance(error, FileNotFoundError):
        return SettingsError(f"There is no {path}.", "Make a project: `airfoil init DIR`.")
    if isinstance(error, IsADirectoryError):
        return SettingsError(
            f"{path} is a folder, not a file.", "Move it away and write the file; it may be empty."
        )
    if isinstance(error, PermissionError):
        return SettingsError(
            f"You may not read {path}.",
            f"`chmod u+r '{path}'`; if it belongs to another user, `sudo chown $USER '{path}'`.",
        )
    return SettingsError(f"{path} cannot be read: {error.strerror or error}.", "Check the disk it lies on.")
