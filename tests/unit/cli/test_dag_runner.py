import re
from dataclasses import replace

import pytest

from airfoil.cli import dag_runner
from airfoil.cli.context import Invocation
from airfoil.cli.dag_runner import DagRunner, Result
from airfoil.cli.follow import RunView, TaskView
from airfoil.errors import NotFoundError
from airfoil.stack import servers
from airfoil.stack.servers import Server

pytestmark = pytest.mark.unit


@pytest.fixture
def runner(project, running, stack):
    invocation = Invocation(stack=stack, sleep=lambda _: None)
    with DagRunner(invocation, project, invocation.settings(project), stack.state) as found:
        yield found


def result(*tasks, state="failed"):
    return Result("shop", "manual__1", RunView(state, 61.0, tasks), "http://a/run", None)


def test_run_ids_look_like_airflows_and_never_collide():
    ids = {dag_runner.new_run_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(re.fullmatch(r"manual__\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ_[0-9a-f]{8}", run_id) for run_id in ids)


def test_links_quote_what_must_be_quoted(runner, running):
    assert runner.airflow_url("a b", "manual__2026-11-20T10:00:00+00:00") == (
        f"{running.url}/dags/a%20b/runs/manual__2026-11-20T10:00:00%2B00:00"
    )


def test_the_final_line():
    assert dag_runner.final_line(result()) == "✗ shop: failed after 1 min 1 s"
    assert (
        dag_runner.final_line(Result("shop", "r", RunView("success", None, ()), "", None))
        == "✓ shop: success"
    )


def test_only_so_many_failed_tasks_are_explained(runner, running, capsys):
    tasks = [TaskView("many", number, "failed", 1, 1.0) for number in range(8)]
    running.add_log("shop", "manual__1", "many", 1, {"event": "boom"})

    runner.explain(result(*tasks))

    text = capsys.readouterr().out
    assert text.count("  boom\n") == 5
    assert text.endswith("3 more tasks failed; see http://a/run\n")


def test_an_empty_log_is_said_to_be_empty(runner, running, capsys):
    running.add_log("shop", "manual__1", "a", 1)

    runner.explain(result(TaskView("a", -1, "failed", 1, 1.0)))

    assert "  (empty)\n" in capsys.readouterr().out


def test_nothing_failed_nothing_is_explained(runner, capsys):
    runner.explain(result(TaskView("a", -1, "success", 1, 1.0), state="success"))

    assert capsys.readouterr().out == ""


def test_json_of_a_result():
    assert result(state="success").to_dict()["airflow_url"] == "http://a/run"


def test_a_dag_that_a_foreign_airflow_does_not_have(project, running, stack, answer):
    url = "http://airflow:8080"
    servers.settle(project, {"airflow": Server("airflow", running.url, "ann", "pw")})
    stack.state = replace(stack.state, foreign={"airflow": url})
    (project.dags / "shop.py").write_text("dag_id = 'shop'")  # new, and yet nothing to wait for
    invocation = Invocation(stack=stack, sleep=lambda _: pytest.fail("nothing to wait for"))
    running.server.on("GET", "/api/v2/dags/shop", lambda _: answer({}, 404))

    with (
        DagRunner(invocation, project, invocation.settings(project), stack.state) as runner,
        pytest.raises(NotFoundError, match="http://airflow:8080 has no DAG shop") as error,
    ):
        runner.start("shop", {})

    assert "is not deployed to http://airflow:8080" in error.value.next_move
    assert running.server.asked("/auth/token")[0].body == {"username": "ann", "password": "pw"}
