"""`airfoil variables` over the API of what runs: values come in quietly, and go out only when asked for by name."""

from __future__ import annotations

import io

import pytest

from airfoil.cli import variables

pytestmark = pytest.mark.unit

API = "/api/v2/variables"
DAG = "from airflow.sdk import Variable\nVariable.get('limit')\nVariable.get('colour', default='red')\n"


@pytest.fixture(autouse=True)
def pipe(monkeypatch):
    """Hand text to the command's stdin; nothing at first."""

    def put(text):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    put("")
    return put


def known(running, answer, *keys):
    rows = [{"key": key, "value": "s3cret", "description": None} for key in keys]
    running.server.on("GET", API, answer({"variables": rows}))
    running.server.on("POST", API, answer({}, 201))


def test_a_value_comes_through_a_pipe_and_is_not_shown(airfoil, running, answer, pipe):
    known(running, answer)
    pipe("s3cret\n")
    outcome = airfoil("variables", "set", "limit")
    assert outcome.out == "limit is kept, encrypted by Airflow.\n"
    assert [request.body for request in running.server.asked(API)] == [{"key": "limit", "value": "s3cret"}]


def test_a_list_shows_no_value_and_not_our_own_memory(airfoil, running, answer):
    known(running, answer, "limit", "airfoil_managed")
    text = airfoil("variables", "list").out
    assert "limit" in text
    assert "airfoil_managed" not in text
    assert "s3cret" not in text + airfoil("variables", "list", "--json").out


def test_get_prints_a_value_but_no_secret(airfoil, running, answer):
    running.server.on("GET", f"{API}/limit", answer({"value": "10"}))
    running.server.on("GET", f"{API}/api_key", answer({"value": "***"}))
    assert airfoil("variables", "get", "limit").out == "10\n"
    assert "marks it as a secret" in airfoil("variables", "get", "api_key").err
    assert "There is no variable nope." in airfoil("variables", "get", "nope").err


def test_deleting(airfoil, running, answer):
    running.server.on("DELETE", f"{API}/limit", answer("", 204), answer({}, 404))
    assert airfoil("variables", "delete", "limit").code == 0
    assert airfoil("variables", "delete", "limit").code == 1


def test_init_finds_writes_down_and_says_what_is_missing(airfoil, running, answer, project):
    known(running, answer)
    (project.dags / "a.py").write_text(DAG)
    outcome = airfoil("variables", "init")
    assert outcome.code == 1
    assert "These have no value and no default: limit." in outcome.err
    text = (project.root / variables.TEMPLATE).read_text()
    assert "# dags/a.py:2\nlimit=\n" in text
    assert "# dags/a.py:3 (has a default)\ncolour=\n" in text


def test_init_takes_values_from_a_file(airfoil, running, answer, project, tmp_path):
    known(running, answer, "colour")
    (project.dags / "a.py").write_text(DAG)
    (tmp_path / "values").write_text("# comment=1\nlimit = s3cret=1\ncolour=blue\n")
    outcome = airfoil("variables", "init", "--from-file", str(tmp_path / "values"))
    assert outcome.code == 0
    posted = [request.body for request in running.server.asked(API) if request.method == "POST"]
    assert posted == [{"key": "limit", "value": "s3cret=1"}]
    assert "s3cret" not in outcome.out


def test_init_overwrites_nobody_elses_file(airfoil, running, answer, project):
    known(running, answer)
    (project.dags / "a.py").write_text(DAG)
    (project.root / variables.TEMPLATE).write_text("mine")
    assert "was not written by this command" in airfoil("variables", "init").err
    assert (project.root / variables.TEMPLATE).read_text() == "mine"


def test_init_without_variables(airfoil, project):
    assert airfoil("variables", "init").code == 0


def test_init_gives_the_variables_of_the_pipeline_their_first_values_and_overwrites_none(
    airfoil, running, answer, project
):
    known(running, answer, "accuracy_threshold")
    names = ("crawl_url", "ml_model_type", "accuracy_threshold", "notification_email")
    text = "\n".join(
        f"A{number} = \"{{{{ var.value.get('{name}', '') }}}}\"" for number, name in enumerate(names)
    )
    (project.dags / "a.py").write_text(text)
    outcome = airfoil("variables", "init")
    assert outcome.code == 0, outcome.err
    posted = {
        request.body["key"]: request.body["value"]
        for request in running.server.asked(API)
        if request.method == "POST"
    }
    assert set(posted) == {"crawl_url", "ml_model_type"}, "nobody is told by mail unless somebody says whom"
    assert posted["crawl_url"].endswith("/samples/iris.csv")
    assert "ml_model_type is random_forest, until you change it" in outcome.out


def test_init_takes_a_value_of_a_file_before_the_first_one(airfoil, running, answer, project, tmp_path):
    known(running, answer)
    (project.dags / "a.py").write_text("A = '{{ var.value.ml_model_type }}'")
    (tmp_path / "values").write_text("ml_model_type=knn\n")
    assert airfoil("variables", "init", "--from-file", str(tmp_path / "values")).code == 0
    posted = [request.body for request in running.server.asked(API) if request.method == "POST"]
    assert posted == [{"key": "ml_model_type", "value": "knn"}]
