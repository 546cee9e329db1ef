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

from airfoil.clients.exchange import API, Answer, Exchange, get, post, post_tags
from airfoil.clients.experiments import find_experiment
from airfoil.errors import ConfigurationError, NotFoundError, ServiceAnswerError

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
        if anchor not in self._anchors:
            home = yield from _home()
            found = (yield from _run_tagged(home, _tag_of(anchor))) if home else None
            if found is None:
                return None
            self._anchors[anchor] = found
        return self._anchors[anchor]

    def cells_of_all(self, prefix: str) -> Exchange[dict[str, dict[str, str]]]:
        """Return the cells of every anchor whose name begins like this (no quotes), by its name."""
        found = yield from self._all(prefix)
        return {name: _pairs(run, "params") for name, run in found.items()}

    def tags_of_all(self, prefix: str) -> Exchange[dict[str, dict[str, str]]]:
        """Return the tags of every anchor whose name begins like this (no quotes), by its name."""
        found = yield from self._all(prefix)
        return {name: _pairs(run, "tags") for name, run in found.items()}

    def _all(self, prefix: str) -> Exchange[dict[str, Answer]]:
        home = yield from _home()
        found: dict[str, Answer] = {}
        if home is None:
            return found
        query = {
            "experiment_ids": [home],
            "filter": f"attributes.run_name LIKE '{prefix}%'",
            "max_results": ANCHORS_PER_PAGE,
        }
        token = ""
        while True:
            answer: Answer = yield from post(f"{API}/runs/search", {**query, "page_token": token})
            for run in answer.get("runs", []):
                name = run["info"]["run_name"]
                if _pairs(run, "tags").get(ANCHOR_TAG) == _tag_of(
                    name
                ):  # a candidate that lost has only the name
                    self._anchors[name] = run["info"]["run_id"]
                    found[name] = run
            token = answer.get("next_page_token") or ""
            if not token:
                return found

    def anchor_id(self, name: str) -> Exchange[str]:
        """Return the run that holds the cells of this name; it is made when there is none."""
        if name not in self._anchors:
            self._anchors[name] = yield from _anchor(name)
        return self._anchors[name]


def claim_cell(run_id: str, key: str, value: str) -> Exchange[str]:
    """Write a parameter of a run if it has none of that name; return the one it has then."""
    request = {"run_id": run_id, "key": key, "value": value}
    is_restored = False
    while True:
        try:
            yield from post(f"{API}/runs/log-parameter", request)
        except (ConfigurationError, ServiceAnswerError):
            # Somebody was first (how a server says that is its own business), or the request itself was refused.
            run = (yield from get(f"{API}/runs/get", run_id=run_id))["run"]
            held = _pairs(run, "params").get(key)
            if held is not None:
                return held
            if is_restored or not _is_deleted(run):
                raise
            yield from _restore(run_id)
            is_restored = True
        else:
            return value


def read_cells(run_id: str) -> Exchange[dict[str, str]]:
    """Return the parameters of a run."""
    answer = yield from get(f"{API}/runs/get", run_id=run_id)
    return _pairs(answer["run"], "params")


def read_tags(run_id: str) -> Exchange[dict[str, str]]:
    """Return the tags of an anchor; unlike cells they may be written again."""
    run = (yield from get(f"{API}/runs/get", run_id=run_id))["run"]
    return _pairs(run, "tags")


