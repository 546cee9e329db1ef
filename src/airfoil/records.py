"""Frozen values that cross rooms: what a step returns, a client stores and a task hands on through XCom.

A record holds numbers, names and references, never data: frames and models stay where they are and travel as a
reference. Records know no Airflow, no server and no file, and turn into plain JSON and back without loss.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PlainSerializer,
    model_validator,
)

# A frozen model freezes its fields, not the dictionaries inside them; this closes that gap.
FrozenNumbers = Annotated[
    Mapping[str, FiniteFloat],
    AfterValidator(lambda given: MappingProxyType(dict(given))),
    PlainSerializer(dict),
]
FrozenJson = Annotated[
    Mapping[str, Any],
    AfterValidator(lambda given: MappingProxyType(dict(given))),
    PlainSerializer(dict),
]


class Record(BaseModel):
    """Base of all records: immutable, no unknown fields, JSON in and out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, ready for XCom, a file or an HTTP body."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | str) -> Self:
        """Rebuild the record from what `to_json` gave, as a mapping or as text."""
        return cls.model_validate(json.loads(value) if isinstance(value, str) else dict(value))


class DataRef(Record):
    """Where data lies and which data it is."""

    uri: str = Field(min_length=1)
    content_hash: str = Field(min_length=1)
    rows: int | None = Field(default=None, ge=0)


FrozenNames = Annotated[
    Mapping[str, str],
    AfterValidator(lambda given: MappingProxyType(dict(given))),
    PlainSerializer(dict),
]


class FeatureSource(Record):
    """Where a feature store keeps features over time, and how they belong to entity rows."""

    name: str = Field(min_length=1)
    uris: tuple[str, ...] = Field(min_length=1)
    timestamp: str = Field(min_length=1)
    keys: FrozenNames
    """Columns of the source by key columns of the entity rows."""
    features: FrozenNames
    """Columns of the source by what they are called in a training set."""
    created: str = ""
    ttl_seconds: float | None = Field(default=None, gt=0)
    """How long a row counts; for ever when None."""


class ModelRef(Record):
    """A logged model: the URI that loads it and the run that made it."""

    name: str = Field(min_length=1)
    uri: str = Field(min_length=1)
    run_id: str = Field(min_length=1)
    version: int | None = Field(default=None, ge=1)


class Scores(Record):
    """Measured numbers by metric name, and on how many rows. Whether they are good enough is not said here."""

    values: FrozenNumbers
    rows: int = Field(ge=1)

    def __getitem__(self, metric: str) -> float:
        """Return one metric; an unknown name is a KeyError."""
        return self.values[metric]


class GainInterval(Record):
    """How much better one model is than another on the same rows: where the gain lies with this confidence.

    Positive is better, whichever direction the metric has.
    """

    low: FiniteFloat
    high: FiniteFloat
    confidence: float = Field(gt=0, lt=1)


class Comparison(Record):
    """A model and the one it would replace, measured on the same rows."""

    scores: Scores
    champion: Scores | None = None
    """None when there was nobody to compare with."""
    against: str = ""
    """What the champion is called, such as `wine@champion`."""
    against_version: int | None = None
    gains: Annotated[Mapping[str, GainInterval], AfterValidator(MappingProxyType), PlainSerializer(dict)] = (
        Field(default_factory=dict, validate_default=True)
    )


GateOutcome = Literal["passed", "failed", "metric_missing", "no_champion", "too_few_rows"]


