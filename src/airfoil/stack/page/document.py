"""The page as one HTML document, and the part of it that is sent again when something changes.

The server renders, the browser only swaps what is different: the page says the same with JavaScript off, and there is
one place that escapes. Pure: no I/O, no clock.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from airfoil.markup import Markup, code, join, link, tag
from airfoil.stack.page import check_panel, panels, wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from airfoil.stack.page.diagnosis import Problem
    from airfoil.stack.page.status import Budget, Status

    Say = Callable[[float], str]

RELOAD_SECONDS = 10
"""How often a browser without JavaScript loads the page anew."""
SEVERITY_WORDS = {"error": "Error", "warning": "Warning", "notice": "Note"}
_LONGEST_BARE_COMMAND = 4
WING = "M2 14.5C5 7.5 12 5 18 6.5c5 1.2 9 4.4 12 9.2-6-2.4-11-2.8-16-2.2-4.5.5-8 1.5-12 1z"


def document(status: Status, versions: dict[str, str]) -> str:
    """Render the whole page. `versions` maps a static file to its address."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title(status)),
        tag("link", rel="icon", id="icon", href=icon(status), type="image/svg+xml"),
        tag("link", rel="stylesheet", href=versions["page.css"]),
        tag("script", src=versions["page.js"], defer=True),
        tag("noscript", tag("meta", http_equiv="refresh", content=str(RELOAD_SECONDS))),
    )
    page = tag(
        "body",
        _header(status),
        tag("main", body(status), id="status", data_now=f"{status.now:.3f}"),
        _footer(),
    )
    return f"<!doctype html>\n{tag('html', head, page, lang='en')}\n"


def title(status: Status) -> str:
    """Name the browser's tab."""
    return f"{status.headline.text} · {project_name(status)}"


def icon(status: Status) -> str:
    """Colour the tab's icon like the headline."""
    return f"/static/icon-{status.headline.level}.svg"


def project_name(status: Status) -> str:
    """Name the project as people do: by its folder."""
    return PurePath(status.project).name or status.project


def body(status: Status) -> Markup:
    """Render everything that changes."""
    parts = [_hero(status), _problems(status)]
    if status.stack is not None:
        right = tag("div", panels.tracked_runs(status), panels.models(status), class_="column")
        parts += [
            panels.services(status),
            panels.borrowed(status),
            tag("div", panels.dag_runs(status), right, class_="columns"),
            check_panel.dag_checks(status),
        ]
    return join(*parts)


def _header(status: Status) -> Markup:
    wing = tag("svg", tag("path", d=WING), viewBox="0 0 32 22", class_="wing", aria_hidden="true")
    name = tag("span", wing, tag("span", "Airfoil", class_="wordmark"), class_="brand")
    project = tag("span", project_name(status), class_="project", id="project")
    live = tag("p", tag("noscript", "Reloads by itself"), id="connection", class_="connection", role="status")
    return tag("header", tag("a", "Skip to services", href="#services", class_="skip"), name, project, live)


def _hero(status: Status) -> Markup:
    words = tag("h1", status.headline.text, id="headline")
    orb = tag("i", class_="orb", aria_hidden="true")
    said = tag("div", tag("div", words, role="status", aria_live="polite"), _note(status), class_="said")
    gauges = tag(
        "dl",
        _gauge("Memory", status.memory_mib, wording.mib),
        _gauge("Start", status.start_seconds, wording.duration),
        class_="gauges",
    )
    shown = gauges if status.stack is not None else None
    return tag("section", orb, said, shown, class_="hero", data_level=status.headline.level)


def _note(status: Status) -> Markup:
    pieces: list[Markup] = []
    if status.headline.note:
        pieces.append(code(status.headline.note))
    if status.stack is not None and status.stack.phase not in {"stopped", "stopping"}:
        pieces.append(join("Started ", panels.distance(status.stack.started_at, status.now)))
        pieces.append(join(f"{status.stack.engine} engine"))
    return tag("p", *(tag("span", piece) for piece in pieces), class_="note")


def _gauge(name: str, budget: Budget, say: Say) -> Markup:
    actual = "…" if budget.actual is None else say(budget.actual)
    over = budget.actual is not None and budget.budget is not None and budget.actual > budget.budget
    limit = None if budget.budget is None else tag("span", f"of {say(budget.budget)}", class_="limit")
    drawn = panels.bar(budget.actual or 0, budget.budget, over=over)
    figure = tag("dd", tag("span", actual, class_="actual"), limit, drawn)
    return tag("div", tag("dt", name), figure, class_="gauge over" if over else "gauge")


def _problems(status: Status) -> Markup | None:
    if not status.problems:
        return None
    items = tag("ul", *(_problem(problem) for problem in status.problems), class_="problems")
    return panels.panel("problems", "What needs a look", items)


def _problem(problem: Problem) -> Markup:
    severity = tag("span", SEVERITY_WORDS[problem.severity], class_="severity")
    message = tag("p", code(problem.message), class_="message")
    move = code(_as_command(problem.next_move))
    next_move = (
        tag("p", link(move, problem.url) if problem.url else move, class_="move")
        if problem.next_move
        else None
    )
    return tag("li", severity, tag("div", message, next_move), data_severity=problem.severity)


def _as_command(next_move: str) -> str:
    """Set a next move that is nothing but a command as code, as our errors carry it."""
    bare = (
        next_move.startswith("airfoil ")
        and "`" not in next_move
        and len(next_move.split()) <= _LONGEST_BARE_COMMAND
    )
    return f"`{next_move}`" if bare else next_move


def _footer() -> Markup:
    links = (("/api/status", "JSON"), ("/metrics", "Prometheus metrics"), ("/healthz", "Health"))
    nav = tag("nav", *(tag("a", name, href=path) for path, name in links), aria_label="For machines")
    return tag("footer", tag("span", "Reads only. Loads nothing from elsewhere."), nav)
