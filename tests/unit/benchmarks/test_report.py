import xml.etree.ElementTree as ET

import pytest
from benchmarks import report

pytestmark = pytest.mark.unit


def test_page_shows_figures_ratios_goals_and_circumstances(result_file):
    page = report.render([result_file])
    assert "|  | `ours run` | the peer | the tuned peer | ratio | ratio, tuned |" in page
    assert "| Time | 2.0 s | 8.0 s | 4.0 s | 0.25 | 0.50 |" in page
    assert "| Left | 0 | 0 | 0 |  |  |" in page
    assert "| Time | 0.7 | 0.25 | yes |" in page
    assert "| Memory | 1,024 MiB | 1,200 MiB | **no** |" in page
    assert "peer run --fast" in page
    assert "Taken on 2026-11-20, once, on Fast, 2 cores, 24 GiB" in page
    assert "All contenders did the same work." in page


def test_plot_is_told_in_words_too(result_file):
    assert "![A race: Time 2.0 s against 8.0 s against 4.0 s](images/benchmarks/race.svg)" in (
        report.render([result_file])
    )


def test_unequal_work_is_not_hidden(result_file):
    result_file["line"]["equal"] = False
    assert "did **not** do the same work" in report.render([result_file])


def test_empty_page_says_so():
    assert "Nothing has been measured yet." in report.render([])


def test_page_and_plot_are_written_the_same_each_time(result_file, tmp_path):
    page = report.write([result_file], tmp_path)
    plot = tmp_path / "images" / "benchmarks" / "race.svg"
    before = page.read_bytes(), plot.read_bytes()
    ET.fromstring(before[1])  # noqa: S314 - our own file
    report.write([result_file], tmp_path)
    assert (page.read_bytes(), plot.read_bytes()) == before
