"""The data report in a real Chromium: a file on disk, opened as a person would open an attachment."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests import data_reports
from tests.browser.test_status_page import CONTRAST

from airfoil.steps.report import render_page

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("PICTURES", "")
"""`PICTURES=docs` writes docs/images anew, `PICTURES=FOLDER` keeps all screenshots there."""
DESKTOP, PHONE = 1160, 390
MAX_PICTURE_BYTES = 220 * 1024
IN_DOCUMENTS = {"drifted", "drifted-phone"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The pages, by what they are about."""
    folder = tmp_path_factory.mktemp("reports")
    reports = {
        "fine": data_reports.fine(),
        "dirty": data_reports.dirty(),
        "odd": data_reports.odd(),
        "wide": data_reports.wide(5000),
    }
    for name, report in reports.items():
        past = data_reports.history() if name in {"fine", "dirty"} else ()
        (folder / f"{name}.html").write_text(render_page(report, past), encoding="utf-8")
    return folder


@pytest.fixture
def visit(chromium, files):
    """visit(name) opens a page; it must ask for nothing but itself and complain about nothing."""
    contexts, asked, troubles = [], [], []

    def open_page(name, *, width=DESKTOP, scheme="light", **options):
        viewport = {"width": width, "height": 844}
        context = chromium.new_context(viewport=viewport, color_scheme=scheme, **options)
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        tab = context.new_page()
        tab.set_default_timeout(60_000)
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.on("dialog", lambda dialog: troubles.append(dialog.message))
        tab.on("console", lambda said: troubles.append(said.text))
        tab.goto((files / f"{name}.html").as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
    assert {Path(url).suffix for url in asked} == {".html"}
    assert all(url.startswith("file:") for url in asked)


def picture(tab, name, tmp_path, *, height=None):
    folder = Path(PICTURES) if PICTURES else tmp_path
    if PICTURES == "docs":
        if name not in IN_DOCUMENTS:
            return
        folder = Path(__file__).parents[2] / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"data-report-{name}.png"
    clip = height and {"x": 0, "y": 0, "width": tab.evaluate("innerWidth"), "height": height}
    tab.screenshot(path=path, full_page=True, **({"clip": clip} if clip else {}))
    assert PICTURES != "docs" or path.stat().st_size <= MAX_PICTURE_BYTES


def names(tab, table):
    return tab.locator(f"#{table} > tbody > tr:not(.more) > th").all_inner_texts()


def open_row(tab, name):
    """Open the row of a column in the table of drift."""
    row = tab.locator("#drift > tbody").filter(has=tab.locator("summary", has_text=name)).first
    row.locator("summary").click()
    return row


@pytest.mark.parametrize("name", ["fine", "dirty", "odd"])
@pytest.mark.parametrize("width", [320, PHONE, 760, DESKTOP])
def test_it_fits(visit, tmp_path, name, width):
    tab = visit(name, width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    picture(tab, f"{name}-{width}", tmp_path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["fine", "dirty", "odd"])
def test_every_word_can_be_read(visit, tmp_path, name, scheme):
    tab = visit(name, scheme=scheme)
    assert tab.evaluate(CONTRAST) == []
    picture(tab, f"{name}-{scheme}", tmp_path)


def test_light_and_dark_follow_the_reader(visit):
    grounds = [
        visit("fine", scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert grounds[0] != grounds[1]


def test_what_failed_is_seen_without_a_click(visit, tmp_path):
    tab = visit("dirty")
    assert tab.locator("h1").inner_text().startswith("trips failed: ")
    assert tab.locator("#checks tr.more").first.is_visible()
    assert not tab.locator("#passed").is_visible()
    assert open_row(tab, "fare").locator(".plot").is_visible()
    picture(tab, "drifted", tmp_path, height=1480)
    phone = visit("dirty", width=PHONE, device_scale_factor=2)
    picture(phone, "drifted-phone", tmp_path, height=844)


def test_a_drawing_has_a_shape(visit):
    tab = visit("dirty")
    box = open_row(tab, "fare").locator(".plot use").bounding_box()
    assert box["height"] > 100
    assert box["width"] > 200


def test_tables_are_sorted_by_a_click_and_by_keys(visit):
    tab = visit("dirty")
    judged = names(tab, "drift")
    head = tab.locator("#drift thead").get_by_role("button", name="Column")
    head.click()
    assert names(tab, "drift") == sorted(judged)
    assert tab.locator("#drift th[aria-sort=ascending]").inner_text().startswith("Column")
    head.press("Enter")
    assert names(tab, "drift") == sorted(judged, reverse=True)
    tab.locator("#drift thead").get_by_role("button", name="Effect").click()
    effects = tab.locator("#drift td[data-label=Effect]").all_inner_texts()
    assert [float(one) for one in effects] == sorted(map(float, effects), reverse=True)


def test_a_row_opens_by_keys_alone(visit):
    tab = visit("fine")
    summary = tab.locator("#drift summary").first
    summary.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#drift tr.more").first.is_visible()
    tab.keyboard.press("Enter")
    assert not tab.locator("#drift tr.more").first.is_visible()


def test_without_script_everything_is_there(visit):
    tab = visit("dirty", java_script_enabled=False)
    assert tab.locator("#drift > tbody").count() == len(data_reports.dirty().drift.columns)
    assert tab.locator("thead button").count() == 0
    assert open_row(tab, "fare").locator(".plot").is_visible()


def test_awkward_names_are_only_text(visit):
    tab = visit("odd")
    assert "<script>alert('x')</script>" in tab.locator("h1").inner_text()
    tab.locator("#columns thead").get_by_role("button", name="Column").click()
    for summary in tab.locator("#drift summary").all():
        summary.click()
    assert tab.locator("main script:not([type])").count() == 0
    assert tab.get_by_role("link", name="MLflow run").count() == 0


def test_five_thousand_columns_stay_usable(visit, files, tmp_path):
    began = time.monotonic()
    tab = visit("wide")
    opened = time.monotonic() - began
    assert tab.locator("#drift > tbody").count() == 100
    began = time.monotonic()
    tab.get_by_role("searchbox", name="Search: Drift by column").fill("feature 4950")
    tab.wait_for_function("document.querySelectorAll('#drift > tbody').length === 1")
    searched = time.monotonic() - began
    tab.locator("#drift summary").first.click()
    assert tab.locator("#drift .plot").first.is_visible()
    tab.get_by_role("searchbox", name="Search: Drift by column").fill("")
    tab.wait_for_function("document.querySelectorAll('#drift > tbody').length > 100")
    began = time.monotonic()
    tab.locator("#drift thead").get_by_role("button", name="PSI").click()
    tab.wait_for_function("document.querySelector('#drift th[aria-sort]') !== null")
    ordered = time.monotonic() - began
    before = tab.locator("#drift > tbody").count()
    tab.locator("#drift-part").get_by_role("button", name="Show 200 more").click()
    assert tab.locator("#drift > tbody").count() == before + 200
    picture(tab, "wide", tmp_path, height=1400)
    size = (files / "wide.html").stat().st_size / 2**20
    print(
        f"5,000 columns: {size:.1f} MiB, opened {opened:.2f} s, searched {searched:.2f} s, sorted {ordered:.2f} s"
    )
    assert opened < 10
    assert max(searched, ordered) < 5


def test_a_phone_can_sort_and_search_too(visit):
    tab = visit("wide", width=PHONE)
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE
    tab.locator("#drift-part select").select_option("Effect")
    first = float(tab.locator("#drift td[data-label=Effect]").first.inner_text())
    last = float(tab.locator("#drift td[data-label=Effect]").last.inner_text())
    assert first >= last
