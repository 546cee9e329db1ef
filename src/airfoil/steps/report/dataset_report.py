"""Everything that was said about a dataset at one time: quality, drift, anomalies, and what follows of them together.

A record, JSON in and out. A part that was not looked at is None; a report without any part has not passed. Must not
measure or judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from airfoil.records import DatasetVerdict, FrozenNames, QualityReport, Record
from airfoil.steps.anomaly.report import AnomalyReport, AnomalyVerdict
from airfoil.steps.drift.report import DriftReport, DriftVerdict

PARTS = ("quality", "drift", "anomalies")
_NOTHING = "nothing was checked"
_MOST_NAMED, _MOST_CHARACTERS = 3, 40


class DatasetReport(Record):
    """What checks found in a dataset, with the verdicts on it."""

    dataset: str = Field(min_length=1)
    at: AwareDatetime
    dag_run: str = ""
    run_url: str = ""
    """Where the MLflow run is shown."""
    quality: QualityReport | None = None
    drift: DriftReport | None = None
    drift_verdict: DriftVerdict | None = None
    anomalies: AnomalyReport | None = None
    anomaly_verdict: AnomalyVerdict | None = None
    not_measured: FrozenNames = Field(default_factory=dict, validate_default=True)
    """Why a part is not there that should be, such as a table that could not be read; by part."""

    @model_validator(mode="after")
    def _is_judged(self) -> Self:
        for name, measured, verdict in (
            ("drift", self.drift, self.drift_verdict),
            ("anomalies", self.anomalies, self.anomaly_verdict),
        ):
            if measured is not None and verdict is None:
                message = f"{name} were measured and not judged: their verdict is missing"
                raise ValueError(message)
        if unknown := set(self.not_measured) - set(PARTS):
            message = f"a report has no part '{min(unknown)}': it has {', '.join(PARTS)}"
            raise ValueError(message)
        return self

    @property
    def outcomes(self) -> dict[str, str]:
        """What each part that was looked at came to, in one word."""
        found = {}
        if self.quality is not None:
            found["quality"] = "passed" if self.quality.passed else "failed"
        if self.drift_verdict is not None:
            found["drift"] = self.drift_verdict.outcome
        if self.anomaly_verdict is not None:
            found["anomalies"] = self.anomaly_verdict.outcome
        found |= dict.fromkeys(self.not_measured, "error")
        return {part: found[part] for part in PARTS if part in found}

    @property
    def failed_parts(self) -> tuple[str, ...]:
        """The parts that did not pass."""
        judged = dict(zip(PARTS, (self.quality, self.drift_verdict, self.anomaly_verdict), strict=True))
        return tuple(
            part
            for part, one in judged.items()
            if part in self.not_measured or (one is not None and not one.passed)
        )

    @property
    def passed(self) -> bool:
        """Whether all parts passed, and there was one."""
        return bool(self.outcomes) and not self.failed_parts

    @property
    def findings(self) -> dict[str, str]:
        """What was found, a few words for each part."""
        found = {}
        if self.quality is not None:
            found["quality"] = _quality_found(self.quality)
        if self.drift_verdict is not None:
            found["drift"] = _drift_found(self.drift_verdict)
        if self.anomaly_verdict is not None:
            rate = self.anomaly_verdict.rate
            found["anomalies"] = (
                "anomalies are not known" if rate is None else f"{rate * 100:.3g} % of the rows are anomalous"
            )
        return found | {part: f"{part} could not be measured" for part in self.not_measured}

    @property
    def reason(self) -> str:
        """The verdict in one sentence, with what failed."""
        if not self.outcomes:
            return f"{self.dataset} did not pass: {_NOTHING}"
        if self.passed:
            return f"{self.dataset} passed: {', '.join(self.findings.values())}"
        # What could not be looked at comes first, each reason once: one table that is damaged stops several parts.
        errors = [one.rstrip(".") for one in dict.fromkeys(self.not_measured.values())]
        found = [self.findings[part] for part in self.failed_parts if part not in self.not_measured]
        return f"{self.dataset} failed: {', '.join([*errors, *found])}"

    @property
    def rows(self) -> int | None:
        """How many rows the dataset has; None when nobody counted them."""
        if self.quality is not None:
            return self.quality.rows
        if self.drift is not None:
            return self.drift.current_rows
        return None if self.anomalies is None else self.anomalies.rows

    @property
    def numbers(self) -> dict[str, float]:
        """What a history and a monitor want to follow."""
        found: dict[str, float] = {}
        if self.rows is not None:
            found["rows"] = self.rows
        if self.quality is not None:
            found["checks"] = _asked(self.quality)
            found["failed_checks"] = len(self.quality.failures)
            if self.quality.duplicate_rows is not None:
                found["duplicate_rows"] = self.quality.duplicate_rows
        if self.drift_verdict is not None:
            found["compared_columns"] = len(self.drift_verdict.columns)
            found["drifted_columns"] = len(self.drift_verdict.drifted)
        if self.drift is not None:
            effects = [one.effect for one in self.drift.columns if one.effect is not None]
            found["largest_effect"] = max(effects, default=0.0)
        if self.anomaly_verdict is not None and self.anomaly_verdict.rate is not None:
            found["anomaly_rate"] = self.anomaly_verdict.rate
        return found

    def verdict(self, run_id: str = "") -> DatasetVerdict:
        """Return what a history keeps of it; `run_id` is the MLflow run that holds the whole."""
        return DatasetVerdict(
            dataset=self.dataset,
            at=self.at,
            passed=self.passed,
            reason=self.reason,
            outcomes=self.outcomes,
            numbers=self.numbers,
            run_id=run_id,
            dag_run=self.dag_run,
        )


def _asked(quality: QualityReport) -> int:
    return sum(check.outcome != "not_applicable" for check in quality.checks)


def _quality_found(quality: QualityReport) -> str:
    asked = _asked(quality)
    told = [
        f"{one.check} of {', '.join(one.columns)}" if one.columns else one.check for one in quality.failures
    ]
    if not asked:
        return "no check applied"
    return f"{f'{len(told):,}' if told else 'none'} of {asked:,} checks failed{_named(told)}"


def _drift_found(verdict: DriftVerdict) -> str:
    if verdict.outcome == "not_measured":
        return "drift is not known"
    drifted = verdict.drifted
    return f"{f'{len(drifted):,}' if drifted else 'none'} of {len(verdict.columns):,} columns drifted{_named(drifted)}"


def _count(names: Sequence[str]) -> str:
    return f"{len(names):,}" if names else "none"


def _named(names: Sequence[str]) -> str:
    """Name the first of them, each as short as a sentence bears."""
    if not names:
        return ""
    shown = [
        one if len(one) <= _MOST_CHARACTERS else f"{one[: _MOST_CHARACTERS - 1]}…"
        for one in names[:_MOST_NAMED]
    ]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f" ({', '.join(shown)}{more})"
