"""What gates said about the candidates of a model, beside the ledger: also about those that were never registered.

A verdict is a tag of the anchor `verdicts/MODEL`, named after its content, so that a task that is tried again adds
none. The latest are kept; the whole story of a candidate is in the MLflow run of its gate. Must not judge.
"""

from __future__ import annotations

from contextlib import suppress

from pydantic import AwareDatetime, ValidationError

from airfoil.clients.claims import Claims, digest
from airfoil.clients.exchange import API, Exchange, get, post, post_tags
from airfoil.errors import NotFoundError
from airfoil.records import GateDecision, ModelRef, Record

ANCHOR = "verdicts/"
TAG = "airfoil.verdict."
KEPT = 50
MAX_CHARACTERS = 7500
"""Of a verdict; MLflow takes tags of 8000."""
_MAX_REASON = 1000


class Verdict(Record):
    """One decision about one candidate: when, by which DAG run, in which MLflow run."""

    model: str
    at: AwareDatetime
    decision: GateDecision
    candidate: ModelRef | None = None
    run_id: str = ""
    """The MLflow run of the gate."""
    dag_run: str = ""


def keep_verdict(claims: Claims, verdict: Verdict) -> Exchange[None]:
    """Write a verdict down, and forget the oldest ones beyond those that are kept."""
    anchor = yield from claims.anchor_id(ANCHOR + verdict.model)
    key = TAG + digest(verdict.run_id, verdict.dag_run, verdict.decision.model_dump_json())
    yield from post_tags(f"{API}/runs/set-tag", {"run_id": anchor, "key": key, "value": _short(verdict)})
    for old, _ in (yield from _verdicts(anchor))[KEPT:]:
        with suppress(NotFoundError):  # somebody else forgets too
            yield from post(f"{API}/runs/delete-tag", {"run_id": anchor, "key": old})


def verdicts(claims: Claims, model: str) -> Exchange[list[Verdict]]:
    """Return the latest verdicts about a model's candidates, newest first."""
    anchor = yield from claims.find(ANCHOR + model)
    return [] if anchor is None else [verdict for _, verdict in (yield from _verdicts(anchor))]


def _verdicts(anchor: str) -> Exchange[list[tuple[str, Verdict]]]:
    run = (yield from get(f"{API}/runs/get", run_id=anchor))["run"]
    found = []
    for tag in run.get("data", {}).get("tags", []):
        if tag["key"].startswith(TAG):
            with suppress(ValidationError, ValueError):  # written by a newer Airfoil, or by hand
                found.append((tag["key"], Verdict.from_json(tag["value"])))
    return sorted(found, key=lambda one: one[1].at, reverse=True)


def _short(verdict: Verdict) -> str:
    """Return the verdict as text that fits; the single gates and the end of a long reason are in the gate's own run."""
    text = verdict.model_dump_json(exclude_defaults=True)
    if len(text) <= MAX_CHARACTERS:
        return text
    decision = verdict.decision
    short = decision.model_copy(update={"parts": (), "reason": decision.reason[:_MAX_REASON]})
    return verdict.model_copy(update={"decision": short}).model_dump_json(exclude_defaults=True)
