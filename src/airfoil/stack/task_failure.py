"""Why a task failed, read from its structured log: the error, where in the person's own code, and what caused it.

Pure: log entries and the project's folder in, a value out. What to print is the command line's part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

# Airflow's word for "the body raised"; a failing callback logs a traceback of its own after it.
RAISED = "Task failed with exception"
NOT_OURS = frozenset({"site-packages", "dist-packages", ".venv", "venv"})
SIGNALLED = "Process terminated by signal."
EXITED = "Process exited abnormally"
DAG_GONE = ("Dag not found during start up", "Task not found in Dag during start up")
KILLED = 9
TOO_LATE = "AirflowTaskTimeout"


@dataclass(frozen=True)
class Place:
    """A line of code."""

    file: str
    """Relative to the project where it lies inside."""
    line: int
    name: str
    """The function, or empty for a line that is none's."""

    def __str__(self) -> str:
        """Say it as people do."""
        inside = f", in {self.name}" if self.name else ""
        return f"{self.file}, line {self.line}{inside}"


@dataclass(frozen=True)
class Failure:
    """Why one try of a task failed."""

    error: str
    place: Place | None = None
    causes: tuple[str, ...] = ()
    at: str = ""
    """When, as ISO time."""


def failure(entries: list[Any], root: Path) -> Failure | None:
    """Find out why the try with this log failed; None when its log does not say."""
    found = [entry for entry in entries if isinstance(entry, dict)]
    raised = [entry for entry in found if _errors(entry)]
    if body := [entry for entry in raised if entry.get("event") == RAISED]:
        return _raised(body[-1], root)
    for entry in reversed(found):
        # A file that does not import says why; that its DAG is gone only follows from it.
        if (error := _ended(entry)) and not (raised and entry.get("event") in DAG_GONE):
            return Failure(error, at=str(entry.get("timestamp") or ""))
    return _raised(raised[-1], root) if raised else None


def _raised(entry: dict[str, Any], root: Path) -> Failure:
    last, *earlier = _errors(entry)
    places = [place for error in (last, *earlier) if (place := _own_place(error, root)) is not None]
    causes = []
    for error in earlier:
        place = _own_place(error, root)
        causes.append(_sentence(error) + (f" ({place})" if place else ""))
    return Failure(
        _sentence(last), places[0] if places else None, tuple(causes), str(entry.get("timestamp") or "")
    )


def _ended(entry: dict[str, Any]) -> str:
    """Say how a process ended that could not say so itself."""
    event = str(entry.get("event") or "")
    if event.startswith(SIGNALLED):
        number = abs(int(entry.get("signal") or 0))
        name = str(entry.get("signal_name") or f"signal {number}")
        if number == KILLED:
            return f"The system ended the task ({name}), as it does when memory runs out"
        return f"The task's process was ended by {name}"
    if "SIGSEGV" in event:
        return "The task's process crashed (SIGSEGV): a library with compiled code touched memory that is not its own"
    if event == EXITED:
        return f"The task's process ended by itself with exit code {entry.get('exit_code')}"
    if event in DAG_GONE:
        file = entry.get("path") or "its file"
        return f"The task is not to be found in {file} any more: it does not import, or the task was renamed"
    return ""


def _errors(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the chain of exceptions, the one that was raised last first."""
    detail = entry.get("error_detail")
    return [error for error in detail if isinstance(error, dict)] if isinstance(detail, list) else []


def _sentence(error: dict[str, Any]) -> str:
    name, value = str(error.get("exc_type") or "Error"), str(error.get("exc_value") or "").strip()
    if name == TOO_LATE:
        return f"{name}: it ran longer than its execution_timeout"
    lines = value.splitlines()
    more = " ..." if len(lines) > 1 else ""
    return f"{name}: {lines[0]}{more}" if lines else name


def _own_place(error: dict[str, Any], root: Path) -> Place | None:
    """Find the last line that the person wrote; of a syntax error, the line that is wrong."""
    wrong = error.get("syntax_error")
    if isinstance(wrong, dict) and wrong.get("filename"):
        return Place(_relative(str(wrong["filename"]), root), int(wrong.get("lineno") or 0), "")
    for frame in reversed(error.get("frames") or []):
        if isinstance(frame, dict) and is_own(str(frame.get("filename") or ""), root):
            name = str(frame.get("name") or "")
            return Place(
                _relative(str(frame["filename"]), root), int(frame.get("lineno") or 0), name.strip("<>")
            )
    return None


def is_own(file: str, root: Path) -> bool:
    """Tell whether a file is the project's own code, not a library (some keep those in the project's .venv)."""
    path = PurePath(file)
    return path.is_relative_to(root) and not NOT_OURS.intersection(path.relative_to(root).parts)


def _relative(file: str, root: Path) -> str:
    path = PurePath(file)
    return str(path.relative_to(root)) if path.is_relative_to(root) else file
