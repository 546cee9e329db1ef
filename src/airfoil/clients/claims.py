"""Write-once cells on any SQL-backed MLflow: of many who claim the same thing, one wins, and all learn who.

A parameter of an MLflow run accepts one value and refuses a different one, also from racing clients and on several
server workers. A cell is a parameter of an anchor, a run that everybody finds under the same name; anchors are cells of
one root run; and the root is the run inside the one experiment that was given Airfoil's name, for a server gives a name
to one experiment only. No clock and no smallest id decides anything. Must not know what is claimed.
"""

from __future__ import annotations

import hashlib
import uuid
from contextlib import suppress

from airfoil.clients.exchange import API, Answer, Exchange, get, post
from airfoil.errors import AlreadyExistsError, ConfigurationError, NotFoundError, ServiceAnswerError

EXPERIMENT = "airfoil-ledger"
"""The experiment of the cells; clean-up never touches it."""
ANCHOR_TAG = "airfoil.anchor"
CANDIDATE_TAG = "airfoil.candidate"
"""A run that may yet lose a race; whoever finds an old one may delete it."""
ROOT = "root"
ANCHORS_PER_PAGE = 100
_NOTE = (
    "Airfoil keeps here what must be written once: which run belongs to which task, which version to which model, and "
    "who moved which alias when. Do not delete it: history would be lost, and retries would begin new runs."
)


class Claims:
    """The cells of one server. Remembers the anchors it has seen, so that a claim is one request."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._anchors: dict[str, str] = {}

    def claim(self, anchor: str, key: str, value: str) -> Exchange[str]:
        """Write a cell if nobody has; return what stands in it, ours or that of whoever was first."""
        run_id = yield from self.anchor_id(anchor)
        return (yield from claim_cell(run_id, key, value))

    def cells(self, anchor: str) -> Exchange[dict[str, str]]:
        """Return all cells of an anchor."""
        run_id = yield from self.anchor_id(anchor)
        return (yield from read_cells(run_id))

    def find(self, anchor: str) -> Exchange[str | None]:
        """Return the run that holds the cells of this name, or None: who only looks leaves nothing behind."""
        root = self._anchors.get(ROOT) or (yield from _find_root())
        if root is None:
            return None
        self._anchors[ROOT] = root
        if anchor not in self._anchors:
            cell = digest("anchor", anchor)
            found = yield from _run_tagged((yield from _experiment_of(root)), ANCHOR_TAG, cell)
            if found is None:
                return None
            self._anchors[anchor] = found
        return self._anchors[anchor]

    def cells_of_all(self, prefix: str) -> Exchange[dict[str, dict[str, str]]]:
        """Return the cells of every anchor whose name begins like this (no quotes), by its name."""
        root = yield from self.find(ROOT)
        found: dict[str, dict[str, str]] = {}
        if root is None:
            return found
        query = {
            "experiment_ids": [(yield from _experiment_of(root))],
            "filter": f"attributes.run_name LIKE '{prefix}%'",
            "max_results": ANCHORS_PER_PAGE,
        }
        token = ""
        while True:
            answer: Answer = yield from post(f"{API}/runs/search", {**query, "page_token": token})
            for run in answer.get("runs", []):
                name, tags = run["info"]["run_name"], _pairs(run, "tags")
                if tags.get(ANCHOR_TAG) == digest("anchor", name):  # a candidate that lost has only the name
                    self._anchors[name] = run["info"]["run_id"]
                    found[name] = _pairs(run, "params")
            token = answer.get("next_page_token") or ""
            if not token:
                return found

    def anchor_id(self, name: str) -> Exchange[str]:
        """Return the run that holds the cells of this name; it is made when there is none."""
        if name not in self._anchors:
            root = self._anchors.get(ROOT) or (yield from _root())
            self._anchors[ROOT] = root
            self._anchors[name] = root if name == ROOT else (yield from _anchor(root, name))
        return self._anchors[name]


def claim_cell(run_id: str, key: str, value: str) -> Exchange[str]:
    """Write a parameter of a run if it has none of that name; return the one it has then."""
    try:
        yield from post(f"{API}/runs/log-parameter", {"run_id": run_id, "key": key, "value": value})
    except (ConfigurationError, ServiceAnswerError):
        # Somebody was first (how a server says that is its own business), or the request itself was refused.
        held = (yield from read_cells(run_id)).get(key)
        if held is None:
            raise
        return held
    return value


def read_cells(run_id: str) -> Exchange[dict[str, str]]:
    """Return the parameters of a run."""
    answer = yield from get(f"{API}/runs/get", run_id=run_id)
    return _pairs(answer["run"], "params")


def digest(*parts: object) -> str:
    """Return a short name for a key of any length and alphabet, fit for a cell."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _pairs(run: Answer, kind: str) -> dict[str, str]:
    return {row["key"]: row.get("value", "") for row in run.get("data", {}).get(kind, [])}


