"""The watch over one parse, each scene in a process of its own: an audit hook cannot be taken away again."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit
SCENE = """
import json, sys
sys.path.insert(0, sys.argv[2])
from airfoil.runtime.parse_watch import ParseWatch
path = sys.argv[1]
code = compile(open(path).read(), path, "exec")
watch = ParseWatch(path, (sys.argv[2],))
with watch:
    try:
        exec(code, {"__name__": "x", "__file__": path})
    except Exception as error:
        print(type(error).__name__)
open(sys.argv[2] + "/after", "w").close()
print("RESULT" + json.dumps([watch.asked, watch.slowest()]))
"""


@pytest.fixture
def watch(tmp_path):
    """watch(text) gives what was asked (line, kind), what was slow, and what was printed."""

    def run(text, **modules):
        for name, content in modules.items():
            (tmp_path / f"{name}.py").write_text(content, encoding="utf-8")
        (tmp_path / "a_dag.py").write_text(text, encoding="utf-8")
        command = [sys.executable, "-c", SCENE, str(tmp_path / "a_dag.py"), str(tmp_path)]
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
        asked, slow = json.loads(said.rpartition("RESULT")[2])
        return [(one["line"], one["kind"]) for one in asked], slow, said.rpartition("RESULT")[0].strip()

    return run


def test_network_databases_and_processes_are_refused_and_noted(watch):
    text = """import socket, sqlite3, subprocess
for act in (
    lambda: socket.create_connection(("127.0.0.1", 9)),
    lambda: sqlite3.connect(":memory:"),
    lambda: subprocess.run(["true"]),
):
    try:
        act()
    except OSError as error:
        assert "closed while" in str(error), error
open("written", "w").close()
open("a_dag.py").close()
"""
    asked, _, said = watch(text)
    assert said == ""
    assert asked == [(3, "network"), (4, "database"), (5, "process"), (11, "file")]


def test_connections_and_variables_are_answered_and_noted(watch):
    text = """from airflow.sdk import BaseHook, Connection, Variable
def hidden():
    return Variable.get("a")
assert hidden() == ""
assert Variable.get("a", default="b") == "b"
assert Variable.get("a", deserialize_json=True) == {}
assert BaseHook.get_connection("c").conn_id == "c"
assert Connection.get("d").host == "localhost"
"""
    asked, _, said = watch(text)
    assert said == ""
    assert asked == [(3, "variable"), (5, "variable"), (6, "variable"), (7, "connection"), (8, "connection")]


def test_the_slow_import_is_named_where_it_stands(watch):
    asked, slow, _ = watch(
        "import json\nimport middle\n",
        middle="import os\nimport slow\n",
        slow="import time\ntime.sleep(0.3)\n",
    )
    assert asked == []
    assert (slow["module"], slow["line"]) == ("slow", 2)
    assert slow["file"].endswith("middle.py")
    assert 0.3 <= slow["seconds"] < 3


def test_quick_imports_are_not_named(watch):
    assert watch("import json\n")[1] is None
