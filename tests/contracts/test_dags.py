"""The shipped DAGs: wiring that parses fast, alone, and without asking anybody anything."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "dags"
# What each file holds: a DAG that loses a task, an arrow, its schedule or its owner is noticed here.
EXPECTED = {
    "nyc_taxi_duration_prediction.py": {
        "nyc_taxi_duration_prediction": {
            "tags": ["mlflow", "taxi", "xgboost"],
            "schedule": "0 6 1 * *",
            "edges": [
                ["choose_months", "register"],
                ["choose_months", "train_model"],
                ["choose_months", "wait_for_months"],
                ["train_model", "register"],
                ["wait_for_months", "train_model"],
            ],
            "tasks": ["choose_months", "register", "train_model", "wait_for_months"],
            "owners": ["airfoil"],
        },
    },
    "nyc_taxi_linear_duration_prediction.py": {
        "nyc_taxi_linear_duration_prediction": {
            "tags": ["mlflow", "regression", "taxi"],
            "schedule": "0 6 1 * *",
            "edges": [
                ["choose_months", "register"],
                ["choose_months", "train_model"],
                ["choose_months", "wait_for_months"],
                ["train_model", "register"],
                ["wait_for_months", "train_model"],
            ],
            "tasks": ["choose_months", "register", "train_model", "wait_for_months"],
            "owners": ["airfoil"],
        },
    },
    "simple_test_dag.py": {
        "simple_test_dag": {
            "tags": ["example"],
            "schedule": "@daily",
            "edges": [],
            "tasks": ["say_hello"],
            "owners": ["airfoil"],
        },
    },
    "feast_feature_materialization.py": {
        "feast_feature_materialization": {
            "tags": ["feast", "features"],
            "schedule": "0 2 * * *",
            "edges": [
                ["apply_features", "validate_features"],
                ["materialize", "check_online"],
                ["validate_features", "materialize"],
                ["write_tables", "apply_features"],
            ],
            "tasks": ["apply_features", "check_online", "materialize", "validate_features", "write_tables"],
            "owners": ["airfoil"],
        },
    },
    "example_dag.py": {
        "example_dag": {
            "tags": ["example", "mlflow"],
            "schedule": None,
            "edges": [
                ["gate", "promote"],
                ["gate", "register"],
                ["register", "promote"],
                ["train_wine_classifier", "gate"],
                ["train_wine_classifier", "register"],
            ],
            "tasks": ["gate", "promote", "register", "train_wine_classifier"],
            "owners": ["airfoil"],
        },
    },
    "ml_model_training_pipeline.py": {
        "ml_model_training_pipeline": {
            "tags": ["features", "mlflow", "training"],
            "schedule": "0 4 * * 0",
            "edges": [
                ["apply_features", "training_set"],
                ["evaluate", "gate"],
                ["gate", "promote"],
                ["gate", "register"],
                ["part", "evaluate"],
                ["part", "train"],
                ["quality", "training_set"],
                ["register", "promote"],
                ["train", "evaluate"],
                ["train", "register"],
                ["training_set", "part"],
                ["write_rows", "apply_features"],
                ["write_rows", "quality"],
                ["write_rows", "training_set"],
            ],
            "tasks": [
                "apply_features",
                "evaluate",
                "gate",
                "part",
                "promote",
                "quality",
                "register",
                "train",
                "training_set",
                "write_rows",
            ],
            "owners": ["airfoil"],
        },
    },
    "ml_pipeline.py": {
        "ml_pipeline": {
            "tags": ["lifecycle", "mlflow"],
            "schedule": "30 5 * * *",
            "edges": [
                ["crawl_data", "draw_candidates"],
                ["crawl_data", "end"],
                ["crawl_data", "etl"],
                ["crawl_data", "train"],
                ["crawl_data", "try_candidate"],
                ["deploy_model.promote", "deploy_model.smoke_test"],
                ["deploy_model.promote", "monitoring"],
                ["deploy_model.promote", "send_success_email"],
                ["deploy_model.register", "deploy_model.promote"],
                ["deploy_model.smoke_test", "monitoring"],
                ["draw_candidates", "try_candidate"],
                ["etl", "monitoring"],
                ["etl", "retrain_alert"],
                ["etl", "send_success_email"],
                ["etl", "split"],
                ["evaluate", "validate_model"],
                ["monitoring", "send_success_email"],
                ["retrain_alert", "end"],
                ["send_success_email", "end"],
                ["split", "deploy_model.smoke_test"],
                ["split", "evaluate"],
                ["split", "monitoring"],
                ["split", "train"],
                ["split", "try_candidate"],
                ["train", "deploy_model.register"],
                ["train", "evaluate"],
                ["train", "validate_model"],
                ["try_candidate", "train"],
                ["validate_model", "deploy_model.promote"],
                ["validate_model", "deploy_model.register"],
                ["validate_model", "retrain_alert"],
                ["validate_model", "send_success_email"],
            ],
            "tasks": [
                "crawl_data",
                "deploy_model.promote",
                "deploy_model.register",
                "deploy_model.smoke_test",
                "draw_candidates",
                "end",
                "etl",
                "evaluate",
                "monitoring",
                "retrain_alert",
                "send_success_email",
                "split",
                "train",
                "try_candidate",
                "validate_model",
            ],
            "owners": ["airfoil"],
        },
    },
    "data_validation_pipeline.py": {
        "data_validation_pipeline": {
            "tags": ["data", "validation"],
            "schedule": "0 */6 * * *",
            "edges": [
                ["anomalies", "report"],
                ["drift", "anomalies"],
                ["drift", "report"],
                ["find_tables", "anomalies"],
                ["find_tables", "drift"],
                ["find_tables", "quality"],
                ["find_tables", "schema"],
                ["quality", "drift"],
                ["quality", "report"],
                ["schema", "quality"],
                ["schema", "report"],
            ],
            "tasks": ["anomalies", "drift", "find_tables", "quality", "report", "schema"],
            "owners": ["airfoil"],
        },
    },
    "database_cleanup.py": {
        "database_cleanup": {
            "tags": ["maintenance"],
            "schedule": "30 3 * * 0",
            "edges": [],
            "tasks": ["airflow", "logs", "mlflow", "work"],
            "owners": ["airfoil"],
        },
    },
    "platform_backup.py": {
        "platform_backup": {
            "tags": ["maintenance"],
            "schedule": None,
            "edges": [["create", "verify"]],
            "tasks": ["create", "verify"],
            "owners": ["airfoil"],
        },
    },
    "trading_strategy_train.py": {
        "trading_strategy_train": {
            "tags": ["mlflow", "trading"],
            "schedule": "0 5 * * *",
            "edges": [
                ["gate", "promote"],
                ["gate", "register"],
                ["load_prices", "select"],
                ["load_prices", "sweep"],
                ["register", "promote"],
                ["select", "gate"],
                ["select", "register"],
                ["split_grid", "sweep"],
                ["sweep", "select"],
            ],
            "tasks": ["gate", "load_prices", "promote", "register", "select", "split_grid", "sweep"],
            "owners": ["airfoil"],
        },
    },
}
PARSE_BUDGET_SECONDS = 0.5
MAY_BE_IMPORTED_AT_THE_TOP = {
    "__future__",
    "airflow",
    "airfoil",
    "collections",
    "datetime",
    "pathlib",
    "typing",
}

# Parses one file as a task process does: no database, no socket, no connection, no variable.
PARSE = """
import json, runpy, sys, time
import airflow.sdk, airflow.sdk.definitions.connection, airflow.sdk.definitions.variable
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.standard.operators import bash, python