class GateDecision(Record):
    """Whether a model may pass, by which numbers, and why; without numbers when there was nothing to compare.

    A decision of several gates has the single ones as `parts`.
    """

    passed: bool
    metric: str = Field(min_length=1)
    value: FiniteFloat | None = None
    baseline: FiniteFloat | None = None
    needed: FiniteFloat | None = None
    reason: str = Field(min_length=1)
    outcome: GateOutcome = "failed"
    """`no_champion` may pass or not, as the gate says; the other four follow from their name."""
    higher_is_better: bool | None = None
    rows: int | None = Field(default=None, ge=1)
    gain: FiniteFloat | None = None
    """Over the baseline; positive is better, whichever direction the metric has."""
    interval: GainInterval | None = None
    against: str = ""
    """What the baseline belongs to, such as `wine@champion`."""
    against_version: int | None = None
    """The version that stood there; None when there was none, or it is not known."""
    parts: tuple[GateDecision, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _outcome_of_old_decisions(cls, given: Any) -> Any:
        """Decisions were passed or not before they had an outcome; stored ones still are."""
        if isinstance(given, Mapping) and "outcome" not in given:
            return {**given, "outcome": "passed" if given.get("passed") else "failed"}
        return given

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.outcome != "no_champion" and self.passed != (self.outcome == "passed"):
            message = f"a decision that is '{self.outcome}' cannot have passed={self.passed}"
            raise ValueError(message)
        return self


class LedgerEntry(Record):
    """One move of an alias: from which version of a model to which, who moved it, when and why."""

    model: str = Field(min_length=1)
    alias: str = Field(min_length=1)
    number: int = Field(ge=1)
    at: AwareDatetime
    kind: Literal["promote", "rollback", "external", "remove"]
    who: str
    from_version: int | None = None
    to_version: int | None = None
    reason: str = ""
    gate: FrozenJson | None = None
    """The gate's record as JSON, of whatever kind it was."""
    approver: str = ""
    dag_run: str = ""
    digest: str = ""
    """The SHA-256 of the whole entry, where this one is shortened."""


class DataVerdict(Record):
    """What one check of a dataset came to, and where everything it found is written down."""

    check: Literal["quality", "drift", "anomalies", "report"]
    dataset: str = Field(min_length=1)
    passed: bool
    outcome: str = Field(min_length=1)
    """A word of the check: `passed`, `stable`, `usual`, ...; `error` when the table could not be looked at."""
    reason: str = Field(min_length=1)
    rows: int | None = Field(default=None, ge=0)
    numbers: FrozenNumbers = Field(default_factory=dict, validate_default=True)
    record: DataRef | None = None
    """The whole record as JSON; None when there is none."""
    run_id: str = ""
    """The MLflow run that has it too."""
    run_url: str = ""


class LeftOutColumn(Record):
    """A column that was not looked at, and why."""

    name: str
    reason: str = Field(min_length=1)


class Histogram(Record):
    """How many values of both tables lie in the same bins; a bin holds its left edge, the last one its right edge too.

    Edges are numbers: seconds since 1970 for times. Infinite values lie in the outermost bins.
    """

    edges: tuple[FiniteFloat, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]


CheckName = Literal[
    "rows", "column", "other_columns", "type", "missing", "finite", "range", "set", "pattern", "key", "duplicates",
    "freshness", "foreign_key",
]  # fmt: skip
CheckOutcome = Literal["passed", "failed", "not_applicable"]


class QualityCheck(Record):
    """One thing that was asked of a table: how much was looked at, how much broke it, and what follows."""

    check: CheckName
    columns: tuple[str, ...] = ()
    outcome: CheckOutcome
    asks: str
    """What was asked, in words."""
    checked: int = Field(default=0, ge=0)
    """How many rows or values were looked at."""
    failed: int = Field(default=0, ge=0)
    allowed: float = Field(default=0.0, ge=0, le=1)
    """Which share of what was looked at may fail."""
    reason: str = Field(min_length=1)
    examples: tuple[FrozenJson, ...] = ()
    """Some of what failed: `row` counts from 0, or `times` says how often it stands there."""


class ColumnProfile(Record):
    """What is in a column. Numbers are of the finite values; text and times have a first and a last one."""

    name: str
    type: str
    """As Arrow writes it."""
    missing: int = Field(default=0, ge=0)
    """Rows without a value; NaN is no value."""
    nan: int = Field(default=0, ge=0)
    infinite: int = Field(default=0, ge=0)
    minimum: int | FiniteFloat | str | None = None
    maximum: int | FiniteFloat | str | None = None
    mean: FiniteFloat | None = None
    deviation: FiniteFloat | None = None
    """The standard deviation of a sample."""


class QualityReport(Record):
    """Whether a table is what its contract says, with everything that was counted."""

    dataset: str
    at: AwareDatetime
    passed: bool
    reason: str
    rows: int = Field(ge=0)
    duplicate_rows: int | None = Field(default=None, ge=0)
    """Rows that repeat an earlier one wholly; None when nobody counted them."""
    checks: tuple[QualityCheck, ...]
    columns: tuple[ColumnProfile, ...]

    @property
    def failures(self) -> tuple[QualityCheck, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome == "failed")


# Of quality, drift and anomalies, as the verdicts about them call it.
_GOOD_OUTCOMES = frozenset({"passed", "stable", "usual"})


class DatasetVerdict(Record):
    """What the checks of a dataset said at one time: each part's outcome, and the numbers that a history shows."""

    dataset: str = Field(min_length=1)
    at: AwareDatetime
    passed: bool
    reason: str
    outcomes: FrozenNames = Field(default_factory=dict, validate_default=True)
    """By part: `quality`, `drift`, `anomalies`; a part that was not checked is not there."""
    numbers: FrozenNumbers = Field(default_factory=dict, validate_default=True)
    """Such as `rows`, `failed_checks`, `drifted_columns`, `anomaly_rate`."""
    run_id: str = ""
    """The MLflow run that holds the whole report."""
    dag_run: str = ""

    @property
    def passed_parts(self) -> Mapping[str, bool]:
        """Of each part that was looked at whether it passed; what could not be measured did not."""
        return {part: outcome in _GOOD_OUTCOMES for part, outcome in self.outcomes.items()}


class ViewFault(Record):
    """Something that keeps a feature view from being brought online, or from being right there."""

    check: Literal["entity", "source", "rows", "column", "type"]
    reason: str = Field(min_length=1)


class ViewFacts(Record):
    """What was found behind a feature view: how much its source holds, up to when, and what is wrong with it."""

    view: str = Field(min_length=1)
    rows: int | None = Field(default=None, ge=0)
    """None where counting would take a query of a warehouse."""
    newest: AwareDatetime | None = None
    """The latest event time in the source."""
    faults: tuple[ViewFault, ...] = ()
    note: str = ""
    """What was not looked at, and why."""


class OnlineDifference(Record):
    """An entity that reads otherwise online than in its source."""

    entity: str
    kind: Literal["missing", "stale", "different"]
    detail: str


class OnlineSample(Record):
    """Entities of a view, drawn at random, whose online values were held against the newest rows of the source."""

    view: str = Field(min_length=1)
    start: AwareDatetime
    end: AwareDatetime
    entities: int = Field(ge=0)
    """How many have a row in the window."""
    sampled: int = Field(ge=0)
    equal: int = Field(default=0, ge=0)
    newer: int = Field(default=0, ge=0)
    """Online there is a row of a later moment, such as a pushed one."""
    stale: int = Field(default=0, ge=0)
    """Online there is a row of an earlier moment."""
    missing: int = Field(default=0, ge=0)
    different: int = Field(default=0, ge=0)
    """The same moment, and other values."""
    examples: tuple[OnlineDifference, ...] = ()


class MaterializedView(Record):
    """A window of a feature view that is online."""

    view: str = Field(min_length=1)
    start: AwareDatetime
    end: AwareDatetime
    entities: int | None = Field(default=None, ge=0)
    """How many have a row in the window; None where an engine of others did the work."""
    rows: int | None = Field(default=None, ge=0)
    """How many of these were newer than what was online."""
    seconds: float = Field(ge=0)
