"""Distributions as inline SVG: the current table filled, the reference as a line over it.

Shapes are drawn in units of bins across and per cent of the highest bin upwards, so that one path serves small and
large. Colours are the style sheet's. Must not compute statistics.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from airfoil.markup import Markup, join, tag
from airfoil.steps.report import wording

if TYPE_CHECKING:
    from airfoil.records import Histogram
    from airfoil.steps.drift.report import CategoryCount

HEIGHT = 100
MOST_CATEGORIES = 12
_MARGIN = 4
_WIDE = 1.5
_FEWEST_BINS = 3
Say = Callable[[float], str]


def shares(counts: Sequence[int]) -> list[float]:
    """Return counts as shares of their sum."""
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]


def small(reference: Sequence[int], current: Sequence[int], identity: str, *, apart: bool = False) -> Markup:
    """Draw two distributions as small as a word; `apart` leaves room between the bars, as categories have it."""
    left, right = shares(reference), shares(current)
    most = max([*left, *right], default=0.0)
    bars = [round((HEIGHT - _MARGIN) * share / most) if most else 0 for share in right]
    line = [round((HEIGHT - _MARGIN) * share / most) if most else 0 for share in left]
    shapes = tag(
        "g",
        tag("path", class_="current", d=_filled(bars, apart=apart)),
        tag("path", class_="reference", d=_outlined(line)) if sum(reference) else None,
        id=identity,
    )
    return tag(
        "svg", shapes, class_="spark", viewBox=_box(bars), preserveAspectRatio="none", aria_hidden="true"
    )


def large(
    histogram: Histogram,
    identity: str,
    *,
    say: Say = wording.number,
    mark: float | None = None,
    marked: str = "",
) -> Markup:
    """Draw two histograms whose shapes `small` has drawn under this identity, with an axis and perhaps a mark."""
    bins = len(histogram.current)
    at = None if mark is None else _place(histogram.edges, mark)
    line = (
        tag("line", class_="mark", x1=f"{at:.2f}", x2=f"{at:.2f}", y1=0, y2=HEIGHT)
        if at is not None
        else None
    )
    drawing = tag(
        "svg",
        tag("use", href=f"#{identity}"),
        line,
        class_="plot",
        viewBox=f"0 0 {max(1, bins)} {HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=_told(histogram, say),
    )
    highest = max([*shares(histogram.reference), *shares(histogram.current)], default=0.0)
    note = [f"The highest bar is {wording.percent(highest)} of its table.", _tails(histogram, say)]
    note += [marked] if at is not None else []
    return tag(
        "div", drawing, _axis(histogram.edges, say), tag("p", " ".join(filter(None, note)), class_="muted")
    )


def legend(current: str, reference: str) -> Markup:
    """Say which is which."""
    return tag(
        "p",
        tag("span", tag("i", class_="key current"), wording.name(current)),
        tag("span", tag("i", class_="key reference"), wording.name(reference)) if reference else None,
        class_="legend",
    )


def categories(counts: Sequence[CategoryCount]) -> Markup:
    """Draw the commonest values as pairs of bars with their shares."""
    left = shares([one.reference for one in counts])
    right = shares([one.current for one in counts])
    most = max([*left, *right], default=0.0) or 1.0
    rows = [
        tag(
            "tr",
            tag("th", wording.name(one.value, 40), scope="row"),
            tag("td", _pair(100 * before / most, 100 * after / most), class_="pair"),
            tag("td", wording.percent(before), class_="num", data_label="Reference"),
            tag("td", wording.percent(after), class_="num", data_label="Current"),
        )
        for one, before, after in zip(counts, left, right, strict=True)
    ]
    titles = ("Value", "", "Reference", "Current")
    head = tag("thead", tag("tr", *(tag("th", title, scope="col") for title in titles)))
    return tag("table", head, tag("tbody", *rows), class_="plain categories")


def few(counts: Sequence[CategoryCount], others: CategoryCount | None) -> list[CategoryCount]:
    """Return no more categories than can be looked at; the rest of them together."""
    shown, rest = list(counts[:MOST_CATEGORIES]), [*counts[MOST_CATEGORIES:], *([others] if others else [])]
    if not rest:
        return shown
    hidden = (
        len(counts) - len(shown) + (int(others.value.split()[0]) if others and _is_counted(others) else 0)
    )
    merged = rest[0].model_copy(
        update={
            "value": f"{hidden} others" if hidden else "others",
            "reference": sum(one.reference for one in rest),
            "current": sum(one.current for one in rest),
        }
    )
    return [*shown, merged]


def gauge(share: float, limit: float) -> Markup:
    """Draw a share beside the limit it is held against."""
    whole = max(share, limit, 1e-9) * 1.25
    return tag(
        "svg",
        tag("rect", class_="track", width=100, height=8),
        tag("rect", class_="fill", width=f"{100 * share / whole:.2f}", height=8),
        tag("rect", class_="limit", x=f"{100 * limit / whole:.2f}", width="0.5", height=8),
        class_="gauge-bar",
        viewBox="0 0 100 8",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _is_counted(others: CategoryCount) -> bool:
    return others.value.partition(" ")[0].isdigit()


def _box(bars: Sequence[int]) -> str:
    return f"0 0 {max(1, len(bars))} {HEIGHT}"


def _filled(heights: Sequence[int], *, apart: bool) -> str:
    if apart:
        return "".join(
            f"M{place}.12 {HEIGHT}V{HEIGHT - high}h.76V{HEIGHT}z"
            for place, high in enumerate(heights)
            if high
        )
    return f"M0 {HEIGHT}{_steps(heights)}V{HEIGHT}z"


def _outlined(heights: Sequence[int]) -> str:
    return f"M0 {HEIGHT}{_steps(heights)}V{HEIGHT}"


def _steps(heights: Sequence[int]) -> str:
    """Go up or down, then on; bins of one height are one step."""
    parts: list[tuple[int, int]] = []
    for high in heights:
        if parts and parts[-1][0] == high:
            parts[-1] = (high, parts[-1][1] + 1)
        else:
            parts.append((high, 1))
    return "".join(f"V{HEIGHT - high}h{width}" for high, width in parts)


def _pair(before: float, after: float) -> Markup:
    return tag(
        "svg",
        tag("rect", class_="current", width=f"{after:.1f}", height=7),
        tag("rect", class_="reference", y=8, width=f"{before:.1f}", height=3),
        viewBox="0 0 100 12",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _place(edges: Sequence[float], value: float) -> float | None:
    """Return where a value lies, in bins from the left."""
    if len(edges) <= 1 or not edges[0] <= value <= edges[-1]:
        return None
    left = min(bisect_right(edges, value), len(edges) - 1) - 1
    width = edges[left + 1] - edges[left]
    return left + ((value - edges[left]) / width if width else 0.5)


def _outer(edges: Sequence[float]) -> tuple[bool, bool]:
    """Whether the first and the last bin are wider than the others: they hold the tails."""
    if len(edges) <= _FEWEST_BINS:
        return False, False
    step = _WIDE * (edges[2] - edges[1])
    return edges[1] - edges[0] > step, edges[-1] - edges[-2] > step


def _axis(edges: Sequence[float], say: Say) -> Markup | None:
    if not edges:
        return None
    bins, (left, right) = max(1, len(edges) - 1), _outer(edges)
    first, last, middle = int(left), bins - int(right), bins // 2
    places = [(first, "start"), (middle, "middle"), (last, "end")]
    shown = [(place, anchor) for place, anchor in places if anchor != "middle" or first < middle < last]
    return tag(
        "svg",
        *(
            join(
                tag("line", x1=f"{100 * place / bins:.1f}%", x2=f"{100 * place / bins:.1f}%", y1=0, y2=4),
                tag("text", say(edges[place]), x=f"{100 * place / bins:.1f}%", y=16, text_anchor=anchor),
            )
            for place, anchor in shown
        ),
        class_="axis",
        aria_hidden="true",
    )


def _tails(histogram: Histogram, say: Say) -> str:
    left, right = _outer(histogram.edges)
    ends = [f"down to {say(histogram.edges[0])}"] if left else []
    ends += [f"up to {say(histogram.edges[-1])}"] if right else []
    return f"The outermost bars hold all values {' and '.join(ends)}." if ends else ""


def _told(histogram: Histogram, say: Say) -> str:
    """Say in words what the eye sees first."""
    if not histogram.edges:
        return "No values"
    parts = [f"Values from {say(histogram.edges[0])} to {say(histogram.edges[-1])}"]
    for title, counts in (("current", histogram.current), ("reference", histogram.reference)):
        if sum(counts):
            top = max(range(len(counts)), key=counts.__getitem__)
            parts.append(f"{title}: most from {say(histogram.edges[top])} to {say(histogram.edges[top + 1])}")
    return "; ".join(parts)
