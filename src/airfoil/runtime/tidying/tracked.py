"""Runs, models and experiments that somebody deleted in MLflow go for good; what a registered model uses stays.

MLflow's own `gc` knows no registered models, and takes every deleted experiment along. So it is done here, with the
same functions of its store. They are private to a release: what is missing is said before anything is removed.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from airfoil.clients.claims import EXPERIMENT
from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PARENT_TAG = "mlflow.parentRunId"
PROXIED = "mlflow-artifacts"
_NEEDED = (
    "_get_deleted_runs",
    "_hard_delete_run",
    "_get_deleted_logged_models",
    "_hard_delete_logged_model",
    "_hard_delete_experiment",
)
_ID = re.compile(r"(?<![0-9a-z])(?:m-)?[0-9a-f]{32}(?![0-9a-z])")
"""A run's id, or a logged model's, wherever it stands in an address."""


class Kept(NamedTuple):
    """What must stay."""

    runs: set[str]
    models: set[str]


def clean(database: str, artifacts: str, before: float, *, dry_run: bool) -> dict[str, int]:
    """Remove what was deleted before a moment (epoch seconds), artifacts first: a killed tidying is repeated."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Store

    store, registry = Store(database, artifacts), Registry(database)
    missing = [name for name in _NEEDED if not hasattr(store, name)]
    if missing:
        raise ConfigurationError(
            f"This release of MLflow has no {missing[0]}, and deleted runs were left as they are.",
            "Use a tested release (`airfoil version --constraints`), or MLflow's own `airfoil mlflow gc`.",
        )
    age_milliseconds = max(0, int((time.time() - before) * 1000))
    runs = set(store._get_deleted_runs(older_than=age_milliseconds))  # noqa: SLF001 - see above
    models = set(store._get_deleted_logged_models(older_than=age_milliseconds))  # noqa: SLF001 - see above
    kept = used(store, registry)
    going_runs, going_models = runs - kept.runs, models - kept.models
    experiments = 0
    if not dry_run:
        for model_id in sorted(going_models):
            _delete_artifacts(
                store.get_logged_model(model_id, allow_deleted=True).artifact_location, artifacts
            )
            store._hard_delete_logged_model(model_id)  # noqa: SLF001 - see above
        for run_id in sorted(going_runs):
            _delete_artifacts(store.get_run(run_id).info.artifact_uri, artifacts)
            store._hard_delete_run(run_id)  # noqa: SLF001 - see above
        experiments = _clean_experiments(store, before)
    return {
        "runs": len(going_runs),
        "models": len(going_models),
        "experiments": experiments,
        "kept, in use": len(runs & kept.runs) + len(models & kept.models),
    }


def used(store: Any, registry: Any) -> Kept:
    """Return the runs and models that registered versions came from, the runs above them, and all of the ledger."""
    from mlflow.store.model_registry.dbmodels.models import SqlModelVersion

    with registry.ManagedSessionMaker() as session:
        rows = session.query(
            SqlModelVersion.run_id, SqlModelVersion.source, SqlModelVersion.storage_location
        ).all()
    found = ids_in(text for row in rows for text in row)
    models = {one for one in found if one.startswith("m-")}
    runs = found - models | _makers(store, models)
    ledger = store.get_experiment_by_name(EXPERIMENT)
    if ledger is not None:
        runs |= _runs_of(store, ledger.experiment_id)
    return Kept(_with_parents(store, runs), models)


def ids_in(texts: Iterable[str | None]) -> set[str]:
    """Return the ids of runs and models that stand in these texts."""
    return {found for text in texts if text for found in _ID.findall(text)}


def proxied_path(location: str) -> str | None:
    """Return the path below the server's store that an artifact's address means; None for an address of its own."""
    scheme, separator, rest = location.partition(":/")
    if not separator or scheme != PROXIED:
        return None
    # mlflow-artifacts:/1/ab, or mlflow-artifacts://host:port/1/ab
    return rest.lstrip("/").partition("/")[2] if rest.startswith("/") else rest


def _delete_artifacts(location: str, destination: str) -> None:
    """Delete files where they lie, not by way of the server: that may be down, and asks for a login."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    path = proxied_path(location)
    if path is None:
        get_artifact_repository(location).delete_artifacts()
    elif path.strip("/"):  # never the whole store
        get_artifact_repository(destination).delete_artifacts(path)


def _makers(store: Any, models: set[str]) -> set[str]:
    """Return the runs that logged these models."""
    from mlflow.store.tracking.dbmodels.models import SqlLoggedModel

    with store.ManagedSessionMaker() as session:
        rows = session.query(SqlLoggedModel.model_id, SqlLoggedModel.source_run_id).all()
    return {run_id for model_id, run_id in rows if run_id and model_id in models}


def _runs_of(store: Any, experiment_id: str) -> set[str]:
    from mlflow.store.tracking.dbmodels.models import SqlRun

    with store.ManagedSessionMaker() as session:
        asked = session.query(SqlRun.run_uuid).filter(SqlRun.experiment_id == int(experiment_id))
        return {run_id for (run_id,) in asked}


def _with_parents(store: Any, runs: set[str]) -> set[str]:
    from mlflow.store.tracking.dbmodels.models import SqlTag

    with store.ManagedSessionMaker() as session:
        rows = session.query(SqlTag.run_uuid, SqlTag.value).filter(SqlTag.key == PARENT_TAG).all()
    return above(runs, dict(rows))


def above(runs: set[str], parents: Mapping[str, str]) -> set[str]:
    """Return these runs with all those above them."""
    found: set[str] = set()
    waiting = set(runs)
    while waiting:
        found |= waiting
        waiting = {parents[run] for run in waiting if run in parents} - found
    return found


def _clean_experiments(store: Any, before: float) -> int:
    """Remove deleted experiments that are empty by now."""
    from mlflow.entities import ViewType
    from mlflow.store.tracking.dbmodels.models import SqlLoggedModel

    count = 0
    for experiment in store.search_experiments(view_type=ViewType.DELETED_ONLY, max_results=1000):
        if experiment.name == EXPERIMENT or (experiment.last_update_time or 0) >= before * 1000:
            continue
        with store.ManagedSessionMaker() as session:
            number = int(experiment.experiment_id)
            models = (
                session.query(SqlLoggedModel.model_id).filter(SqlLoggedModel.experiment_id == number).count()
            )
        if not models and not _runs_of(store, experiment.experiment_id):
            store._hard_delete_experiment(experiment.experiment_id)  # noqa: SLF001 - see above
            count += 1
    return count
