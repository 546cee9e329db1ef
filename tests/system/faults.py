"""What tests of faults ask of every refusal: one sentence, one next move, nothing lost, nothing left.

A command may also run in the background, because many faults strike while one is at work.
"""

from __future__ import annotations

import hashlib
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from tests.system.platforms import AIRFOIL, COMMAND_SECONDS, Done, wait_until

from airfoil.stack import process
from airfoil.stack import state as states

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.system.platforms import Platform

    from airfoil.stack.state import StackState

STATE_PATIENCE_SECONDS = 120


class Told(NamedTuple):
    """What a failed command says."""

    sentence: str
    move: str
    evidence: list[str]
    """The indented lines before the sentence: the end of a service's log."""


def told(done: Done) -> Told:
    """What it says; it must have failed with one sentence and one next move, and not with a traceback of our own."""
    assert done.code == 1, done.said
    lines = done.err.rstrip("\n").split("\n")
    evidence = [line for line in lines if line.startswith("  ")]
    spoken = [line for line in lines if line not in evidence]
    assert len(spoken) == 2, done.err
    sentence, move = spoken
    assert sentence.startswith("Error: "), done.err
    assert sentence.endswith("."), done.err
    return Told(sentence.removeprefix("Error: "), move, evidence)


def refusal(done: Done) -> Told:
    """What a command says that never started anything: there is no log to show."""
    found = told(done)
    assert found.evidence == [], done.err
    return found


class Command:
    """An `airfoil` command in the background."""

    def __init__(self, platform: Platform, *arguments: str, prefix: tuple[str, ...] = ()) -> None:
        self._began = time.monotonic()
        self._arguments = arguments
        self.process = subprocess.Popen(
            [*prefix, str(AIRFOIL), *arguments],
            cwd=platform.root,
            env=platform.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def done(self) -> Done:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=COMMAND_SECONDS)
        return Done(self.process.returncode, out, err, time.monotonic() - self._began)


@contextmanager
def begun(platform: Platform, *arguments: str, prefix: tuple[str, ...] = ()) -> Iterator[Command]:
    """Begin a command; whatever happens, it does not outlive the test."""
    command = Command(platform, *arguments, prefix=prefix)
    try:
        yield command
    finally:
        command.process.kill()
        with suppress(ValueError):  # read to its end already
            command.process.communicate()


def seen(platform: Platform, service: str, *conditions: str) -> StackState:
    """Wait until a living manager says that a service is in one of these conditions."""
    found: list[StackState] = []

    def there() -> bool:
        now = states.load(platform.project.state_file)
        if now is not None and process.is_alive(now.manager_pid, now.manager_started):
            row = now.service(service)
            if row is not None and row.state in conditions:
                found.append(now)
        return bool(found)

    wait_until(there, STATE_PATIENCE_SECONDS, f"{service} {' or '.join(conditions)}: {platform.last_words()}")
    return found[0]


def files(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Every file below a folder by what is in it, but for those below the named folders."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.relative_to(folder).as_posix().startswith(without)
    }


def litter(platform: Platform) -> list[str]:
    """Unfinished files in the project's private folders."""
    state = platform.project.state
    found = [path for pattern in (".*", "*.tmp", "*.new", "*.new-*") for path in state.rglob(pattern)]
    return sorted(path.relative_to(state).as_posix() for path in found)


def assert_nothing_started(platform: Platform) -> None:
    """Nothing was started, and no half-written file lies around."""
    assert platform.processes() == {}
    assert not platform.project.state_file.exists()
    assert litter(platform) == [], litter(platform)


def assert_gone(platform: Platform) -> None:
    """`down` leaves no process, no port, no unfinished file."""
    platform.down()
    assert platform.leftovers() == []
    assert litter(platform) == [], litter(platform)
