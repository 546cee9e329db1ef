"""Every DAG file imports, and holds the DAGs it should: ids, tags, schedules, and what runs after what."""

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

DAGS = Path(__file__).parents[1] / "dags"
TAXI_EDGES = {
    *(("choose_months", after) for after in ("wait_for_months", "train_model", "register")),
    *(("wait_for_months", "train_model"), ("train_model", "register")),
}
# A new DAG gets its entry here; `pytest` then notices when a task is lost or wired wrongly.
EXPECTED = {
    "data_validation_pipeline": {
        "tags": {"data", "validation"},
        "schedule": "0 */6 * * *",
        "edges": {
            *(("find_tables", check) for check in ("schema", "quality", "drift", "anomalies")),
            *(("schema", "quality"), ("quality", "drift"), ("drift", "anomalies")),
            *((check, "report") for check in ("schema", "quality", "drift", "anomalies")),
        },
    },
    "database_cleanup": {"tags": {"maintenance"}, "schedule": "30 3 * * 0", "edges": set()},
    "example_dag": {
        "tags": {"example", "mlflow"},
        "schedule": None,
        "edges": {
            ("train_wine_classifier", "gate"),
            ("train_wine_classifier", "register"),
            ("gate", "register"),
            ("gate", "promote"),
            ("register", "promote"),
        },
    },
    "feast_feature_materialization": {
        "tags": {"features", "feast"},
        "schedule": "0 2 * * *",
        "edges": {
            ("write_tables", "apply_features"),
            ("apply_features", "validate_features"),
            ("validate_features", "materialize"),
            ("materialize", "check_online"),
        },
    },
    "first_dag": {
        "tags": {"{{name}}"},
        "schedule": None,
        "edges": {("read_sales", "smooth"), ("read_sales", "report"), ("smooth", "report")},
    },
    "ml_model_training_pipeline": {
        "tags": {"training", "features", "mlflow"},
        "schedule": "0 4 * * 0",
        "edges": {
            *(("write_rows", one) for one in ("quality", "apply_features", "training_set")),
            *((one, "training_set") for one in ("quality", "apply_features")),
            *(("training_set", "part"), ("part", "train"), ("part", "evaluate"), ("train", "evaluate")),
            *(("evaluate", "gate"), ("train", "register"), ("gate", "register")),
            *(("gate", "promote"), ("register", "promote")),
        },
    },
    "ml_pipeline": {
        "tags": {"lifecycle", "mlflow"},
        "schedule": "30 5 * * *",
        "edges": {
            *(("crawl_data", one) for one in ("draw_candidates", "end", "etl", "train", "try_candidate")),
            *(
                ("deploy_model.promote", one)
                for one in ("deploy_model.smoke_test", "monitoring", "send_success_email")
            ),
            ("deploy_model.register", "deploy_model.promote"),
            ("deploy_model.smoke_test", "monitoring"),
            ("draw_candidates", "try_candidate"),
            *(("etl", one) for one in ("monitoring", "retrain_alert", "send_success_email", "split")),
            ("evaluate", "validate_model"),
            ("monitoring", "send_success_email"),
            ("retrain_alert", "end"),
            ("send_success_email", "end"),
            *(
                ("split", one)
                for one in ("deploy_model.smoke_test", "evaluate", "monitoring", "train", "try_candidate")
            ),
            *(("train", one) for one in ("deploy_model.register", "evaluate", "validate_model")),
            ("try_candidate", "train"),
            *(
                ("validate_model", one)
                for one in (
                    "deploy_model.promote",
                    "deploy_model.register",
                    "retrain_alert",
                    "send_success_email",
                )
            ),
        },
    },
    "nyc_taxi_duration_prediction": {
        "tags": {"taxi", "xgboost", "mlflow"},
        "schedule": "0 6 1 * *",
        "edges": TAXI_EDGES,
    },
    "nyc_taxi_linear_duration_prediction": {
        "tags": {"taxi", "regression", "mlflow"},
        "schedule": "0 6 1 * *",
        "edges": TAXI_EDGES,
    },
    "platform_backup": {"tags": {"maintenance"}, "schedule": None, "edges": {("create", "verify")}},
    "simple_test_dag": {"tags": {"example"}, "schedule": "@daily", "edges": set()},
    "trading_strategy_train": {
        "tags": {"trading", "mlflow"},
        "schedule": "0 5 * * *",
        "edges": {
            *(
                ("load_prices", "sweep"),
                ("split_grid", "sweep"),
                ("load_prices", "select"),
                ("sweep", "select"),
            ),
            *(("select", "gate"), ("select", "register"), ("gate", "register")),
            *(("gate", "promote"), ("register", "promote")),
        },
    },
}


@pytest.fixture(scope="module")
def bag():
    return DagBag(dag_folder=str(DAGS))


def test_every_file_imports(bag):
    assert bag.import_errors == {}


def test_the_expected_dags_are_there_and_no_others(bag):
    assert set(bag.dags) == set(EXPECTED)


@pytest.mark.parametrize("dag_id", EXPECTED)
def test_a_dag_is_what_it_should_be(bag, dag_id):
    dag, expected = bag.dags[dag_id], EXPECTED[dag_id]
    assert dag.description
    assert set(dag.tags) == expected["tags"]
    assert getattr(dag.schedule, "expression", dag.schedule) == expected["schedule"]
    assert {(one.task_id, after) for one in dag.tasks for after in one.downstream_task_ids} == expected[
        "edges"
    ]