def _anchor(root: str, name: str) -> Exchange[str]:
    """Find the anchor by its tag, which only a winner carries; else stand for it."""
    experiment = yield from _experiment_of(root)
    cell = digest("anchor", name)  # a name may hold quotes, which no filter of MLflow takes
    found = yield from _run_tagged(experiment, ANCHOR_TAG, cell)
    if found:
        return found
    candidate = yield from _finished_run(experiment, name, {CANDIDATE_TAG: cell})
    winner = yield from claim_cell(root, cell, candidate)
    yield from post(f"{API}/runs/set-tag", {"run_id": winner, "key": ANCHOR_TAG, "value": cell})
    if winner == candidate:
        with suppress(NotFoundError):
            yield from post(f"{API}/runs/delete-tag", {"run_id": winner, "key": CANDIDATE_TAG})
    else:
        yield from post(f"{API}/runs/delete", {"run_id": candidate})
    return winner


def _root() -> Exchange[str]:
    """Return the root run; the first ever to ask makes it, under a name of its own, and then takes the known name."""
    found = yield from _find_root()
    if found:
        return found
    experiment = str(
        (
            yield from post(
                f"{API}/experiments/create",
                {
                    "name": f"{EXPERIMENT}-{uuid.uuid4().hex}",
                    "tags": [{"key": "mlflow.note.content", "value": _NOTE}],
                },
                repeatable=False,
            )
        )["experiment_id"]
    )
    root = yield from _finished_run(experiment, ROOT, {ANCHOR_TAG: ROOT})
    try:
        yield from post(f"{API}/experiments/update", {"experiment_id": experiment, "new_name": EXPERIMENT})
    except (AlreadyExistsError, ConfigurationError, ServiceAnswerError):
        yield from post(f"{API}/experiments/delete", {"experiment_id": experiment})
        found = yield from _find_root()
        if found is None:
            raise
        return found
    return root


def _find_root() -> Exchange[str | None]:
    try:
        found = (yield from get(f"{API}/experiments/get-by-name", experiment_name=EXPERIMENT))["experiment"]
    except NotFoundError:
        return None
    if found.get("lifecycle_stage") == "deleted":
        raise ConfigurationError(
            f"The MLflow experiment '{EXPERIMENT}', which keeps Airfoil's history, is deleted",
            f"Restore it: `mlflow experiments restore -x {found['experiment_id']}`.",
        )
    root = yield from _run_tagged(str(found["experiment_id"]), ANCHOR_TAG, ROOT)
    if root is None:
        raise ConfigurationError(
            f"The MLflow experiment '{EXPERIMENT}' is not Airfoil's: it has no root run",
            "Rename that experiment; Airfoil makes its own.",
        )
    return root


def _experiment_of(run_id: str) -> Exchange[str]:
    answer = yield from get(f"{API}/runs/get", run_id=run_id)
    return str(answer["run"]["info"]["experiment_id"])


def _run_tagged(experiment: str, tag: str, value: str) -> Exchange[str | None]:
    query = {"experiment_ids": [experiment], "filter": f"tags.`{tag}` = '{value}'", "max_results": 1}
    answer: Answer = yield from post(f"{API}/runs/search", query)
    return str(answer["runs"][0]["info"]["run_id"]) if answer.get("runs") else None


def _finished_run(experiment: str, name: str, tags: dict[str, str]) -> Exchange[str]:
    """Make a run that holds cells; it is never RUNNING to anybody who looks for work left behind."""
    request = {
        "experiment_id": experiment,
        "run_name": name,
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    run = (yield from post(f"{API}/runs/create", request, repeatable=False))["run"]["info"]["run_id"]
    yield from post(f"{API}/runs/update", {"run_id": run, "status": "FINISHED"})
    return str(run)
