"""The manager's place beside a real pre-loaded parent, for scenes that run in a process of their own.

A scene adopts orphans, as the manager does, and so becomes the parent of every forked service.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from airfoil.stack import process
from airfoil.stack.preload import PreloadedParent
from airfoil.stack.service import Probe, Service

PATIENCE_SECONDS = 120.0


class ManagerSide:
    """One scene: parents, what they answered, and who ended how."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exits: dict[int, int] = {}
        self.keep: list[subprocess.Popen[bytes]] = []
        self.log = folder / "parent.log"
        process.adopt_orphans()

    def launch(self, layers: Mapping[str, tuple[str, ...]] | None = None) -> PreloadedParent:
        """Start a parent."""
        row = Service("preload", "P", (sys.executable, "-m", "airfoil.runtime.preload"), Probe("channel"))
        return PreloadedParent.launch(row, layers or {}, self._spawn)

    def _spawn(self, argv: tuple[str, ...], keep: tuple[int, ...]) -> int:
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                argv, pass_fds=keep, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self.keep.append(child)
        return child.pid

    def ask(
        self, parent: PreloadedParent, module: str, *arguments: str, layer: str = "", **env: str
    ) -> dict[str, Any]:
        """Ask for a service of that module; the parent's answer. Its log is `MODULE.log`."""
        log = str(self.folder / f"{module}.log")
        argv = ("python", "-m", module, *arguments)
        assert parent.ask(
            Service(module, module, argv, Probe("exit"), env=env, stage=layer, module=module, log=log)
        )
        found: list[dict[str, Any]] = []

        def answered() -> bool:
            found.extend(answer for answer in parent.answers() if "threads" not in answer)
            return bool(found)

        self.wait_for(answered)
        return found[0]

    def end_of(self, pid: int) -> int:
        """Wait until this process has ended and is ours to collect; its exit code."""

        def ended() -> bool:
            process.reap(self.exits.__setitem__)
            return pid in self.exits

        self.wait_for(ended)
        return self.exits[pid]

    def said(self, module: str) -> str:
        """Everything a service wrote."""
        return (self.folder / f"{module}.log").read_text()

    def wait_for(self, check: Callable[[], object]) -> None:
        """Look again and again until it holds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not check():
            if time.monotonic() > deadline:
                raise TimeoutError(self.log.read_text()[-3000:])
            time.sleep(0.005)

    @staticmethod
    def parent_of(pid: int) -> int:
        """Who its parent is."""
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def here() -> ManagerSide:
    """The scene of this process: its folder is the working directory."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - a path as Python's own -c would put it
    return ManagerSide(Path.cwd())
