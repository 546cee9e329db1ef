"""What verify.sh has a worker try out, with what a task has: an MLflow run, a registered model, features.

`python -m airfoil.runtime.container.trial run|prediction|features`. The last line printed is the result; `skipped: WHY`
where there is nothing to try yet. Ends with code 1 and one line when something is wrong. Leaves nothing behind that
counts: the run it makes is deleted.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

EXPERIMENT = "airfoil_verify"
FEATURE_SERVER = "http://feature-server{domain}:6566"
DOMAIN_VARIABLE = "AIRFOIL_PRIVATE_DOMAIN"
"""What stands behind the names of our servers where others are in the same network."""
REPOSITORY = Path("/opt/airfoil/project/features")
_PATIENCE_SECONDS = 30


class TrialError(Exception):
    """Something is not as it should be."""


def try_run(client: Any, download: Callable[..., str]) -> str:
    """Make a run with an artifact, read the artifact back, delete the run."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    number = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
    run_id = client.create_run(number, run_name="verify.sh").info.run_id
    text = f"written by verify.sh {uuid.uuid4().hex}"
    try:
        client.log_param(run_id, "written", "yes")
        client.log_text(run_id, text, "verify.txt")
        with tempfile.TemporaryDirectory() as folder:
            found = Path(download(run_id=run_id, artifact_path="verify.txt", dst_path=folder))
            if found.read_text(encoding="utf-8") != text:
                raise TrialError("the artifact is not what was written")
        client.set_terminated(run_id)
    finally:
        client.delete_run(run_id)
    return f"{len(text)} bytes written to S3 through MLflow and read back"


def try_prediction(client: Any, download: Callable[..., str], judge: Callable[[Path], dict[str, Any]]) -> str:
    """Load what the first alias `champion` points to, and have it predict its own input example."""
    models = [model for model in client.search_registered_models() if "champion" in (model.aliases or {})]
    if not models:
        return "skipped: no model has the alias champion yet"
    model = models[0]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(download(artifact_uri=f"models:/{model.name}@champion", dst_path=folder))
        found = judge(place)
    shown = f"{model.name}@champion (version {model.aliases['champion']})"
    if "error" in found:
        raise TrialError(f"{shown}: {found['error']}")
    if "skipped" in found:
        return f"skipped: {shown}: {found['skipped']}"
    return f"{shown} predicts {found['predictions']}"


def try_features(views: list[Any], ask: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> str:
    """Ask the feature server for a feature of the first view that is online."""
    online = [view for view in views if getattr(view, "online", True) and view.features]
    if not online:
        return "skipped: no feature view is applied yet"
    view = online[0]
    names = {column.name: 1 if "INT" in str(column.dtype).upper() else "1" for column in view.entity_columns}
    reference = f"{view.name}:{view.features[0].name}"
    found = ask({"features": [reference], "entities": {name: [value] for name, value in names.items()}})
    told = found.get("metadata", {}).get("feature_names", [])
    if view.features[0].name not in told:
        raise TrialError(f"the feature server was asked for {reference} and told of {told}")
    return f"{reference} answered"


def _ask(question: Mapping[str, Any]) -> Mapping[str, Any]:
    server = FEATURE_SERVER.format(domain=os.environ.get(DOMAIN_VARIABLE, ""))
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{server}/get-online-features",
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310 - as above
            found: Mapping[str, Any] = json.load(answer)
    except (urllib.error.URLError, ValueError) as error:
        raise TrialError(f"the feature server: {error}") from error
    return found


def _tracking() -> tuple[Any, Callable[..., str]]:
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    from mlflow.artifacts import download_artifacts
    from mlflow.tracking import MlflowClient

    return MlflowClient(), download_artifacts


def _run() -> str:
    return try_run(*_tracking())


def _prediction() -> str:
    from airfoil.clients.model_trial import try_model

    return try_prediction(*_tracking(), try_model)


def _features() -> str:
    from airfoil.clients.feature_store.repository import open_repository

    return try_features(list(open_repository(REPOSITORY).list_feature_views()), _ask)


TRIALS = {"run": _run, "prediction": _prediction, "features": _features}


def main() -> None:
    """Try what the argument names."""
    from airfoil.errors import AirfoilError

    try:
        print(TRIALS[sys.argv[1]]())
    except TrialError as error:
        print(f"airfoil: {error}")
        raise SystemExit(1) from None
    except AirfoilError as error:
        print(f"airfoil: {error.in_full}")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
