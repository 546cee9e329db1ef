"""Entries as texts: short ones as they are, long ones shortened, with all of it kept under its digest."""

import json
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfoil.clients.claims import Claims
from airfoil.clients.history import History, entry_cell
from airfoil.clients.ledger_texts import MAX_CHARACTERS, entry_text, whole_entry
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.errors import ServiceAnswerError
from airfoil.records import LedgerEntry

pytestmark = pytest.mark.unit


def entry(**more):
    fields = {"model": "wine", "alias": "champion", "number": 1, "at": datetime(2026, 11, 20, tzinfo=UTC)}
    return LedgerEntry(**{**fields, "kind": "promote", "who": "ann", "to_version": 3, **more})


def read(text):
    return History.read("wine", "champion", {entry_cell(1): text}).entries[0]


def test_a_short_entry_is_its_text(server, http):
    given = entry(gate={"passed": True, "scores": [1, 2]}, reason="ü")
    text = http.do(entry_text(Claims(), given, {"token": "t", "key": ""}))
    assert json.loads(text)["token"] == "t"
    assert "key" not in json.loads(text)
    assert read(text) == given
    assert server.runs == {}
    assert http.do(whole_entry(Claims(), given)) == given


def test_a_long_entry_is_shortened_and_kept_whole(server, http):
    gate = {"passed": True, "metric": "auc", "value": 0.9, "bootstrap": list(range(9000)), "text": "x" * 500}
    given = entry(gate=gate, reason="because " * 100)
    short = read(http.do(entry_text(Claims(), given, {"token": "t"})))
    assert short.gate == {"passed": True, "metric": "auc", "value": 0.9, "text": "x" * 199 + "…"}
    assert short.reason.endswith("…")
    assert short.digest
    whole = http.do(whole_entry(Claims(), short))
    assert whole == given.model_copy(update={"digest": short.digest})


def test_details_that_were_changed_are_told(server, http):
    short = read(http.do(entry_text(Claims(), entry(reason="x" * 9000), {})))
    held = next(run for run in server.runs.values() if run["info"]["run_name"].endswith(short.digest))
    held["params"]["000000"] = "something else"
    with pytest.raises(ServiceAnswerError, match="were changed"):
        http.do(whole_entry(Claims(), short))
    server.runs.clear()
    server.experiments.clear()
    with pytest.raises(ServiceAnswerError, match="were changed"):
        http.do(whole_entry(Claims(), short))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(), inner, max_size=30),
)


@settings(max_examples=25, deadline=None)
@given(
    gate=st.dictionaries(st.text(), JSON, max_size=200),
    reason=st.text(max_size=9000),
    times=st.integers(1, 40),
)
def test_any_entry_fits_into_its_cell_and_comes_back(gate, reason, times):
    server = FakeMlflow()
    made = entry(
        gate={f"{key}{n}": value for key, value in gate.items() for n in range(times)}, reason=reason
    )
    with MlflowHttp(MlflowServer("http://mlflow.test"), transport=httpx.MockTransport(server)) as http:
        text = http.do(entry_text(Claims(), made, {"token": "t" * 32, "key": "k" * 32}))
        assert len(text) <= MAX_CHARACTERS
        back = http.do(whole_entry(Claims(), read(text)))
    expected = made.model_copy(update={"digest": back.digest, "gate": made.gate or None})
    assert back == expected
