"""What gates said about the candidates of a model, beside the ledger: also about those that were never registered.

A verdict is a tag of the anchor `verdicts/MODEL`, named after its content, so that a task that is tried again adds
none. The latest are kept; the whole story of a candidate is in the MLflow run of its gate. Must not judge.
"""

from __future__ import annotations

from pydantic import AwareDatetime

from airfoil.clients.claims import Claims, digest
from airfoil.clients.exchange import Exchange
from airfoil.clients.verdict_shelf import VerdictShelf
from airfoil.records import GateDecision, ModelRef, Record

TAG = "airfoil.verdict."
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


_SHELF = VerdictShelf("verdicts/", TAG, Verdict)


def keep_verdict(claims: Claims, verdict: Verdict) -> Exchange[None]:
    """Write a verdict down, and forget the oldest ones beyond those that are kept."""
    name = digest(verdict.run_id, verdict.dag_run, verdict.decision.model_dump_json())
    yield from _SHELF.keep(claims, verdict.model, name, _short(verdict))


def verdicts(claims: Claims, model: str) -> Exchange[list[Verdict]]:
    """Return the latest verdicts about a model's candidates, newest first."""
    return (yield from _SHELF.latest(claims, model))


def latest_verdicts(claims: Claims) -> Exchange[list[Verdict]]:
    """Return the newest verdict about each model whose candidates were ever judged."""
    return list((yield from _SHELF.latest_of_all(claims)).values())


def _short(verdict: Verdict) -> str:
    """Return the verdict as text that fits; the single gates and the end of a long reason are in the gate's own run."""
    text = verdict.model_dump_json(exclude_defaults=True)
    if len(text) <= MAX_CHARACTERS:
        return text
    decision = verdict.decision
    short = decision.model_copy(update={"parts": (), "reason": decision.reason[:_MAX_REASON]})
    return verdict.model_copy(update={"decision": short}).model_dump_json(exclude_defaults=True)
