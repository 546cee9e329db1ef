"""What checks said about a dataset over time: the latest verdicts, for a strip on the report and for a page of all.

A verdict is a tag of the anchor `dataset-verdicts/DATASET`, named after the MLflow run that holds the whole report: a
task that is tried again replaces what it said before. Must not judge.
"""

from __future__ import annotations

from airfoil.clients.claims import Claims, digest
from airfoil.clients.exchange import Exchange
from airfoil.clients.verdict_shelf import VerdictShelf
from airfoil.records import DatasetVerdict

TAG = "airfoil.dataset-verdict."
MAX_CHARACTERS = 2000
"""Of a verdict: those of every dataset are read at once."""
_MAX_REASON = 500
_SHELF = VerdictShelf("dataset-verdicts/", TAG, DatasetVerdict)


def keep_dataset_verdict(claims: Claims, verdict: DatasetVerdict) -> Exchange[None]:
    """Write a verdict down, and forget the oldest ones beyond those that are kept."""
    said = verdict.model_dump_json(exclude={"at"})
    name = digest(verdict.run_id or verdict.dag_run or said)
    yield from _SHELF.keep(claims, verdict.dataset, name, _short(verdict))


def dataset_verdicts(claims: Claims, dataset: str) -> Exchange[list[DatasetVerdict]]:
    """Return the latest verdicts about a dataset, newest first."""
    return (yield from _SHELF.latest(claims, dataset))


def latest_dataset_verdicts(claims: Claims) -> Exchange[list[DatasetVerdict]]:
    """Return the newest verdict about each dataset that was ever judged, by the names of the datasets."""
    return list((yield from _SHELF.latest_of_all(claims)).values())


def _short(verdict: DatasetVerdict) -> str:
    """Return the verdict as text that fits; the whole of it is in the report of its run."""
    text = verdict.model_dump_json(exclude_defaults=True)
    if len(text) <= MAX_CHARACTERS:
        return text
    reason = verdict.reason[: _MAX_REASON - 1] + "…"
    text = verdict.model_copy(update={"reason": reason}).model_dump_json(exclude_defaults=True)
    if len(text) <= MAX_CHARACTERS:
        return text
    bare = {"reason": reason, "numbers": {}, "outcomes": {}}
    return verdict.model_copy(update=bare).model_dump_json(exclude_defaults=True)
