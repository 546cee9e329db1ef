"""A table, a contract and a reference become a report; everything happens in this process.

Where a table lies is known to airfoil.clients.table_sources, what it should be to airfoil.steps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError, NotFoundError
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from airfoil.steps.quality.contract import Contract
    from airfoil.steps.report import DatasetReport
    from airfoil.steps.scans import Scan


def examine(
    table: str,
    contract_file: Path | None,
    reference: str | None,
    *,
    named: Sequence[str] = (),
    without: Sequence[str] = (),
    name: str = "",
) -> DatasetReport:
    """Check a table against what is given: a contract, a reference, or both.

    Columns to be compared `without` are those that move by nature, such as times and numbers that count up.
    """
    from airfoil.clients.table_sources import TableSource, open_tables
    from airfoil.steps.report import DatasetReport
    from airfoil.steps.scans import Scan

    if contract_file is None and reference is None:
        raise ConfigurationError(
            "There is nothing to hold the table against.",
            "Give a contract (`--contract FILE`; `airfoil new contract TABLE` writes one) or a `--reference TABLE`.",
        )
    contract = None if contract_file is None else read_contract(contract_file)
    others = dict(_named(one) for one in named)
    sources = [
        TableSource(table, name=name),
        *(TableSource(one, name=called) for called, one in others.items()),
    ]
    sources += [TableSource(reference)] if reference is not None else []
    with open_tables(sources) as opened:
        scans = [Scan.of_parquet(one.paths, one.name) for one in opened]
        current, known = scans[0], dict(zip(others, scans[1:], strict=False))
        at = dt.datetime.now(dt.UTC)
        parts: dict[str, Any] = {}
        if contract is not None:
            parts |= _quality(current, contract, known, at)
        if reference is not None:
            parts |= _comparison(current, scans[-1], without)
    return DatasetReport(dataset=current.name, at=at, **parts)


def read_contract(path: Path) -> Contract:
    """Read a contract from its file."""
    from airfoil.steps.quality.contract import Contract

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no contract {path}.", "`airfoil new contract TABLE` reads one off a good table."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8.", "A contract is a YAML file in UTF-8.") from error
    except OSError as error:
        raise storage_error(path, error) from error
    return Contract.of_yaml(text, path.name)


def save(report: DatasetReport, path: Path) -> None:
    """Write the report as a page; an older one is replaced."""
    from airfoil.steps.report import render_page

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_page(report), encoding="utf-8", newline="\n")
    except OSError as error:
        raise storage_error(path, error) from error


def _quality(current: Scan, contract: Contract, known: dict[str, Scan], at: dt.datetime) -> dict[str, Any]:
    from airfoil.steps.quality.measuring import measure
    from airfoil.steps.quality.verdict import judge

    return {"quality": judge(contract, measure(current, contract, known), at)}


def _comparison(current: Scan, reference: Scan, without: Sequence[str]) -> dict[str, Any]:
    from airfoil.steps.anomaly.measurement import AnomalyPlan, measure_anomalies
    from airfoil.steps.anomaly.verdict import judge_anomalies
    from airfoil.steps.drift.measurement import DriftPlan, measure_drift
    from airfoil.steps.drift.verdict import judge_drift

    every = dict.fromkeys([*reference.columns, *current.columns])
    if unknown := [name for name in without if name not in every]:
        raise NotFoundError(
            f"Neither table has a column '{unknown[0]}'.", "Check what stands behind `--without`."
        )
    wanted = [name for name in every if name not in without]
    if not wanted:
        raise ConfigurationError("No column is left to compare.", "Leave fewer of them out.")
    drift = measure_drift(reference, current, DriftPlan(columns=wanted if without else ()))
    parts: dict[str, Any] = {"drift": drift, "drift_verdict": judge_drift(drift)}
    odd = measure_anomalies(current, reference, AnomalyPlan(columns=wanted if without else ()))
    # Nobody asked for anomalies by name: a table without numbers is no failure.
    if odd.columns:
        parts |= {"anomalies": odd, "anomaly_verdict": judge_anomalies(odd)}
    return parts


def _named(given: str) -> tuple[str, str]:
    name, sign, location = given.partition("=")
    if not sign or not name.strip() or not location.strip():
        raise ConfigurationError(
            f"'{given}' names no table.", "Write it as NAME=TABLE: `--table zones=zones.parquet`."
        )
    return name.strip(), location.strip()
