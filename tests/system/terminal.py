"""A pseudo-terminal with `airfoil` in it: a test reads what a person would see, and types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from typing import TYPE_CHECKING

from tests.system.platforms import AIRFOIL

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from tests.system.platforms import Platform


class Terminal:
    """One command in a terminal of its own; killed when the test leaves it."""

    def __init__(self, platform: Platform, *arguments: str) -> None:
        self._mine, its = pty.openpty()
        self.began = time.monotonic()
        self._process = subprocess.Popen(
            [str(AIRFOIL), *arguments],
            cwd=platform.root,
            env={**platform.environment, "TERM": "dumb"},
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._mine)

    def expect(self, text: str, seconds: float = 120.0) -> float:
        """Wait until this text appears after what was expected last; the seconds since the start."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            if not self._read(deadline):
                raise AssertionError(f"no {text!r} within {seconds:.0f} s, but:\n{self.seen}")
        self.seen = self.seen.partition(text)[2]
        return time.monotonic() - self.began

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._mine, f"{line}\n".encode())

    def wait(self, seconds: float = 120.0) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self._process.wait(timeout=5)

    def _read(self, deadline: float) -> bool:
        """Take what was printed; False at the end or when the time is over."""
        ready, _, _ = select.select([self._mine], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            chunk = os.read(self._mine, 65536)
        except OSError:  # Linux says so when the last writer is gone
            return False
        self.seen += chunk.decode(errors="replace").replace("\r\n", "\n")
        return bool(chunk)
