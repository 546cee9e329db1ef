import json

import pytest
import typer

from airfoil.cli import run as command

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("conf", "pairs", "expected"),
    [
        (None, [], {}),
        ('{"a": 1, "b": [2]}', [], {"a": 1, "b": [2]}),
        ('{"a": 1}', ["a=2", "c=x y=z"], {"a": 2, "c": "x y=z"}),
        (None, ["t=true", "n=null", "s=", 'j={"k": 1}', "q=1.5", "date=2026-01-01"],
         {"t": True, "n": None, "s": "", "j": {"k": 1}, "q": 1.5, "date": "2026-01-01"}),
        (None, ["x=NaN"], {"x": "NaN"}),
    ],
)  # fmt: skip
def test_parameters(conf, pairs, expected):
    assert command.parse_parameters(conf, pairs) == expected


@pytest.mark.parametrize(
    ("conf", "pairs", "text"),
    [
        ("{", [], "not JSON"),
        ("[1]", [], "not a JSON object"),
        ('{"a": NaN}', [], "not JSON"),
        (None, ["a"], "NAME=VALUE"),
        (None, ["=1"], "NAME=VALUE"),
    ],
)
def test_wrong_parameters(conf, pairs, text):
    with pytest.raises(typer.BadParameter, match=text):
        command.parse_parameters(conf, pairs)


def test_wrong_parameters_are_wrong_usage(airfoil, running):
    outcome = airfoil("run", "shop", "--conf", "[1]")

    assert outcome.code == 2
    assert "--conf" in outcome.err


def test_a_run_that_succeeds(airfoil, running, task):
    running.add_dag(
        "shop",
        ("queued", [task("train"), task("report")]),
        ("running", [task("train", "running"), task("report")]),
        ("running", [task("train", "success"), task("report", "running", try_number=2)]),
        ("success", [task("train", "success"), task("report", "success", try_number=2)]),
    )

    outcome = airfoil("run", "shop", "--conf", '{"rows": 5}', "--param", "trees=7")

    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    url = f"{running.url}/dags/shop/runs/{running.run_id('shop')}"
    assert lines[0] == f"Running shop: {url}"
    assert [line.split(" s  ", 1)[1].split() for line in lines[1:5]] == [
        ["train", "running"],
        ["✓", "train", "success", "2.5", "s"],
        ["report", "running", "(try", "2)"],
        ["✓", "report", "success", "2.5", "s", "(try", "2)"],
    ]
    assert lines[5:] == ["✓ shop: success after 5.0 s", f"  Airflow  {url}"]
    (sent,) = running.triggered["shop"]
    assert sent["conf"] == {"rows": 5, "trees": 7}
    assert sent["logical_date"] is None
    assert "\x1b" not in outcome.out


def test_a_run_that_fails_shows_the_end_of_each_log(airfoil, running, task, answer):
    tasks = [
        task("load", "failed", try_number=2),
        task("many", "failed", map_index=3),
        task("end", "upstream_failed"),
    ]
    running.add_dag("shop", ("failed", tasks))

    original = running.server.reply

    def reply(request):
        if request.path.endswith("/logs/2"):
            return answer({"content": [f"line {number}" for number in range(30)]})
        if request.path.endswith("/logs/1"):
            return answer({"detail": "gone"}, 404)
        return original(request)

    running.server.reply = reply

    outcome = airfoil("run", "shop")

    assert outcome.code == 1
    assert "Last lines of shop.load (try 2):\n  line 10\n" in outcome.out
    assert "  line 29\nAll of it" in outcome.out
    assert "(the log cannot be read: Airflow refused the request (404: gone).)" in outcome.out
    assert "All of it: airfoil logs shop.load\n" in outcome.out
    assert "All of it: airfoil logs 'shop.many[3]'\n" in outcome.out
    assert "✗ shop: failed after 5.0 s" in outcome.out
    assert "shop.end" not in outcome.out


