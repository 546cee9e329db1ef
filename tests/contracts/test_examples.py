"""Examples of the documents are whole: each block of Python runs as a file, and its DAGs can be scheduled."""

from __future__ import annotations

import re
import runpy
from itertools import pairwise
from pathlib import Path

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.lint.rules import check_source
from airfoil.lint.source import parse_source

pytestmark = pytest.mark.contracts

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("alerts.md", "authoring.md", "first-gated-training.md", "gates.md")
SECTIONS = {
    "data-quality.md": ("In a DAG",),
    "drift.md": ("In a DAG",),
    "features.md": ("In a DAG",),
    "lifecycle.md": ("What it is told",),
    "python.md": ("Features", "Tables", "Gates, versions, aliases", "Alerts"),
    "training-sets.md": ("In a DAG",),
}


def blocks():
    for page in PAGES:
        yield from ((page, text) for text in python_in((DOCS / page).read_text(encoding="utf-8")))
    for page, headings in SECTIONS.items():
        for heading in headings:
            section = (DOCS / page).read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
            yield from ((page, text) for text in python_in(section.partition("\n## ")[0]))


def python_in(text):
    return re.findall(r"^```python[^\n]*\n(.+?)^```$", text, re.MULTILINE | re.DOTALL)


BLOCKS = list(blocks())


def test_there_are_examples():
    assert len(BLOCKS) > 4


@pytest.mark.parametrize(("page", "text"), BLOCKS, ids=[f"{page}-{n}" for n, (page, _) in enumerate(BLOCKS)])
def test_an_example_runs_and_its_dags_survive_serialization(page, text, tmp_path, monkeypatch):
    made = []
    real = DAG.__attrs_post_init__
    monkeypatch.setattr(DAG, "__attrs_post_init__", lambda dag: (real(dag), made.append(dag))[0])
    file = tmp_path / "example.py"
    file.write_text(text, encoding="utf-8")
    runpy.run_path(str(file))
    assert made
    for dag in made:
        assert DagSerialization.from_dict(DagSerialization.to_dict(dag)).task_ids == dag.task_ids


GUIDE = re.findall(
    r'^```python title="([^"]+)"(?: hl_lines="([^"]+)")?\n(.+?)^```$',
    (DOCS / "authoring.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)


def test_the_authoring_guide_highlights_what_a_step_adds():
    steps = [(lines, code.splitlines()) for title, lines, code in GUIDE if title == "dags/diabetes.py"]
    for (_, before), (highlighted, code) in pairwise(steps):
        new = {number for number, line in enumerate(code, 1) if line.strip() and line not in before}
        spans = [[int(end) for end in span.split("-")] for span in highlighted.split()]
        assert new == {number for span in spans for number in range(span[0], span[-1] + 1)}


def test_the_check_finds_what_the_authoring_guide_says_it_finds():
    """In the code that people come from, and in nothing else of that page."""
    found = [
        (title, {fault.code for fault in check_source(parse_source(code.encode(), title))})
        for title, _, code in GUIDE
    ]
    hints = {
        "AF305",
        "AF306",
        "AF307",
        "AF309",
    }  # tags, description, owner and deadline are left out, so that the page stays short
    assert [codes - hints for title, codes in found if title != "Before"] == [set()] * (len(found) - 2)
    assert [codes - hints for title, codes in found if title == "Before"] == [{"AF206"}, {"AF206", "AF501"}]
