"""Files of a run: stored, and stored again when another run takes over."""

import json

import pytest

from airfoil.clients.run_files import RunFiles, figure_bytes, json_bytes
from airfoil.errors import ConfigurationError, ServiceAnswerError, StorageError
from airfoil.records import Scores
from airfoil.steps.charts import draw_confusion

pytestmark = pytest.mark.unit

OLD, NEW = "mlflow-artifacts:/1/old/artifacts", "mlflow-artifacts:/1/new/artifacts"


@pytest.fixture
def files(http):
    files = RunFiles(http)
    yield files
    files.close()


def test_everything_is_given_to_a_run_that_takes_over(files, server, tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "ü.txt").write_text("two")
    files.store(OLD, "notes/a.txt", b"one")
    files.store_path(OLD, tmp_path / "plots")
    assert files.store_again(NEW) == []
    assert server.artifacts == {
        f"1/{run}/artifacts/{name}": content
        for run in ("old", "new")
        for name, content in (("notes/a.txt", b"one"), ("plots/ü.txt", b"two"))
    }


def test_a_file_that_is_gone_meanwhile_is_named(files, tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"x")
    files.store_path(OLD, path, "best.bin")
    path.unlink()
    assert files.store_again(NEW) == ["best.bin"]


def test_the_last_content_of_a_name_is_stored_again(files, server):
    files.store(OLD, "a", b"1")
    files.store(OLD, "a", b"2")
    files.store_again(NEW)
    assert server.artifacts["1/new/artifacts/a"] == b"2"


def test_what_could_not_be_sent_is_an_error(files, server):
    server.faults.fail_next("mlflow-artifacts/artifacts/*", 500)
    with pytest.raises(ServiceAnswerError, match="told to fail"):
        files.store(OLD, "a", b"1")


def test_a_file_that_is_not_there_is_told(files, tmp_path):
    with pytest.raises(StorageError, match="no file"):
        files.store_path(OLD, tmp_path / "nothing")


@pytest.mark.parametrize("name", ["", "/a", "../a", "a//b", ".", "a\\b"])
def test_a_name_must_stay_inside_the_run(files, name):
    with pytest.raises(ConfigurationError, match="stored with the run"):
        files.store(OLD, name, b"")


def test_a_figure_is_drawn_as_its_name_says():
    figure = draw_confusion([[1]], ["only"])
    assert figure_bytes(figure, "charts/confusion.png").startswith(b"\x89PNG")
    assert figure_bytes(figure, "confusion").startswith(b"\x89PNG")
    assert b"<svg" in figure_bytes(figure, "confusion.svg")


class Page:
    """As plotly's figures are."""

    def to_html(self, **_):
        return "<html>"


def test_a_plotly_figure_becomes_a_page():
    assert figure_bytes(Page(), "a.html") == b"<html>"


@pytest.mark.parametrize(("figure", "name"), [(Page(), "a.png"), ("text", "a.png"), (None, "a.html")])
def test_what_cannot_be_drawn_is_named(figure, name):
    with pytest.raises(ConfigurationError, match=name):
        figure_bytes(figure, name)


def test_records_and_numbers_become_json():
    scores = Scores(values={"accuracy": 0.5}, rows=3)
    value = json.loads(
        json_bytes({"scores": scores, "list": [scores], "nan": float("nan"), 7: (1, None)}, "a.json")
    )
    assert value["scores"] == value["list"][0] == {"values": {"accuracy": 0.5}, "rows": 3}
    assert value["nan"] == "nan"
    assert value["7"] == [1, None]


def test_what_is_no_json_is_named():
    with pytest.raises(ConfigurationError, match=r"a\.json"):
        json_bytes({"a": object()}, "a.json")
