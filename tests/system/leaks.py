"""Where a secret may have got to: command lines, files that others can read, logs, and what the platform tells."""

from __future__ import annotations

import dataclasses
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.system.platforms import fetch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.system.platforms import Platform


def generated(platform: Platform) -> dict[str, str]:
    """Every generated secret by its name."""
    return dataclasses.asdict(platform.secrets())


def in_command_lines(platform: Platform, values: Mapping[str, str]) -> list[str]:
    """Secrets that every user of the machine can read with `ps`."""
    found = []
    for pid in platform.processes():
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            found += [f"{name} in the command line of {pid}" for name in _names(words, values)]
    return found


def in_logs(platform: Platform, values: Mapping[str, str]) -> list[str]:
    """Secrets that were written into any log, of services or of tasks."""
    return [
        f"{name} in {path.relative_to(platform.root)}"
        for path in _files(platform.project.logs)
        for name in _names(path.read_bytes(), values)
    ]


def in_open_files(platform: Platform, values: Mapping[str, str]) -> list[str]:
    """Files anywhere in the project that hold a secret and are not 0600."""
    found = []
    for path in _files(platform.root):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o177:
            found += [
                f"{name} in {path.relative_to(platform.root)} ({mode:o})"
                for name in _names(path.read_bytes(), values)
            ]
    return found


def in_what_it_says(platform: Platform, values: Mapping[str, str]) -> list[str]:
    """Secrets in `airfoil status`, in the page and in its JSON and metrics."""
    page = platform.url("page")
    texts = {"status --json": platform.run("status", "--json").said, "status": platform.run("status").said}
    for path in ("/", "/api/status", "/metrics", "/healthz"):
        answer = fetch(page + path)
        assert answer.status == 200, path
        texts[path] = f"{answer.headers} {answer.body}"
    return [f"{name} in {place}" for place, text in texts.items() for name in _names(text.encode(), values)]


def everywhere(platform: Platform, values: Mapping[str, str]) -> list[str]:
    """All of the above."""
    return [
        *in_command_lines(platform, values),
        *in_logs(platform, values),
        *in_open_files(platform, values),
        *in_what_it_says(platform, values),
    ]


def _names(text: bytes, values: Mapping[str, str]) -> list[str]:
    return [name for name, value in values.items() if os.fsencode(value) in text]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
