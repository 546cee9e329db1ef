"""What a benchmark tells while it runs: on stderr, with the time since the start."""

from __future__ import annotations

import sys
import time


class Progress:
    """Say something; `subject` is who it is about."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self._began = time.monotonic()

    def __call__(self, text: str) -> None:
        """Print one line."""
        seconds = time.monotonic() - self._began
        print(f"[{seconds:5.0f} s] {self.subject}: {text}", file=sys.stderr, flush=True)