asked = []
def audit(event, arguments):
    if event in {"sqlite3.connect", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"}:
        asked.append(f"{event} {arguments!r}")
def refuse(*arguments, **_):
    asked.append(f"connection or variable {arguments!r}")
    raise LookupError
for kind in (airflow.sdk.Connection, airflow.sdk.Variable):
    kind.get = refuse
sys.addaudithook(audit)
before = set(sys.modules)
started = time.process_time()  # not the clock's: what others do on this machine does not count
bag = DagBag(dag_folder=sys.argv[1])
seconds = time.process_time() - started
new = {name.partition(".")[0] for name in set(sys.modules) - before}
heavy = {"feast", "matplotlib", "mlflow", "numpy", "pandas", "sklearn"} & new
print("RESULT" + json.dumps({
    "errors": bag.import_errors, "ids": sorted(bag.dags), "asked": asked, "heavy": sorted(heavy), "seconds": seconds,
    "dags": {i: {"tags": sorted(d.tags), "description": d.description, "doc": d.doc_md, "catchup": d.catchup,
                 "schedule": getattr(d.schedule, "expression", d.schedule),
                 "made_up_for": str(getattr(d.schedule, "run_immediately", None)),
                 "tasks": sorted(d.task_ids), "owners": sorted({t.owner for t in d.tasks}),
                 "edges": sorted([t.task_id, after] for t in d.tasks for after in t.downstream_task_ids)}
             for i, d in bag.dags.items()},
}))
"""


@pytest.fixture(scope="module", params=sorted(DAGS.glob("*.py")), ids=lambda path: path.name)
def parsed(request, tmp_path_factory):
    """What a fresh process, in an Airflow that has no database, found in one DAG file."""
    home = tmp_path_factory.mktemp("airflow")
    environment = os.environ | {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    said = subprocess.run(
        [sys.executable, "-c", PARSE, str(request.param)],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "RESULT" in said.stdout, said.stderr[-3000:]
    return request.param, json.loads(said.stdout.rpartition("RESULT")[2])


def test_the_expected_files_are_there():
    assert {path.name for path in DAGS.glob("*.py")} == set(EXPECTED)


def test_a_file_parses_and_holds_the_dags_it_should(parsed):
    path, found = parsed
    assert found["errors"] == {}
    assert set(found["ids"]) == set(EXPECTED[path.name])


def test_a_dag_has_the_tasks_arrows_tags_and_schedule_it_should(parsed):
    path, found = parsed
    for dag_id, expected in EXPECTED[path.name].items():
        assert {key: found["dags"][dag_id][key] for key in expected} == expected


def test_a_first_start_makes_up_for_no_run_that_is_work(parsed):
    """A person who starts the platform on a Sunday noon did not ask for the training of that night."""
    for found in parsed[1]["dags"].values():
        is_work = found["schedule"] not in {None, "@daily"}
        assert found["made_up_for"] == ("0:05:00" if is_work else "None")


def test_parsing_asks_nobody_anything(parsed):
    assert parsed[1]["asked"] == []


def test_parsing_is_fast_and_loads_no_ml_library(parsed):
    assert parsed[1]["heavy"] == []
    assert parsed[1]["seconds"] < PARSE_BUDGET_SECONDS


def test_a_dag_says_what_it_is_and_does_not_run_for_the_past(parsed):
    for dag_id, dag in parsed[1]["dags"].items():
        assert dag["description"], dag_id
        assert dag["doc"], dag_id
        assert dag["tags"], dag_id
        assert dag["catchup"] is False, dag_id


@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.name)
def test_a_file_imports_only_wiring_at_its_top(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names <= MAY_BE_IMPORTED_AT_THE_TOP
