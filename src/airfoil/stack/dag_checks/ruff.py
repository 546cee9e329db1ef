"""What ruff knows of DAG files: its Airflow rules (AIR3), and names that do not exist.

ruff is started as a program. Without it the rest of the check still works, and the report says so.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.errors import NeighbourError
from airfoil.lint import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RULES = "AIR3,F821"
WARNINGS = ("AIR311", "AIR312", "AIR321")
CLEANING = "F401"
"""What a mended name leaves behind: the import of the old one. Otherwise unused imports are no business of a check."""
TIMEOUT_SECONDS = 120
INSTALL = "Install it: `uv pip install ruff`."
_NAME = re.compile(r"`([^`]+)`")
_STILL_WORKS = re.compile(r";?\s*It still works in Airflow.*")


def find_ruff() -> Path | None:
    """Find the program beside this Python, else on PATH."""
    beside = Path(sys.executable).with_name("ruff")
    if beside.is_file():
        return beside
    found = shutil.which("ruff")
    return Path(found) if found else None


def ask_ruff(program: Path, names: Mapping[Path, str]) -> list[Fault]:
    """Check files; the settings of the user's own ruff do not matter, his `noqa` comments do."""
    if not names:
        return []
    said = _run(
        program, ["--select", RULES, "--output-format", "json", "--exit-zero", "--", *map(str, names)]
    )
    try:
        rows = json.loads(said)
        return [found for row in rows for found in _fault(row, names)]
    except (ValueError, KeyError, TypeError) as error:
        raise NeighbourError(f"ruff answered something unknown: {error}.", INSTALL) from error


def mend_with_ruff(program: Path, content: bytes, path: Path) -> bytes:
    """Return the content with ruff's safe fixes applied."""
    return _fix(program, "AIR3", content, path)


def clean_with_ruff(program: Path, content: bytes, path: Path) -> bytes:
    """Return the content without imports that nobody uses."""
    return _fix(program, CLEANING, content, path)


def _fix(program: Path, rules: str, content: bytes, path: Path) -> bytes:
    return _run(program, ["--select", rules, "--fix-only", "--stdin-filename", str(path), "-"], content)


def _run(program: Path, arguments: Sequence[str], content: bytes | None = None) -> bytes:
    command = [str(program), "check", "--isolated", "--no-cache", "--quiet", "--target-version", "py311"]
    command += arguments
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, check=False, timeout=TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NeighbourError(f"ruff could not be run: {error}.", INSTALL) from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise NeighbourError(
            "ruff failed: " + (last[0] if last else f"exit code {done.returncode}."), INSTALL
        )
    return done.stdout


def _fault(row: Mapping[str, Any], names: Mapping[Path, str]) -> Iterator[Fault]:
    code = row["code"] or ""
    if not re.fullmatch(r"(AIR|F)\d+", code):
        return  # a file that is not Python; said already
    fix = row["fix"] or {}
    message = _STILL_WORKS.sub("", row["message"]).rstrip(";. ")
    subject = _NAME.search(row["message"])
    mend = fix.get("message") or ("Import or define it." if code == "F821" else f"Read {row['url']}")
    yield Fault(
        file=names[Path(row["filename"])],
        line=row["location"]["row"],
        code=code,
        message=f"{message}.",
        mend=mend if mend.startswith("Read") else f"{mend.rstrip('.')}.",
        severity="warning" if code in WARNINGS else "error",
        fixable=fix.get("applicability") == "safe",
        subject=subject[1] if subject else "",
    )
