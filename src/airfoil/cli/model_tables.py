"""Models, versions and ledger entries as rows: for JSON as they are, for people in columns with local times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airfoil.cli import console

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from airfoil.clients.history import History
    from airfoil.clients.model_registry import ModelVersion, RegisteredModel
    from airfoil.clients.verdicts import Verdict
    from airfoil.records import LedgerEntry

NONE = "-"
MOST_VERDICTS = 5
"""Printed; `--json` has those that are kept."""


def model_row(model: RegisteredModel, server: str) -> dict[str, Any]:
    """Say of one model what a list shows."""
    return {
        "name": model.name,
        "latest": model.latest,
        "aliases": dict(sorted(model.aliases.items())),
        "updated_at": _iso(model.updated_ms),
        "url": _model_url(server, model.name),
    }


def model_view(
    model: RegisteredModel,
    versions: Sequence[ModelVersion],
    histories: Mapping[str, History],
    server: str,
) -> dict[str, Any]:
    """Say all that is known about one model."""
    return {
        "model": model.name,
        "url": _model_url(server, model.name),
        "aliases": [
            _alias_row(alias, model.aliases.get(alias), histories.get(alias))
            for alias in sorted({*model.aliases, *histories})
        ],
        "versions": [
            {
                "version": one.version,
                "aliases": sorted(alias for alias, to in model.aliases.items() if to == one.version),
                "created_at": _iso(one.created_ms),
                "gate": _last_gate(histories, one.version),
                "source": one.source,
                "run_id": one.run_id,
                "run_url": f"{server}/#/runs/{one.run_id}" if one.run_id else None,
                "url": f"{_model_url(server, model.name)}/versions/{one.version}",
            }
            for one in versions
        ],
    }


def verdict_row(verdict: Verdict, server: str) -> dict[str, Any]:
    """Say what a gate decided about one candidate, registered or not."""
    return {
        "at": verdict.at.isoformat(),
        "passed": verdict.decision.passed,
        "reason": verdict.decision.reason,
        "gate": verdict.decision.to_json(),
        "dag_run": verdict.dag_run,
        "run_url": f"{server}/#/runs/{verdict.run_id}" if verdict.run_id else None,
    }


def standing_row(entry: LedgerEntry) -> dict[str, Any]:
    """Say where an alias stood, and since when."""
    return {
        "model": entry.model,
        "alias": entry.alias,
        "version": entry.to_version,
        "entry": entry.to_json(),
    }


def verdict(gate: Mapping[str, Any] | None) -> str:
    """Say briefly what a gate decided, and by which number."""
    if not gate:
        return ""
    said = str(gate.get("outcome") or ("passed" if gate.get("passed") else "failed"))
    value = gate.get("value")
    return f"{said}: {gate.get('metric', '')} {value:.4g}" if isinstance(value, int | float) else said


def zone_of(moment: datetime) -> tzinfo:
    """Give this machine's time zone as it was at a moment (summer and winter differ)."""
    return moment.astimezone().tzinfo or UTC


def print_models(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a list of models."""
    cells = [
        (
            row["name"],
            _cell(row["latest"]),
            ", ".join(f"{alias} → {to}" for alias, to in row["aliases"].items()),
            _local(row["updated_at"]),
        )
        for row in rows
    ]
    console.table(("MODEL", "NEWEST", "ALIASES", "CHANGED"), cells, right=("NEWEST",))


def print_model(view: Mapping[str, Any]) -> None:
    """Print one model: aliases, then versions."""
    console.out(f"{view['model']}  {console.styled(view['url'], 'cyan')}")
    if view["aliases"]:
        console.out()
        cells = [
            (
                row["alias"],
                _cell(row["version"]),
                _local(row["since"]),
                row["who"],
                verdict(row["gate"]),
                row["reason"],
            )
            for row in view["aliases"]
        ]
        console.table(
            ("ALIAS", "VERSION", "SINCE", "MOVED BY", "VERDICT", "REASON"), cells, right=("VERSION",)
        )
    console.out()
    versions = [
        (
            _cell(row["version"]),
            ", ".join(row["aliases"]),
            _local(row["created_at"]),
            verdict(row["gate"]),
            row["run_url"] or row["source"],
        )
        for row in view["versions"]
    ]
    if versions:
        console.table(("VERSION", "ALIASES", "MADE", "LAST VERDICT", "URL"), versions, right=("VERSION",))
    else:
        console.out("No version is registered.")
    judged = view.get("verdicts", ())[:MOST_VERDICTS]
    if judged:
        console.out()
        rows = [(_local(one["at"]), "yes" if one["passed"] else "no", one["reason"]) for one in judged]
        console.table(("JUDGED", "PASSED", "REASON"), rows)


def print_entries(entries: Sequence[LedgerEntry]) -> None:
    """Print a history."""
    cells = [
        (
            _local(entry.at.isoformat()),
            entry.alias,
            str(entry.number),
            entry.kind,
            _cell(entry.from_version),
            _cell(entry.to_version),
            entry.who,
            verdict(entry.gate),
            entry.approver,
            entry.reason,
        )
        for entry in entries
    ]
    columns = ("WHEN", "ALIAS", "#", "WHAT", "FROM", "TO", "WHO", "VERDICT", "APPROVED BY", "REASON")
    console.table(columns, cells, right=("#", "FROM", "TO"))


def standing_at(histories: Mapping[tuple[str, str], History], moment: datetime) -> list[LedgerEntry]:
    """Return the entry that each alias stood at, by model and alias."""
    found = [entry for history in histories.values() if (entry := history.at(moment)) is not None]
    return sorted(found, key=lambda entry: (entry.model, entry.alias))


def print_standing_at(histories: Mapping[tuple[str, str], History], moment: datetime) -> None:
    """Print where aliases stood."""
    entries = standing_at(histories, moment)
    if not entries:
        console.out(f"No alias had been moved by {moment:%Y-%m-%d %H:%M:%S}.")
        return
    cells = [
        (
            entry.model,
            entry.alias,
            _cell(entry.to_version),
            _local(entry.at.isoformat()),
            entry.who,
            entry.reason,
        )
        for entry in entries
    ]
    console.table(("MODEL", "ALIAS", "VERSION", "SINCE", "MOVED BY", "REASON"), cells, right=("VERSION",))


def _alias_row(alias: str, stands: int | None, history: History | None) -> dict[str, Any]:
    head = history.entries[-1] if history and history.entries else None
    if head is None or head.to_version != stands:  # moved outside, and nobody has looked since
        return {"alias": alias, "version": stands, "since": None, "who": "", "reason": "", "gate": None}
    gate = dict(head.gate) if head.gate else None
    at = head.at.isoformat()
    return {
        "alias": alias,
        "version": stands,
        "since": at,
        "who": head.who,
        "reason": head.reason,
        "gate": gate,
    }


def _last_gate(histories: Mapping[str, History], version: int) -> dict[str, Any] | None:
    """Return the latest verdict that moved something to this version."""
    judged = [
        entry
        for history in histories.values()
        for entry in history.entries
        if entry.to_version == version and entry.gate
    ]
    latest = max(judged, key=lambda entry: entry.at, default=None)
    return dict(latest.gate) if latest and latest.gate else None


def _model_url(server: str, name: str) -> str:
    return f"{server}/#/models/{quote(name, safe='')}"


def _iso(milliseconds: int) -> str | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat() if milliseconds else None


def _local(iso: str | None) -> str:
    return f"{datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M:%S}" if iso else ""


def _cell(value: int | None) -> str:
    return NONE if value is None else str(value)