def digest(*parts: object) -> str:
    """Return a short name for a key of any length and alphabet, fit for a cell."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _anchor(name: str) -> Exchange[str]:
    """Find the anchor by its tag, which only a winner carries; else stand for it."""
    experiment = yield from _home()
    cell = _tag_of(name)
    found = (yield from _run_tagged(experiment, cell)) if experiment else None
    if found:
        return found
    experiment, root = yield from _root(experiment)
    if name == ROOT:
        return root
    candidate = yield from _finished_run(experiment, name, {CANDIDATE_TAG: cell})
    winner = yield from claim_cell(root, cell, candidate)
    if winner != candidate:
        yield from post(f"{API}/runs/delete", {"run_id": candidate})
        run = (yield from get(f"{API}/runs/get", run_id=winner))["run"]
        if _is_deleted(run):
            yield from _restore(winner)
    # Whoever was first may have died before it said so: everybody says it.
    yield from post_tags(f"{API}/runs/set-tag", {"run_id": winner, "key": ANCHOR_TAG, "value": cell})
    with suppress(NotFoundError):
        yield from post(f"{API}/runs/delete-tag", {"run_id": winner, "key": CANDIDATE_TAG})
    return winner


def _root(experiment: str | None) -> Exchange[tuple[str, str]]:
    """Return the experiment and the root run in it.

    The first ever to ask makes them, under a name of its own, and then takes the known name: a server gives it once.
    """
    if experiment is not None:
        return experiment, (yield from _root_in(experiment))
    request = {
        "name": f"{EXPERIMENT}-{uuid.uuid4().hex}",
        "tags": [{"key": "mlflow.note.content", "value": _NOTE}],
    }
    answer = yield from post(f"{API}/experiments/create", request, repeatable=False)
    experiment = str(answer["experiment_id"])
    root = yield from _finished_run(experiment, ROOT, {ANCHOR_TAG: ROOT})
    try:
        yield from post(f"{API}/experiments/update", {"experiment_id": experiment, "new_name": EXPERIMENT})
    except (ConfigurationError, ServiceAnswerError):
        # Somebody was first. MLflow says so with its database's own words (HTTP 400), so any refusal is looked into.
        known = yield from _home()
        if known is None:
            raise
        if known != experiment:
            yield from post(f"{API}/experiments/delete", {"experiment_id": experiment})
        return known, (yield from _root_in(known))
    return experiment, root


def _root_in(experiment: str) -> Exchange[str]:
    root = yield from _run_tagged(experiment, ROOT)
    if root is None:
        raise ConfigurationError(
            f"The MLflow experiment '{EXPERIMENT}' is not Airfoil's: it has no root run",
            "Rename that experiment; Airfoil makes its own.",
        )
    return root


def _home() -> Exchange[str | None]:
    """Return the experiment of the cells. One that was deleted is taken out of the bin: retries and history need it."""
    found = yield from find_experiment(EXPERIMENT)
    if found is None:
        return None
    experiment = str(found["experiment_id"])
    if _is_deleted(found):
        yield from post(f"{API}/experiments/restore", {"experiment_id": experiment})
    return experiment


def _run_tagged(experiment: str, value: str) -> Exchange[str | None]:
    """Find an anchor by its tag; one that was deleted is taken out of the bin."""
    query = {
        "experiment_ids": [experiment],
        "filter": f"tags.`{ANCHOR_TAG}` = '{value}'",
        "max_results": 1,
        "run_view_type": "ALL",
    }
    answer: Answer = yield from post(f"{API}/runs/search", query)
    if not answer.get("runs"):
        return None
    run = answer["runs"][0]
    run_id = str(run["info"]["run_id"])
    if _is_deleted(run):
        yield from _restore(run_id)
    return run_id


def _restore(run_id: str) -> Exchange[None]:
    yield from post(f"{API}/runs/restore", {"run_id": run_id})


def _finished_run(experiment: str, name: str, tags: dict[str, str]) -> Exchange[str]:
    """Make a run that holds cells; it is never RUNNING to anybody who looks for work left behind."""
    request = {
        "experiment_id": experiment,
        "run_name": name,
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    # Sent again when its answer is lost: one too many is a closed, empty run that no tag leads to.
    run = (yield from post(f"{API}/runs/create", request))["run"]["info"]["run_id"]
    yield from post(f"{API}/runs/update", {"run_id": run, "status": "FINISHED"})
    return str(run)


def _tag_of(anchor: str) -> str:
    return (
        ROOT if anchor == ROOT else digest("anchor", anchor)
    )  # a name may hold quotes, which no filter takes


def _pairs(run: Answer, kind: str) -> dict[str, str]:
    return {row["key"]: row.get("value", "") for row in run.get("data", {}).get(kind, [])}


def _is_deleted(answer: Answer) -> bool:
    return bool(answer.get("info", answer).get("lifecycle_stage") == "deleted")
