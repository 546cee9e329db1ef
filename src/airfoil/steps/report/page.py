"""A report as one HTML page: verdict first, then evidence. It needs nothing from elsewhere and asks nobody.

Style and script stand in the page, and the page itself forbids every other one. Without the script all tables are
there; it sorts, searches, and brings in rows beyond the first ones. Pure: no I/O but its own two files, no clock.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.markup import Markup, is_web, join, link, tag
from airfoil.steps.report import anomaly_panel, drift_panel, history_panel, quality_panel, wording

if TYPE_CHECKING:
    from airfoil.records import DatasetVerdict
    from airfoil.steps.report.dataset_report import DatasetReport

WING = "M2 14.5C5 7.5 12 5 18 6.5c5 1.2 9 4.4 12 9.2-6-2.4-11-2.8-16-2.2-4.5.5-8 1.5-12 1z"
TITLES = {"quality": "Quality checks", "drift": "Drift", "anomalies": "Anomalies"}
_WORDS = {"not_measured": "not measured", "error": "not measured"}
# HTML has no way to write these, and UTF-8 none to write halves of a pair.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def render_page(report: DatasetReport, history: Sequence[DatasetVerdict] = ()) -> str:
    """Return the page of a report; `history` are earlier verdicts on the same dataset, in any order."""
    style, script = _own("report.css"), _own("report.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    verdict = "passed" if report.passed else "failed"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{wording.visible(report.dataset)} {verdict}"),
        tag("style", style),
    )
    body = tag("body", _header(), tag("main", *_parts(report, history)), _footer(), tag("script", script))
    text = "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _parts(report: DatasetReport, history: Sequence[DatasetVerdict]) -> list[Markup | None]:
    types = {one.name: one.type for one in report.quality.columns} if report.quality else {}
    shown = {
        "quality": quality_panel.checks(report.quality) if report.quality else None,
        "drift": _drift(report, types),
        "anomalies": _anomalies(report, types),
    }
    columns = quality_panel.profiles(report.quality) if report.quality and report.quality.columns else None
    return [
        _hero(report),
        _tiles(report),
        _panel("past", "History", history_panel.strip(report.verdict(), history)),
        *(
            _panel(f"{part}-part", TITLES[part], join(_error(report, part), content))
            for part, content in shown.items()
        ),
        _panel("profile", "Columns", columns),
    ]


def _drift(report: DatasetReport, types: Mapping[str, str]) -> Markup | None:
    verdict = report.drift_verdict
    if verdict is None:
        return None
    if report.drift is None:
        return tag("p", wording.visible(verdict.reason), class_="note")
    return drift_panel.comparison(report.drift, verdict, types)


def _anomalies(report: DatasetReport, types: Mapping[str, str]) -> Markup | None:
    verdict = report.anomaly_verdict
    if verdict is None:
        return None
    if report.anomalies is None:
        return tag("p", wording.visible(verdict.reason), class_="note")
    return anomaly_panel.oddity(report.anomalies, verdict, types)


def _error(report: DatasetReport, part: str) -> Markup | None:
    """Say why a part could not be looked at."""
    reason = report.not_measured.get(part)
    return tag("p", wording.visible(reason), class_="note error") if reason is not None else None


def _header() -> Markup:
    wing = tag("svg", tag("path", d=WING), viewBox="0 0 32 22", class_="wing", aria_hidden="true")
    brand = tag("span", wing, "Airfoil", class_="brand")
    return tag("header", brand, tag("span", "Data report", class_="muted"))


def _hero(report: DatasetReport) -> Markup:
    orb = tag("i", class_="orb", aria_hidden="true")
    facts: list[Markup | str] = []
    if report.rows is not None:
        facts.append(f"{report.rows:,} {'row' if report.rows == 1 else 'rows'}")
    facts.append(tag("time", wording.moment(report.at), datetime=report.at.isoformat()))
    if report.dag_run:
        facts.append(join("DAG run ", tag("code", wording.name(report.dag_run))))
    if is_web(report.run_url):
        facts.append(link("MLflow run", report.run_url))
    said = tag(
        "div",
        tag("h1", wording.visible(report.reason)),
        tag("p", *(tag("span", fact) for fact in facts), class_="facts"),
        class_="said",
    )
    return tag("section", orb, said, class_="hero", data_level="good" if report.passed else "bad")


def _tiles(report: DatasetReport) -> Markup:
    tiles = []
    for part, title in TITLES.items():
        outcome = report.outcomes.get(part)
        if outcome is None:
            empty = tag("span", "not looked at", class_="muted")
            tiles.append(tag("li", tag("b", title), empty, class_="tile", data_level="off"))
            continue
        level = "bad" if part in report.failed_parts else "good"
        shown = quality_panel.state(_WORDS.get(outcome, outcome), level)
        found = tag("span", _sentence(report.findings[part]), class_="found")
        tiles.append(
            tag(
                "li",
                tag("a", tag("b", title), shown, found, href=f"#{part}-part"),
                class_="tile",
                data_level=level,
            )
        )
    return tag("ul", *tiles, class_="tiles")


def _sentence(words: str) -> str:
    shown = wording.visible(words)
    return shown[:1].upper() + shown[1:]


def _panel(identity: str, title: str, content: Markup | None) -> Markup | None:
    if not content:
        return None
    head = tag("h2", title, id=f"{identity}-title")
    return tag("section", head, content, id=identity, class_="panel", aria_labelledby=f"{identity}-title")


def _footer() -> Markup:
    return tag("footer", "One file. Loads nothing from elsewhere.")


@cache
def _own(name: str) -> Markup:
    return Markup(Path(__file__).with_name(name).read_text(encoding="utf-8").strip())


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