def test_json_is_one_object_at_the_end(airfoil, running, task):
    running.add_dag(
        "shop", ("running", [task("a", "running")]), ("failed", [task("a", "failed")]), is_paused=True
    )

    outcome = airfoil("run", "shop", "--json")

    assert (outcome.code, outcome.err) == (1, "")
    found = outcome.json()
    assert (found["dag_id"], found["run_id"], found["state"]) == ("shop", running.run_id("shop"), "failed")
    assert found["mlflow_url"] is None
    assert found["tasks"] == [
        {"task_id": "a", "map_index": -1, "state": "failed", "try_number": 1, "seconds": 2.5}
    ]


def test_a_paused_dag_is_unpaused_and_that_is_said(airfoil, running, task):
    running.add_dag("shop", ("success", []), is_paused=True)

    outcome = airfoil("run", "shop")

    assert outcome.code == 0
    assert "shop was paused; it is not any more." in outcome.out
    assert running.dags["shop"]["is_paused"] is False


def test_the_mlflow_run_is_linked(airfoil, running, task, answer):
    running.add_dag("shop", ("success", []))
    api = "/api/2.0/mlflow"
    running.server.on("POST", f"{api}/experiments/search", answer({"experiments": [{"experiment_id": "1"}]}))
    runs = [{"info": {"run_id": run_id, "experiment_id": "1"}} for run_id in ("child", "parent")]
    running.server.on("POST", f"{api}/runs/search", answer({"runs": runs}))

    outcome = airfoil("run", "shop")

    assert f"  MLflow   {running.url}/#/experiments/1/runs/parent\n" in outcome.out


def test_an_unknown_dag_names_the_nearest(airfoil, running):
    running.add_dag("train_wine")

    outcome = airfoil("run", "trian_wine")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "Error: There is no DAG trian_wine.\nDid you mean train_wine?\n"


def test_a_platform_that_does_not_run(airfoil, project):
    outcome = airfoil("run", "shop")

    assert (outcome.code, outcome.err) == (
        1,
        "Error: The platform is not running.\nStart it: `airfoil up`.\n",
    )


def test_refused_parameters_are_told_as_airflow_tells_them(airfoil, running, answer):
    running.add_dag("shop")
    told = "Invalid input for param trees: 0 is less than the minimum of 1"
    schema = (
        "Failed validating 'minimum' in schema:\n    {'type': 'integer',\n     'minimum': 1}\n\nOn instance:"
    )
    detail = {"detail": f"{told}\n\n{schema}\n    0"}
    running.server.on("POST", "/api/v2/dags/shop/dagRuns", answer(detail, 400))

    outcome = airfoil("run", "shop", "--param", "trees=0")

    assert outcome.code == 1
    assert "(400: Invalid input for param trees: 0 is less than the minimum of 1)." in outcome.err
    assert outcome.err.endswith(f"What the DAG takes is told here: {running.url}/dags/shop\n")


def test_ctrl_c_says_that_the_run_goes_on(airfoil, running, task):
    running.add_dag("shop", ("running", [task("a", "running")]))

    def interrupt(seconds):
        raise KeyboardInterrupt

    outcome = airfoil("run", "shop", sleep=interrupt)

    assert outcome.code == 130
    assert outcome.err.startswith("\nInterrupted. The run goes on without this command;")
    assert outcome.err.count("\n") == 2


def test_an_outage_is_survived(airfoil, running, task, answer):
    running.add_dag("shop", ("running", [task("a", "running")]), ("success", [task("a", "success")]))
    original = running.server.reply
    away = iter([True, True, False])

    def reply(request):
        if request.path.endswith("/taskInstances") and next(away, False):
            return answer("away", 503)
        return original(request)

    running.server.reply = reply

    outcome = airfoil("run", "shop")

    assert outcome.code == 0
    assert "Airflow does not answer; trying for up to 120 s more." in outcome.out
    assert "Airflow answers again" in outcome.out


def test_json_stays_json_during_an_outage(airfoil, running, task, answer):
    running.add_dag("shop", ("success", []))
    running.server.on("GET", "/api/v2/dags/shop", answer("x", 503), answer({"dag_id": "shop"}))

    outcome = airfoil("run", "shop", "--json")

    assert json.loads(outcome.out)["state"] == "success"
    assert outcome.err == ""
