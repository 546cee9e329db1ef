"""The page of a server as one HTML document: a sentence at the top, a table below. Pure text in, text out.

It borrows the look of the laptop's page. Addresses in it are relative, so that it can stand below any path of a proxy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from airfoil.markup import Markup, join, tag
from airfoil.stack.page import panels, wording

if TYPE_CHECKING:
    from airfoil.stack.server_page.rounds import Heard

Level = Literal["good", "bad"]
RELOAD_SECONDS = 10
MAX_NAMED = 2


def level(heard: Sequence[Heard]) -> Level:
    """Say how all of it is, in one word."""
    return "good" if heard and all(one.healthy for one in heard) else "bad"


def headline(heard: Sequence[Heard]) -> str:
    """Say in one sentence how things are."""
    wrong = [one.service.title for one in heard if not one.healthy]
    if not wrong:
        return "Everything is running" if heard else "Nothing is watched"
    if len(wrong) == len(heard):
        return "Nothing answers"
    if len(wrong) <= MAX_NAMED:
        return f"{wording.names(wrong)} {'is' if len(wrong) == 1 else 'are'} not well"
    return f"{len(wrong)} of {len(heard)} services are not well"


def document(heard: Sequence[Heard], now: float, version: str) -> str:
    """Render the whole page."""
    said = headline(heard)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="refresh", content=str(RELOAD_SECONDS)),
        tag("title", f"{said} · Airfoil"),
        tag("link", rel="icon", href=f"static/icon-{level(heard)}.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="static/page.css"),
    )
    words = tag("div", tag("h1", said, id="headline"), class_="said")
    orb = tag("i", class_="orb", aria_hidden="true")
    hero = tag("section", orb, words, class_="hero", data_level=level(heard))
    brand = tag("span", tag("span", "Airfoil", class_="wordmark"), class_="brand")
    header = tag("header", brand, tag("span", version, class_="project"))
    main = tag("main", hero, _problems(heard), _table(heard, now), id="status")
    body = tag("body", header, main, _footer())
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _problems(heard: Sequence[Heard]) -> Markup | None:
    wrong = [one for one in heard if not one.healthy]
    if not wrong:
        return None
    items = (
        tag(
            "li",
            tag("span", "Error", class_="severity"),
            tag(
                "div",
                tag("p", f"{one.service.title}: {wording.sentence(one.detail)}", class_="message"),
                _move(one),
            ),
            data_severity="error",
        )
        for one in wrong
    )
    return panels.panel("problems", "What needs a look", tag("ul", *items, class_="problems"))


def _move(one: Heard) -> Markup:
    return tag("p", "See ", tag("code", f"docker compose logs {one.service.name}"), ".", class_="move")


def _table(heard: Sequence[Heard], now: float) -> Markup:
    heads = ("Service", "State", "For", "Answer in", "Address")
    head = tag("tr", *(tag("th", name, scope="col", role="columnheader") for name in heads), role="row")
    ordered = sorted(heard, key=lambda one: one.service.kind != "front")
    body = tag("tbody", *(_row(one, now) for one in ordered), role="rowgroup")
    table = tag("table", tag("thead", head, role="rowgroup"), body, class_="services", role="table")
    return panels.panel("services", "Services", table)


def _row(one: Heard, now: float) -> Markup:
    service = one.service
    found = join(tag("strong", service.title), tag("span", service.name, class_="name"))
    note = tag("span", one.detail, class_="detail") if one.detail and one.healthy else None
    address = tag("a", "open", href=service.link) if service.link else None
    cells = (
        ("title", join(found, note)),
        ("state-cell", panels.state(*(("good", "Running") if one.healthy else ("bad", "Not well")))),
        ("for", join(wording.duration(now - one.since))),
        ("memory", join(f"{one.seconds * 1000:.0f} ms")),
        ("address", address),
    )
    shown = (tag("td", cell, class_=key + ("" if cell else " empty"), role="cell") for key, cell in cells)
    return tag("tr", *shown, id=f"service-{service.name}", class_=service.kind, role="row")


def _footer() -> Markup:
    links = (("api/status", "JSON"), ("metrics", "Prometheus metrics"), ("healthz", "Health"))
    nav = tag("nav", *(tag("a", name, href=path) for path, name in links), aria_label="For machines")
    return tag("footer", tag("span", "Reads only. Loads nothing from elsewhere."), nav)
