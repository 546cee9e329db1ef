"""What a rule found: where, what is wrong, and how to mend it. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from airfoil.lint.catalog import CATALOG

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Edit:
    """A replacement that is certain: bytes of the file from `start` to `end`."""

    start: int
    end: int
    text: bytes


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of a file; `line` 1 when it belongs to the file as a whole."""

    file: str
    line: int
    code: str
    message: str
    mend: str
    severity: Severity = "error"
    fixable: bool = False
    """Whether `airfoil check --fix` mends it."""
    subject: str = field(default="", compare=False)
    """The name it is about, by which two finders of the same fault recognise each other."""
    edit: Edit | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the fault as a row of JSON."""
        return {
            "file": self.file,
            "line": self.line,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "mend": self.mend,
            "fixable": self.fixable,
        }

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Fault:
        """Read what `to_dict` wrote."""
        return cls(**row)


def fault(
    code: str,
    file: str,
    line: int,
    message: str,
    mend: str,
    *,
    subject: str = "",
    edit: Edit | None = None,
) -> Fault:
    """Make a fault; how bad it is stands in the catalog."""
    severity = CATALOG[code].severity
    return Fault(file, line, code, message, mend, severity, edit is not None, subject, edit)
