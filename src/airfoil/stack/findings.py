"""What an examination found: one fact, how bad it is, and what to do about it.

Plain values. Must not look at anything itself, nor print.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from airfoil.errors import AirfoilError, InternalError, redact

Level = Literal["ok", "warn", "error"]
LEVELS: tuple[Level, ...] = ("ok", "warn", "error")


@dataclass(frozen=True)
class Finding:
    """One fact about a machine or project; whatever is not ok says how to mend it."""

    check: str
    level: Level
    message: str
    fix: str = ""

    def __post_init__(self) -> None:
        """Take passwords out, and hold ourselves to a fix for everything that is not ok."""
        object.__setattr__(self, "message", redact(self.message))
        object.__setattr__(self, "fix", redact(self.fix))
        if self.level != "ok" and not self.fix:
            raise InternalError(f"The finding '{self.message}' of the check {self.check} has no fix.")

    def to_dict(self) -> dict[str, str]:
        """Return the finding as a row of JSON."""
        return asdict(self)


def ok(check: str, message: str) -> Finding:
    """Report that a check found nothing wrong."""
    return Finding(check, "ok", message)


def warn(check: str, message: str, fix: str) -> Finding:
    """Report something that works now and may not work later."""
    return Finding(check, "warn", message, fix)


def error(check: str, message: str, fix: str) -> Finding:
    """Report something that keeps the platform, or a part of it, from working."""
    return Finding(check, "error", message, fix)


def from_error(check: str, cause: AirfoilError) -> Finding:
    """Report one of our errors as a finding."""
    return error(check, cause.message, cause.next_move or "See `airfoil doctor` after correcting it.")


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level among findings; none at all is ok."""
    return max((finding.level for finding in findings), key=LEVELS.index, default="ok")
