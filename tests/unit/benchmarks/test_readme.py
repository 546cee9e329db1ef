"""The figures in README.md."""

import pytest
from benchmarks import readme, result

pytestmark = pytest.mark.unit


def test_each_benchmark_has_a_line_with_its_peer(result_file):
    assert readme.render([result_file]) == (
        "| The same work | Airfoil | the usual way | which is |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| A race | 2.0 s | 8.0 s | the peer |"
    )


def test_a_second_case_of_the_work_is_told_apart(result_file):
    units = {"seconds": "s", "mib": "MiB", "far_seconds": "s"}
    result_file["figures"] = [
        {"key": key, "label": key, "unit": unit, "digits": 0, "is_plotted": True}
        for key, unit in units.items()
    ]
    for side in ("ours", "peer"):
        result_file["line"][side] = dict.fromkeys(units, 7)
    assert "| 7 s, 7 MiB; 7 s | 7 s, 7 MiB; 7 s | the peer |" in readme.render([result_file])


def test_the_ground_floor_has_a_table_of_its_own(result_file):
    result_file["line"]["name"] = "floor"
    assert readme.render([result_file]) == (
        "|  | Airfoil | the peer | the tuned peer |\n| --- | ---: | ---: | ---: |\n| Time | 2.0 s | 8.0 s | 4.0 s |"
    )


def test_only_what_is_between_the_marks_is_written(result_file, tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"above\n{readme.BEGIN}\nold\n{readme.END}\nbelow\n", encoding="utf-8")
    readme.write([result_file], page)
    once = page.read_text(encoding="utf-8")
    assert once.startswith(f"above\n{readme.BEGIN}\n| The same work")
    assert once.endswith(f"|\n{readme.END}\nbelow\n")
    assert "old" not in once
    readme.write([result_file], page)
    assert page.read_text(encoding="utf-8") == once


def test_a_page_without_marks_is_left_alone(result_file, tmp_path):
    page = tmp_path / "README.md"
    page.write_text("mine\n", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks the marks"):
        readme.write([result_file], page)
    assert page.read_text(encoding="utf-8") == "mine\n"


def test_the_readme_has_the_kept_figures():
    """Otherwise: `python -m benchmarks.report`."""
    assert readme.render(result.load_all()) in readme.README.read_text(encoding="utf-8")
