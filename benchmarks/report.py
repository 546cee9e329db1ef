"""Writes docs/benchmarks.md, its plots and the figures in README.md: `python -m benchmarks.report`.

All come from the kept results, and the page is never edited by hand. What it says about a benchmark comes from the
benchmark's own result.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from benchmarks import cells, plots, readme, result

DOCS = Path(__file__).parents[1] / "docs"
_IMAGES = "images/benchmarks"
_INTRO = """\
<!-- Written by `python -m benchmarks.report` from benchmarks/results. Do not edit. -->
# Benchmarks

Every claim of speed or size is measured against a peer in the same run, on the same work, on the same machine.
`make bench NAME=floor` repeats one, `make bench` repeats all and rewrites this page; `SCALE=0.1` gives a quick look
that is not kept. Ratios are ours divided by the peer's: below one is better for us.
"""


def write(results: list[dict[str, Any]], docs: Path = DOCS) -> Path:
    """The page and all plots."""
    images = docs / _IMAGES
    images.mkdir(parents=True, exist_ok=True)
    for found in results:
        plots.draw(found, images / f"{found['line']['name']}.svg")
    page = docs / "benchmarks.md"
    page.write_text(render(results), encoding="utf-8")
    return page


def render(results: list[dict[str, Any]]) -> str:
    """The text of the page."""
    parts = [_INTRO, *(_section(found) for found in results)]
    if not results:
        parts.append("Nothing has been measured yet.\n")
    return "\n".join(parts)


def _section(found: dict[str, Any]) -> str:
    line = found["line"]
    blocks = [
        f"## {found['title']}",
        found["lead"],
        f"![{found['title']}: {_summary(found)}]({_IMAGES}/{line['name']}.svg)",
        _figures(found),
        _goals(found),
        _commands(found),
        "\n".join(f"- {note}" for note in found["notes"]),
        _circumstances(found),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _summary(found: dict[str, Any]) -> str:
    """The plot in words, for those who do not see it."""
    line, sides = found["line"], found["sides"]
    parts = []
    for figure in found["figures"]:
        if figure["is_plotted"]:
            told = (cells.number(line[side["key"]][figure["key"]], figure) for side in sides)
            parts.append(f"{figure['label']} {' against '.join(told)}")
    return "; ".join(parts)


def _figures(found: dict[str, Any]) -> str:
    line, sides = found["line"], found["sides"]
    peers = [side for side in sides if side["key"] != result.OURS]
    header = ["", *(f"`{s['label']}`" if s["key"] == result.OURS else s["label"] for s in sides)]
    header += [f"ratio{_suffix(side).replace('_', ', ')}" for side in peers]
    rows = []
    for figure in found["figures"]:
        key = figure["key"]
        row = [figure["label"], *(cells.number(line[side["key"]][key], figure) for side in sides)]
        row += [_ratio(line[f"ratio{_suffix(side)}"].get(key)) for side in peers]
        rows.append(row)
    return cells.table(header, rows)


def _goals(found: dict[str, Any]) -> str:
    if not found["goals"]:
        return ""
    rows = [
        [
            goal["text"],
            cells.amount(goal["limit"], goal["unit"]),
            cells.amount(goal["value"], goal["unit"]),
            "yes" if goal["is_met"] else "**no**",
        ]
        for goal in found["goals"]
    ]
    return cells.table(["Goal", "at most", "measured", "met"], rows)


def _commands(found: dict[str, Any]) -> str:
    blocks = "\n\n".join(f"{side['label']}:\n\n```sh\n{side['command']}\n```" for side in found["sides"])
    return f"### How each was started\n\n{blocks}\n\n### How it was measured"


def _circumstances(found: dict[str, Any]) -> str:
    machine, line = found["machine"], found["line"]
    versions = ", ".join(f"{name} {version}" for name, version in line["versions"].items())
    repeats = "once" if line["samples"] == 1 else f"{line['samples']} times, medians shown"
    equal = "did the same work" if line["equal"] else "did **not** do the same work"
    return (
        f"Taken on {found['taken_on']}, {repeats}, on {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, {machine['system']}; {versions}. All contenders {equal}."
    )


def _suffix(side: dict[str, Any]) -> str:
    """What tells a further peer from the first: "_tuned"."""
    return str(side["key"]).removeprefix(result.PEER)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    print(write(result.load_all()), readme.write(result.load_all()), file=sys.stderr)
