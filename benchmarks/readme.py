"""The figures in README.md, from the kept results: the ground floor, and a line for each further benchmark.

What stands between the two marks is never edited by hand; the rest of the page is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import cells, result

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- Written by `python -m benchmarks.report`. -->", "<!-- Until here. -->"
_FLOOR = "floor"
_ON_EVERY_TASK = "tracking"
"""It has no peer that does the same."""


def write(results: Sequence[dict[str, Any]], readme: Path = README) -> Path:
    """Replace what stands between the marks."""
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{readme.name} lacks the marks {BEGIN} and {END}")
    readme.write_text(f"{before}{BEGIN}\n{render(results)}\n{END}{after}", encoding="utf-8")
    return readme


def render(results: Sequence[dict[str, Any]]) -> str:
    """Both tables."""
    by_name = {found["line"]["name"]: found for found in results}
    tables = []
    if _FLOOR in by_name:
        floor = by_name.pop(_FLOOR)
        header = ["", "Airfoil", *(side["label"] for side in floor["sides"] if side["key"] != result.OURS)]
        rows = [
            [figure["label"], *(_told(floor, side["key"], figure) for side in floor["sides"])]
            for figure in _plotted(floor)
        ]
        tables.append(cells.table(header, rows))
    by_name.pop(_ON_EVERY_TASK, None)
    if by_name:
        rows = [
            [found["title"], _all_told(found, result.OURS), _all_told(found, result.PEER), _peer(found)]
            for found in by_name.values()
        ]
        tables.append(cells.table(["The same work", "Airfoil", "the usual way", "which is"], rows))
    return "\n\n".join(tables)


def _plotted(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [figure for figure in found["figures"] if figure["is_plotted"]]


def _told(found: dict[str, Any], side: str, figure: dict[str, Any]) -> str:
    return cells.number(found["line"][side][figure["key"]], figure)


def _all_told(found: dict[str, Any], side: str) -> str:
    """All plotted figures; where a unit comes again, another case of the work begins."""
    told = ""
    units: set[str] = set()
    for figure in _plotted(found):
        mark = "; " if figure["unit"] in units else ", " if told else ""
        units = {figure["unit"]} | (set() if mark == "; " else units)
        told += mark + _told(found, side, figure)
    return told


def _peer(found: dict[str, Any]) -> str:
    return next(str(side["label"]) for side in found["sides"] if side["key"] == result.PEER)
