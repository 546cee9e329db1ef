"""Examples of the documents are whole: each block of Python runs as a file, and its DAGs can be scheduled."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

pytestmark = pytest.mark.contracts

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("alerts.md", "first-gated-training.md", "gates.md")
SECTIONS = {
    "data-quality.md": ("In a DAG",),
    "drift.md": ("In a DAG",),
    "features.md": ("In a DAG",),
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
    return re.findall(r"^```python\n(.+?)^```$", text, re.MULTILINE | re.DOTALL)


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
