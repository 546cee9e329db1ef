"""The panel of DAG checks: calm when there is nothing to mend. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.markup import Markup, code, tag
from airfoil.stack.page import wording
from airfoil.stack.page.panels import panel, state

if TYPE_CHECKING:
    from airfoil.stack.page.facts import CheckedFault
    from airfoil.stack.page.status import Status

SHOWN_FAULTS = 10


def dag_checks(status: Status) -> Markup:
    """Show the faults of DAG files, the worst first."""
    checks = status.checks
    if checks.error:
        return _panel(tag("p", code(checks.error), class_="empty"))
    if checks.files is None:
        return _panel(tag("p", "Not looked at yet.", class_="empty"))
    if not checks.faults:
        return _panel(tag("p", f"{wording.count(checks.files, 'file')}, nothing to mend.", class_="empty"))
    worst_first = sorted(checks.faults, key=lambda one: one.severity != "error")
    rows = tag("ul", *(_fault(one) for one in worst_first[:SHOWN_FAULTS]), class_="items")
    more = len(checks.faults) - SHOWN_FAULTS
    rest = tag("p", code(f"{more} more: `airfoil check`"), class_="empty") if more > 0 else None
    return _panel(Markup(rows + (rest or "")))


def _panel(content: Markup) -> Markup:
    return panel("checks", "DAG checks", content)


def _fault(one: CheckedFault) -> Markup:
    level, word = ("bad", "Error") if one.severity == "error" else ("warning", "Warning")
    place = tag("span", f"{one.file}:{one.line} {one.code}", class_="when")
    mend = tag("p", code(one.mend), class_="lost")
    return tag(
        "li",
        state(level, word),
        tag("span", code(one.message), class_="what"),
        place,
        mend,
        class_="item check",
    )
