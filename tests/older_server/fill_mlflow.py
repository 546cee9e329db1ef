"""Run by the Python of an older MLflow: makes its tables and those of its logins, a run, a model, and an alias."""

from __future__ import annotations

import os

from words import ADMIN, EXPERIMENT, MACHINE, METRIC, MODEL, PARAM


def main() -> None:
    """Fill the two databases that the variables name."""
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore as Logins
    from mlflow.tracking import MlflowClient

    client = MlflowClient(os.environ["TRACKING_URL"], os.environ["TRACKING_URL"])
    number = client.create_experiment(EXPERIMENT, artifact_location="mlflow-artifacts:/1")
    run = client.create_run(number, run_name="april")
    client.log_param(run.info.run_id, *PARAM)
    client.log_metric(run.info.run_id, *METRIC)
    client.set_terminated(run.info.run_id)
    client.create_registered_model(MODEL)
    client.create_model_version(MODEL, f"{run.info.artifact_uri}/model", run.info.run_id)
    client.set_registered_model_alias(MODEL, "champion", 1)  # a text finds nothing on PostgreSQL
    logins = Logins()
    logins.init_db(os.environ["LOGINS_URL"])
    logins.create_user(*ADMIN, is_admin=True)
    logins.create_user(*MACHINE)


if __name__ == "__main__":
    main()
