"""A contender's processes from the start of its commands until nothing of them is left, whatever happens between."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from benchmarks.contender import BenchmarkError, Contender, clean_environment
from benchmarks.meter import MARK, Meter, listening

if TYPE_CHECKING:
    from types import TracebackType

_LAST_LINES = 15
_INTERRUPTS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Running:
    """Use as a context manager: leaving it ends every process by pid."""

    def __init__(self, contender: Contender, logs: Path) -> None:
        self._contender = contender
        self._logs = logs
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        mark = uuid.uuid4().hex
        self.environment = clean_environment() | {MARK: mark}
        self.meter = Meter(mark)
        self.began_epoch = 0.0
        self._began = 0.0

    def __enter__(self) -> Self:
        """Start all commands at the same moment."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self.began_epoch = time.time()
        self._began = time.monotonic()
        try:
            for command in self._contender.commands:
                with (self._logs / f"{command.name}.log").open("ab") as log:
                    child = subprocess.Popen(
                        command.argv,
                        cwd=command.folder,
                        env=self.environment | dict(command.environment),
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                self._children[command.name] = child
                self.meter.add(child.pid)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing behind; a second Ctrl-C has to wait for that."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
        try:
            self.meter.end()
            for child in self._children.values():
                with suppress(subprocess.TimeoutExpired):
                    child.wait(5)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def commands_left(self) -> list[str]:
        """Which of the commands have not ended."""
        return [name for name, child in self._children.items() if child.poll() is None]

    def check(self) -> None:
        """Raise when a command has failed."""
        for name, child in self._children.items():
            if child.poll():
                raise BenchmarkError(
                    f"{self._contender.label}: `{name}` ended with {child.returncode}:\n{self._tail(name)}"
                )

    def wait_for_commands(self, timeout_seconds: float) -> None:
        """Until each command has ended, well."""
        while self.commands_left():
            if self.seconds > timeout_seconds:
                raise BenchmarkError(f"{self._contender.label} did not end in {timeout_seconds:.0f} s.")
            self.meter.look()
            time.sleep(0.1)
        self.check()

    def interrupt(self, number: int) -> None:
        """Signal the process group of every command that still runs."""
        for child in self._children.values():
            if child.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, number)

    def stop(self, grace_seconds: float = 10.0) -> tuple[float, list[str], list[int]]:
        """Stop the documented way: seconds it took, titles of processes left, ports still open after a grace time."""
        sockets = self.meter.listening()
        began = time.monotonic()
        self._contender.stop(self)
        seconds = time.monotonic() - began
        deadline = time.monotonic() + grace_seconds
        while self.meter.living() and time.monotonic() < deadline:
            time.sleep(0.1)
        left_ports = sorted({sockets[inode] for inode in sockets.keys() & listening().keys()})
        return seconds, self.meter.end(), left_ports

    def tails(self) -> str:
        """The last lines of every log, for an error."""
        return "\n".join(f"--- {name}\n{self._tail(name)}" for name in self._children)

    def _tail(self, name: str) -> str:
        with suppress(OSError):
            lines = (self._logs / f"{name}.log").read_text(errors="replace").splitlines()
            return "\n".join(lines[-_LAST_LINES:])
        return ""
