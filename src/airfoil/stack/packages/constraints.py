"""The versions that this release of Airfoil is tested with, from the file that the wheel carries.

The file is made from uv.lock (`make constraints`). Must not look at what is installed.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PATH = Path(__file__).resolve().parents[2] / "constraints.txt"


@functools.cache
def text() -> str:
    """The whole file."""
    return PATH.read_text(encoding="utf-8")


@functools.cache
def pins() -> dict[str, tuple[str, ...]]:
    """The tested versions by package; more than one where they differ between Pythons or systems."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (exact,) = requirement.specifier
            found[canonicalize_name(requirement.name)].append(exact.version)
    return {name: tuple(versions) for name, versions in found.items()}
