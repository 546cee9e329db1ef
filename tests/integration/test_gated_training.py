"""Gated trainings as the guides print them, and what becomes of models that are refused, retried or overtaken."""

from __future__ import annotations

import json
import re
import textwrap

import pytest
from tests.integration.dag_scenes import play, play_in_turn
from tests.integration.guides import DOCS, printed
from tests.integration.mlflow_servers import mlflow_server
from tests.sizes import FULL, full_only

from airfoil.clients.claims import Claims
from airfoil.clients.exchange import API
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.model_registry import versions
from airfoil.clients.verdicts import verdicts

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

(GUIDE,) = printed("first-gated-training.md")
PRINTED_LINES = 25
AUTHORING = dict(
    zip(
        (
            "first",
            "table",
            "training",
            "gated",
            "follower",
            "by_hand",
            "by_gate",
            "by_pickle",
            "by_reference",
        ),
        printed("authoring.md"),
        strict=True,
    )
)
DIES_ONCE = """
    from airflow.sdk import get_current_context
    if get_current_context()["ti"].try_number == 1:
        raise TimeoutError("after the last line")
"""
# A model that is trained in no time, and tasks that fail after their work was done.
FAULTS = '''
from __future__ import annotations
from datetime import timedelta
from airflow.sdk import dag, task
from airfoil import Model, ModelRef, Scores, gate, promote, register, rollback
from airfoil.provider.operators.promote_model import PromoteModelOperator
from airfoil.provider.operators.register_model import RegisterModelOperator

CHAMPION = Model("ale").at("champion")

def fail_once(real):
    def execute(self, context):
        found = real(self, context)
        if context["ti"].try_number == 1:
            raise TimeoutError("the answer was lost")
        return found
    return execute

class LostRegistration(RegisterModelOperator):
    execute = fail_once(RegisterModelOperator.execute)

class LostPromotion(PromoteModelOperator):
    execute = fail_once(PromoteModelOperator.execute)

@task.mlflow
def train(mlflow_run) -> ModelRef:
    import pandas as pd
    from sklearn.dummy import DummyClassifier
    frame = pd.DataFrame({"x": [0, 1]})
    return mlflow_run.log_model(DummyClassifier().fit(frame, [0, 1]), name="ale", example=frame)

@task
def measure(model, accuracy):
    return Scores(values={"accuracy": accuracy}, rows=100).to_json()

AGAIN = {"retries": 1, "retry_delay": timedelta(0)}

@dag(schedule=None)
def a_retried():
    model = train()
    decision = gate(measure(model, 0.95), metric="accuracy", at_least=0.9, better_than=CHAMPION)
    version = LostRegistration(task_id="register", model=model, name="ale", when=decision, **AGAIN).output
    LostPromotion(task_id="promote", version=version, alias="champion", because=decision, **AGAIN)

@dag(schedule=None)
def b_refused():
    model = train()
    decision = gate(measure(model, 0.5), metric="accuracy", at_least=0.9, candidate=model, better_than=CHAMPION)
    promote(register(model, name="ale", when=decision), because=decision)

@dag(schedule=None)
def c_overtaken():
    model = train()
    decision = gate(measure(model, 0.99), metric="accuracy", better_than=CHAMPION)
    version = register(model, name="ale", when=decision)

    @task
    def somebody_else(version):
        """Promote another version while this run goes on."""
        from airfoil.clients.claims import Claims
        from airfoil.clients.ledger import Ledger
        from airfoil.provider.hooks.mlflow import MlflowHook
        with MlflowHook().http() as http:
            http.do(Ledger(Claims()).move("ale", "champion", version["version"], who="ana", reason="in a hurry"))
            http.do(Ledger(Claims()).move("ale", "challenger", 1, who="ana"))

    somebody_else(version) >> promote(version, alias="champion", because=decision).operator

@dag(schedule=None)
def d_undone():
    rollback("ale", reason="complaints")

a_retried(); b_refused(); c_overtaken(); d_undone()
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as running:
        yield MlflowServer(running.uri)


@pytest.fixture(scope="module")
def home(migrated_airflow, tmp_path_factory):
    return migrated_airflow.copied_to(tmp_path_factory.mktemp("gated") / "home")


@pytest.fixture
def http(server):
    with MlflowHttp(server) as client:
        yield client


def run(home, server, folder, text):
    folder.mkdir(exist_ok=True)
    file = folder / "dags.py"
    file.write_text(text, encoding="utf-8")
    return play(
        home, file, AIRFLOW_CONN_MLFLOW_DEFAULT=json.dumps({"conn_type": "mlflow", "host": server.uri})
    )


def test_the_guides_dag_is_as_short_as_promised():
    assert len([line for line in GUIDE.splitlines() if line.strip()]) <= PRINTED_LINES


@full_only
def test_the_guides_dag_runs_as_printed_and_the_second_model_is_refused(home, server, http, tmp_path):
    first = run(home, server, tmp_path / "dags", GUIDE)
    assert first.runs["wine_weekly"]["state"] == "success", first.log[-3000:]
    assert {state for state, _ in first.tasks("wine_weekly").values()} == {"success"}
    (entry,) = http.do(Ledger(Claims()).entries("wine", "champion"))
    assert (entry.from_version, entry.to_version, entry.gate["outcome"]) == (None, 1, "no_champion")

    second = run(home, server, tmp_path / "dags", GUIDE)
    assert second.runs["wine_weekly"]["state"] == "success"
    states = {name: state for name, (state, _) in second.tasks("wine_weekly").items()}
    assert states == {
        **dict.fromkeys(("split", "train", "evaluate", "gate"), "success"),
        **dict.fromkeys(("register", "promote"), "skipped"),
    }
    assert "Rejected: accuracy is" in second.log
    assert [one.version for one in http.do(versions("wine"))] == [1]
    newest, _ = http.do(verdicts(Claims(), "wine"))
    assert newest.decision.outcome == "failed"
    assert "wine@champion (version 1) has" in newest.decision.reason
    assert newest.run_id, "the verdict names the MLflow run of its gate"
    tags = tags_of(http, newest.run_id)
    assert tags["airfoil.gate.outcome"] == "failed"
    assert tags["airfoil.gate.reason"] == newest.decision.reason


def dying_once(text, start):
    """A file whose function dies in its first try at its last line: before one that returns, else after it."""
    (found,) = re.finditer(rf"^( *){re.escape(start)}.*$", text, re.MULTILINE)
    fault = textwrap.indent(textwrap.dedent(DIES_ONCE).strip(), found[1])
    lines = (fault, found[0]) if start.startswith("return") else (found[0], fault)
    return text.replace(found[0], "\n".join(lines)).replace('"retries": 2', '"retries": 2, "retry_delay": 0')


@pytest.fixture
def as_tried(server, tmp_path):
    """The files of the authoring guide by name, at our addresses; two of them die at their end, as the page tells."""
    texts = {
        **AUTHORING,
        "by_hand": dying_once(AUTHORING["by_hand"], "client.set_registered_model_alias("),
        "by_gate": dying_once(AUTHORING["by_gate"], 'return {"model": logged'),
    }
    ours = "from airfoil.provider.operators.mlflow_function import MlflowFunctionOperator as PythonOperator"
    assert f"\n{ours}\n" in (DOCS / "authoring.md").read_text(encoding="utf-8")
    theirs = "from airflow.providers.standard.operators.python import PythonOperator"
    texts["by_one_line"] = texts["by_hand"].replace(theirs, ours).replace("by_hand", "by_one_line")
    assert texts["by_one_line"].count(ours) == 1
    places = {"http://127.0.0.1:5000": server.uri, "/tmp/": f"{tmp_path}/"}
    for printed_place, place in places.items():
        texts = {name: text.replace(printed_place, place) for name, text in texts.items()}
    return texts


def test_the_authoring_guide_is_true(home, server, http, as_tried, tmp_path):
    """All of its files run, with the numbers it prints; what a lost try leaves is what it says."""
    plan = [("first", None), ("table", None), ("training", None), ("gated", None), ("gated", {"alpha": 0.1})]
    plan += [(name, None) for name in ("follower", "by_hand", "by_gate", "by_pickle", "by_reference")]
    if FULL:
        plan.insert(4, ("gated", None))
        plan.append(("by_one_line", None))
    (tmp_path / "dags").mkdir()
    # mlflow asks feast for headers and a process for packages, both at length; it goes on without.
    (tmp_path / "feast.py").write_text("raise ImportError")
    scenes = play_in_turn(
        home,
        tmp_path / "dags",
        [(f"{name}.py", as_tried[name], conf) for name, conf in plan],
        PYTHONPATH=str(tmp_path),
        MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT="1",
        AIRFLOW_CONN_MLFLOW_DEFAULT=json.dumps({"conn_type": "mlflow", "host": server.uri}),
    )
    log = scenes[0].log
    ends = [one["state"] for scene in scenes for one in scene.runs.values()]
    assert ends == ["success"] * len(plan), log[-4000:]
    assert "442 patients" in log
    assert "342 rows to learn from, 100 to be judged by" in log

    promoted = [scene.tasks("diabetes").get("promote") for scene in scenes if "diabetes" in scene.runs]
    states = [found[0] for found in promoted if found]
    assert states == (["success", "skipped", "success"] if FULL else ["success", "success"])
    moves = http.do(Ledger(Claims()).entries("diabetes", "champion"))
    assert [(one.from_version, one.to_version) for one in moves] == [(None, 1), (1, 2)]
    assert [round(one.gate["value"], 1) for one in moves] == [55.6, 52.4]

    found = {name: http.do(versions(name)) for name, _ in plan if name.startswith("by_")}
    counted = {name: (len(made), len({one.run_id for one in made})) for name, made in found.items() if made}
    assert counted == {"by_hand": (2, 2), "by_gate": (1, 1)} | ({"by_one_line": (2, 1)} if FULL else {})
    assert len(http.do(Ledger(Claims()).entries("by_gate", "champion"))) == 1


def tags_of(http, run_id):
    row = http.get(f"{API}/runs/get", run_id=run_id)["run"]
    return {tag["key"]: tag["value"] for tag in row["data"]["tags"]}


@pytest.fixture(scope="module")
def faults(home, server, tmp_path_factory):
    return run(home, server, tmp_path_factory.mktemp("faults") / "dags", FAULTS)


def test_a_retry_registers_and_promotes_once(faults, http):
    assert faults.tasks("a_retried")["register"] == ("success", 2)
    assert faults.tasks("a_retried")["promote"] == ("success", 2)
    first, *_ = http.do(Ledger(Claims()).entries("ale", "champion"))
    assert (first.number, first.to_version, first.who) == (1, 1, "dag_test")
    assert [one.version for one in http.do(versions("ale"))][-1] == 1


def test_below_the_gate_nothing_is_registered_and_the_reason_is_everywhere(faults, http):
    states = faults.tasks("b_refused")
    assert (states["register"][0], states["promote"][0]) == ("skipped", "skipped")
    refused = next(one for one in http.do(verdicts(Claims(), "ale")) if not one.decision.passed)
    assert refused.decision.reason == (
        "accuracy is 0.5 on 100 rows; at least 0.9 is needed, and more than 0.95 is needed, "
        "for ale@champion (version 1) has 0.95"
    )
    assert refused.candidate.uri.startswith("models:/m-")
    assert refused.decision.reason in faults.log
    registered = {one.source for one in http.do(versions("ale"))}
    assert refused.candidate.uri not in registered


def test_somebody_who_promotes_in_between_is_not_overwritten(faults, http):
    assert faults.tasks("c_overtaken")["promote"][0] == "failed"
    assert "is at version 2, not at version 1: ana moved it at" in faults.log


def test_a_rollback_goes_to_the_version_before(faults, http):
    assert faults.tasks("d_undone") == {"rollback": ("success", 1)}
    *_, moved, back = http.do(Ledger(Claims()).entries("ale", "champion"))
    assert (moved.who, moved.to_version) == ("ana", 2)
    assert (back.kind, back.from_version, back.to_version, back.reason) == ("rollback", 2, 1, "complaints")
