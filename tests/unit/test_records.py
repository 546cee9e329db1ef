"""Records: frozen, strict, and the same after a trip through JSON."""

import json

import pytest
from pydantic import ValidationError

from airfoil.records import (
    ColumnProfile,
    Comparison,
    DataRef,
    DatasetVerdict,
    DataVerdict,
    FeatureSource,
    GainInterval,
    GateDecision,
    Histogram,
    LedgerEntry,
    LeftOutColumn,
    MaterializedView,
    ModelRef,
    OnlineDifference,
    OnlineSample,
    QualityCheck,
    QualityReport,
    Record,
    Scores,
    ViewFacts,
    ViewFault,
)

pytestmark = pytest.mark.unit

RECORDS = [
    DataRef(uri="s3://bucket/a.parquet", content_hash="sha256:0f", rows=3),
    DataRef(uri="/data/ü mit Leer.parquet", content_hash="x"),
    ModelRef(name="wine", uri="models:/m-1", run_id="r", version=2),
    Scores(values={"accuracy": 0.5, "rmse": 1e-300}, rows=10),
    GainInterval(low=-0.5, high=1.0, confidence=0.95),
    Comparison(
        scores=Scores(values={"accuracy": 0.5}, rows=10),
        champion=Scores(values={"accuracy": 0.25}, rows=10),
        against="wine@champion",
        gains={"accuracy": GainInterval(low=0.0, high=0.5, confidence=0.9)},
    ),
    GateDecision(passed=True, metric="rmse", value=1.5, baseline=2.0, needed=1.9, reason="rmse is 1.5"),
    ColumnProfile(
        name="x", type="double", missing=1, nan=1, minimum=-1.5, maximum=2**70, mean=0.5, deviation=1e300
    ),
    QualityCheck(
        check="range",
        columns=("x",),
        outcome="failed",
        asks="at least 0",
        checked=3,
        failed=1,
        reason="1 of 3 (33.33 %)",
        examples=({"row": 2, "x": -1.5},),
    ),
    QualityReport(
        dataset="trips",
        at="2026-11-20T14:00:00Z",
        passed=True,
        reason="trips passed all 0 checks on 3 rows",
        rows=3,
        duplicate_rows=0,
        checks=(QualityCheck(check="rows", outcome="not_applicable", asks="at least 1 rows", reason="none"),),
        columns=(ColumnProfile(name="day", type="date32[day]", minimum="2026-01-01", maximum="2026-01-02"),),
    ),
    LedgerEntry(
        model="wine",
        alias="champion",
        number=7,
        at="2026-11-20T14:00:00.000001Z",
        kind="promote",
        who="ann",
        from_version=3,
        to_version=4,
        gate={"passed": True, "parts": [{"metric": "rmse"}]},
    ),
    FeatureSource(
        name="purchases",
        uris=("file:///data/a.parquet", "file:///data/b.parquet"),
        timestamp="at",
        keys={"customer": "customer_id"},
        features={"purchases__sum": "sum"},
        created="written_at",
        ttl_seconds=0.5,
    ),
    DataVerdict(
        check="drift",
        dataset="trips",
        passed=False,
        outcome="drifted",
        reason="1 of 4 columns drifted",
        rows=3,
        numbers={"drifted_columns": 1},
        record=DataRef(uri="file:///w/drift.json", content_hash="sha256:0f"),
        run_id="r",
        run_url="http://mlflow/#/r",
    ),
    Histogram(edges=(0.0, 0.5, 2.0), reference=(3, 4), current=(0, 9)),
    LeftOutColumn(name="tags", reason="is nested"),
    DatasetVerdict(
        dataset="trips",
        at="2026-11-20T14:00:00Z",
        passed=False,
        reason="2 of 9 columns drifted",
        outcomes={"drift": "drifted"},
        numbers={"rows": 1000, "drifted_columns": 2},
        run_id="r",
    ),
    ViewFault(check="column", reason="its source has no column 'spent'"),
    ViewFacts(view="spending", rows=3, newest="2026-11-20T14:00:00Z", faults=()),
    OnlineDifference(entity="customer=7", kind="stale", detail="online is older"),
    OnlineSample(
        view="spending",
        start="2026-11-13T14:00:00Z",
        end="2026-11-20T14:00:00Z",
        entities=9,
        sampled=3,
        equal=3,
    ),
    MaterializedView(
        view="spending",
        start="2026-11-13T14:00:00Z",
        end="2026-11-20T14:00:00Z",
        entities=9,
        rows=7,
        seconds=0.5,
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_survives_json_as_a_value_and_as_text(record):
    plain = record.to_json()
    assert type(record).from_json(plain) == record
    assert type(record).from_json(json.dumps(plain)) == record


def test_every_record_is_tested_here():
    ours = {kind for kind in Record.__subclasses__() if kind.__module__ == "airfoil.records"}
    assert {type(record) for record in RECORDS} == ours


def test_a_field_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        RECORDS[0].uri = "elsewhere"


def test_a_score_inside_the_mapping_cannot_be_changed_either():
    given = {"accuracy": 0.5}
    scores = Scores(values=given, rows=1)
    with pytest.raises(TypeError):
        scores.values["accuracy"] = 0.9
    given["accuracy"] = 0.9
    assert scores["accuracy"] == 0.5


def test_a_gain_inside_the_mapping_cannot_be_changed_either():
    for comparison in (RECORDS[5], Comparison(scores=RECORDS[3])):
        with pytest.raises(TypeError):
            comparison.gains["accuracy"] = None


def test_an_unknown_field_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        DataRef(uri="a", content_hash="b", size=3)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_that_json_cannot_hold_is_refused(value):
    with pytest.raises(ValidationError, match="finite"):
        Scores(values={"loss": value}, rows=1)


def test_a_missing_metric_is_a_key_error():
    with pytest.raises(KeyError):
        Scores(values={}, rows=1)["accuracy"]
