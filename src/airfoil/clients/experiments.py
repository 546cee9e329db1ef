"""Find MLflow's experiments by name, or make them. Must not know what is logged into them."""

from __future__ import annotations

from airfoil.clients.exchange import API, Answer, Exchange, get, post
from airfoil.errors import AlreadyExistsError, ConfigurationError, NotFoundError, ServiceAnswerError

PAGE = 1000


def experiment_id(name: str) -> Exchange[str]:
    """Return the id of an experiment, which is created when it does not exist."""
    found = yield from find_experiment(name)
    if found is not None:
        return _active(found, name)
    try:
        return str((yield from post(f"{API}/experiments/create", {"name": name}))["experiment_id"])
    except (AlreadyExistsError, ConfigurationError, ServiceAnswerError):
        # Somebody else created it in between, or the name is not allowed: the second look tells which.
        found = yield from find_experiment(name)
        if found is None:
            raise
        return _active(found, name)


def find_experiment(name: str) -> Exchange[Answer | None]:
    """Return what the server says about an experiment, deleted or not; None when it has none of that name."""
    try:
        return (yield from get(f"{API}/experiments/get-by-name", experiment_name=name))["experiment"]  # type: ignore[no-any-return]
    except NotFoundError:
        return None


def experiment_ids(*, but: str = "") -> Exchange[list[str]]:
    """Return the ids of all active experiments, except the one of this name."""
    ids: list[str] = []
    token = ""
    while True:
        query = {"max_results": PAGE, "view_type": "ACTIVE_ONLY"} | ({"page_token": token} if token else {})
        answer = yield from post(f"{API}/experiments/search", query)
        ids += [str(one["experiment_id"]) for one in answer.get("experiments", []) if one.get("name") != but]
        token = answer.get("next_page_token", "")
        if not token:
            return ids


def _active(found: Answer, name: str) -> str:
    if found.get("lifecycle_stage") == "deleted":
        raise ConfigurationError(
            f"The MLflow experiment '{name}' is deleted, and its name is still taken",
            f"Restore it (`mlflow experiments restore -x {found['experiment_id']}`), or use another name.",
        )
    return str(found["experiment_id"])
