"""The task that holds a table against its contract: columns and types, values, keys, freshness.

What is asked is said by a contract, counted and judged in airfoil.steps.quality.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airfoil.provider.check_inputs import contract_of, plain_settings
from airfoil.provider.data_check import DataCheckOperator, Finding
from airfoil.provider.lineage import Claim
from airfoil.provider.table_inputs import assets_in, plain_data
from airfoil.steps.quality.measuring import measure
from airfoil.steps.quality.verdict import judge

if TYPE_CHECKING:
    from pathlib import Path

    from airfoil.steps.quality.contract import Contract
    from airfoil.steps.quality.questions import Part
    from airfoil.steps.scans import Scan


class DataQualityOperator(DataCheckOperator):
    """Counts what breaks a contract and says whether that is too much; returns a DataVerdict.

    `contract` is a Contract, its plain values, or a YAML file beside the DAG or in its project. `part` looks at columns
    and types only (`schema`), or at all but that (`content`). `reference_tables` are those that foreign keys name.
    """

    check = "quality"
    template_fields = ("data", "contract", "reference_tables", "dataset", "mlflow_conn_id")
    ui_color = "#dbe9f4"

    def __init__(
        self,
        *,
        contract: Any,
        reference_tables: Mapping[str, Any] | None = None,
        part: Part = "whole",
        **kwargs: Any,
    ) -> None:
        """Take the contract, and the tables that it refers to by their names."""
        super().__init__(**kwargs)
        others = dict(reference_tables or {})
        self.contract = plain_settings(contract)
        self.reference_tables = {name: plain_data(one) for name, one in others.items()}
        self.part = part
        self.add_inlets(assets_in(*others.values()))

    def _tables(self) -> Mapping[str, Any]:
        return {
            "data": self.data,
            **{f"reference_tables.{name}": one for name, one in self.reference_tables.items()},
        }

    def _settings(self) -> Contract:
        return contract_of(self.contract, self.dag_file)

    def _look(self, scans: Mapping[str, Scan], settings: Contract, folder: Path) -> Finding:
        others = {name: scans[f"reference_tables.{name}"] for name in self.reference_tables}
        measured = measure(scans["data"], settings, others, part=self.part, folder=folder)
        report = judge(settings, measured, at=datetime.now(UTC))
        asked = [check for check in report.checks if check.outcome != "not_applicable"]
        numbers = {"checks": len(asked), "failed_checks": len(report.failures)}
        if report.duplicate_rows is not None:
            numbers["duplicate_rows"] = report.duplicate_rows
        return Finding(
            passed=report.passed,
            outcome="passed" if report.passed else "failed",
            reason=report.reason,
            rows=report.rows,
            record={"report": report.to_json()},
            numbers=numbers,
            claims=[
                Claim(
                    check.check,
                    check.outcome == "passed",
                    check.columns[0] if len(check.columns) == 1 else "",
                )
                for check in asked
            ],
        )
