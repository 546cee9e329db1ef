import sys
from types import SimpleNamespace

import pytest

from airfoil.runtime.here import dag_file
from airfoil.runtime.here.channel import Refusal

pytestmark = pytest.mark.unit


class Bag:
    """What importing one file gave."""

    def __init__(self, dags=(), error=None):
        self.dags = {dag_id: f"<{dag_id}>" for dag_id in dags}
        self.import_errors = {"file.py": error} if error else {}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A DAG folder; `bags` says what importing each of its files gives, `imported` which were."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "nested").mkdir()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.py").touch()
    files = {"a.py": "one", "b.py": "dag_id='shop'", "nested/c.py": "other"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    bags = {"a.py": Bag(["one"]), "b.py": Bag(["shop"]), "nested/c.py": Bag(["generated"])}
    imported = []

    def import_file(root, file):
        name = str(file.relative_to(root))
        imported.append(name)
        return bags[name]

    monkeypatch.setattr(dag_file, "import_file", import_file)
    return SimpleNamespace(root=tmp_path, bags=bags, imported=imported)


def test_the_file_that_names_the_dag_is_imported_first_and_no_other(folder):
    found = dag_file.find_dag(folder.root, "shop")

    assert (found.dag, found.file) == ("<shop>", "b.py")
    assert folder.imported == ["b.py"]
    # Helpers beside the DAG files are importable, as in a task.
    assert str(folder.root) in sys.path


def test_a_dag_whose_id_stands_in_no_file_is_found(folder):
    assert dag_file.find_dag(folder.root, "generated").file == "nested/c.py"


def test_an_unknown_dag_names_the_nearest(folder):
    with pytest.raises(Refusal, match=r"There is no DAG shpo in .*\. Did you mean shop\?"):
        dag_file.find_dag(folder.root, "shpo")


def test_a_file_that_names_the_dag_and_does_not_import_says_why(folder):
    folder.bags["b.py"] = Bag(error="Traceback ...\nSyntaxError: invalid syntax")

    with pytest.raises(dag_file.DoesNotImportError, match="SyntaxError: invalid syntax"):
        dag_file.find_dag(folder.root, "shop")


def test_a_broken_file_of_somebody_else_does_not_stand_in_the_way(folder):
    folder.bags["a.py"] = Bag(error="boom")

    assert dag_file.find_dag(folder.root, "generated").dag == "<generated>"
    with pytest.raises(dag_file.DoesNotImportError, match="boom"):
        dag_file.find_dag(folder.root, "nowhere")


def test_a_file_that_cannot_be_read(folder):
    assert dag_file.text_of(folder.root / "gone.py") == ""
