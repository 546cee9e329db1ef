"""airfoil.lock: the exact versions that a project's packages were resolved to, and what of them is not installed.

A requirements file with hashes, which `pip install -r` understands too; its first lines say what it was made from. It
belongs into version control. Must not start a process: `up` reads it every time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from airfoil.errors import ProjectError
from airfoil.stack.packages import constraints
from airfoil.stack.packages.manifest import Manifest, parse
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
# Exact versions of the packages that pyproject.toml names{where}, and of all that they need.
# `airfoil add` and `airfoil up` write this file; keep it in version control, and edit pyproject.toml instead.
# made from {inputs}
"""
_METADATA = ".dist-info"
_MADE_FROM = re.compile(r"^# made from (?P<inputs>[0-9a-f]{16})$", re.MULTILINE)
_ROW = re.compile(
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?"
    r"(?:==(?P<version>[^\s;\\]+)|\s*@\s*(?P<url>\S+))"
    r"(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Row:
    """One package: its exact version, or the address it comes from."""

    name: str
    version: str
    url: str
    marker: str

    @property
    def is_for_us(self) -> bool:
        """Whether this Python on this system needs it."""
        try:
            return not self.marker or Marker(self.marker).evaluate()
        except InvalidMarker:
            return True

    def __str__(self) -> str:
        """Return the name and the version, as a person reads them."""
        return f"{self.name} {self.version or self.url}"


@dataclass(frozen=True)
class Lock:
    """A lock file's text and what it means."""

    text: str

    @classmethod
    def read(cls, path: Path) -> Lock | None:
        """Read a lock; None when there is none."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise ProjectError(f"{path} is not UTF-8 text.", f"Restore it, or: `rm '{path}'`.") from error
        except OSError as error:
            raise storage_error(path, error) from error
        if re.search(r"^(<<<<<<<|=======|>>>>>>>)", text, re.MULTILINE):
            raise ProjectError(
                f"{path} holds the marks of an unfinished merge.",
                "Merge pyproject.toml, take either side of this file, then `airfoil up`.",
            )
        return cls(text)

    @classmethod
    def of(cls, resolved: str, manifest: Manifest, environment: str | None) -> Lock:
        """Put on top of what uv resolved what it was made from."""
        where = f" for the environment {environment}" if environment else ""
        return cls(HEADER.format(where=where, inputs=inputs(manifest, environment)) + resolved)

    def fits(self, manifest: Manifest, environment: str | None) -> bool:
        """Tell whether this was made from what pyproject.toml and this release of Airfoil say now."""
        found = _MADE_FROM.search(self.text)
        return found is not None and found["inputs"] == inputs(manifest, environment)

    def rows(self) -> tuple[Row, ...]:
        """Every package of it, for whatever Python or system."""
        return tuple(
            Row(canonicalize_name(one["name"]), one["version"] or "", one["url"] or "", one["marker"] or "")
            for one in _ROW.finditer(self.text)
        )

    def versions(self) -> dict[str, str]:
        """The version of each package; the lowest one where they differ between Pythons."""
        found: dict[str, str] = {}
        for row in self.rows():
            if row.version:
                found.setdefault(row.name, row.version)
        return found

    def preferences(self) -> str:
        """The versions without the rest: what a new resolution keeps where it fits."""
        rows = (row for row in self.rows() if row.version)
        return "".join(
            f"{row.name}=={row.version}{f' ; {row.marker}' if row.marker else ''}\n" for row in rows
        )

    def missing(self, installed: Callable[[Row], bool]) -> tuple[Row, ...]:
        """What this Python should have and has not."""
        return tuple(row for row in self.rows() if row.is_for_us and not installed(row))


def inputs(manifest: Manifest, environment: str | None) -> str:
    """16 digits that change when the packages named, the Pythons allowed or the platform's versions do."""
    named = sorted(str(parse(line)) for line in manifest.requirements(environment))
    platform = constraints.text() if environment is None else ""
    given = json.dumps([named, manifest.oldest_python, platform])
    return hashlib.sha256(given.encode()).hexdigest()[:16]


class Installed:
    """What this very Python has: the names of its metadata folders tell, without opening any of them."""

    def __init__(self, path: Sequence[str] | None = None) -> None:
        """`path`: where modules are searched, as in `sys.path`."""
        self._versions: dict[str, str] = {}
        for folder in sys.path if path is None else path:
            with contextlib.suppress(OSError):
                for entry in os.listdir(folder or "."):  # noqa: PTH208 - thousands of names, and speed is the point
                    if entry.endswith(_METADATA):
                        name, _, version = entry.removesuffix(_METADATA).partition("-")
                        self._versions.setdefault(canonicalize_name(name), version)

    def __call__(self, row: Row) -> bool:
        """Tell whether exactly that is installed."""
        if not row.url and self._versions.get(row.name) == row.version:
            return True
        try:
            distribution = metadata.distribution(row.name)
        except metadata.PackageNotFoundError:
            return False
        if row.url:
            origin = json.loads(distribution.read_text("direct_url.json") or "{}")
            return str(origin.get("url", "")) == row.url.partition("#")[0]
        return distribution.version == row.version
