"""Variables that DAG files use, found without running them."""

from __future__ import annotations

import pytest

from airfoil.stack.variable_scan import used_variables

pytestmark = pytest.mark.unit


def scan(tmp_path, code, name="dag.py"):
    folder = tmp_path / "dags"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(code, encoding="utf-8")
    return [(row.key, row.place, row.has_default) for row in used_variables(tmp_path, [folder])]


@pytest.mark.parametrize(
    "code",
    [
        "from airflow.sdk import Variable\nVariable.get('x')",
        "from airflow.models import Variable as V\nV.get('x')",
        "from airflow.models.variable import Variable\nVariable.get(key='x')",
        "import airflow.sdk\nairflow.sdk.Variable.get('x')",
        "import airflow.sdk as s\ns.Variable.get('x', deserialize_json=True)",
        "from airflow import models\nmodels.Variable.get('x')",
    ],
)
def test_each_way_to_ask_is_found(tmp_path, code):
    assert scan(tmp_path, code) == [("x", "dags/dag.py:2", False)]


@pytest.mark.parametrize("default", ["default=1", "default_var=None", "'fallback'"])
def test_a_default_is_seen(tmp_path, default):
    assert scan(tmp_path, f"from airflow.sdk import Variable\nVariable.get('x', {default})")[0][2]


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{{ var.value.x }}", [("x", False)]),
        ("{{ var.json.x.deep }} {{ var.value.y }}", [("x", False), ("y", False)]),
        ("{{ var.value.get('x') }}", [("x", False)]),
        ("{{ var.value.get('x', 'fallback') }}", [("x", True)]),
        ("no var.value.x template", []),
    ],
)
def test_templates_are_read(tmp_path, template, found):
    code = f"BashOperator(bash_command={template!r})"
    assert [(key, default) for key, _, default in scan(tmp_path, code)] == found


@pytest.mark.parametrize(
    "code",
    [
        "Variable.get('x')",
        "from tkinter import Variable\nVariable.get('x')",
        "from airflow.sdk import Variable\nVariable.set('x', 1)",
        "from airflow.sdk import Variable\nVariable.get(name())",
        "from airflow.sdk import Variable\nVariable.get(3)",
        "from airflow.sdk import Variable\nVariable.get()",
        "def broken(:",
        "",
    ],
)
def test_what_is_not_a_use_is_left_out(tmp_path, code):
    assert scan(tmp_path, code) == []


def test_files_of_other_encodings_and_none_at_all(tmp_path):
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "bytes.py").write_bytes(b"\xff\xfe\x00")
    (folder / "gone.py").symlink_to(tmp_path / "nowhere")
    assert used_variables(tmp_path, [folder, tmp_path / "missing"]) == []


def test_every_place_is_named_in_order(tmp_path):
    scan(tmp_path, "from airflow.sdk import Variable\nVariable.get('b')\nVariable.get('a')")
    found = scan(tmp_path, "from airflow.sdk import Variable\nVariable.get('b')", "other.py")
    assert [row[:2] for row in found] == [
        ("a", "dags/dag.py:3"),
        ("b", "dags/dag.py:2"),
        ("b", "dags/other.py:2"),
    ]
