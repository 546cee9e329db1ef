"""The buffer: every row is sent once, no request is more than MLflow accepts, and wrong names are named."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients import log_buffer as module
from airfoil.clients.log_buffer import LogBuffer, checked_name, cut, metric_row, param_text, tag_text
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit


def drained(buffer):
    requests = []
    while len(buffer):
        request = buffer.next_request()
        requests.append(request)
        buffer.sent(request)
    return requests


@given(
    st.dictionaries(st.text(min_size=1), st.text(), max_size=120),
    st.dictionaries(st.text(min_size=1), st.text(), max_size=120),
    st.integers(0, 2500),
)
def test_every_row_is_sent_once_within_the_limits(params, tags, metrics):
    buffer = LogBuffer()
    buffer.params, buffer.tags = dict(params), dict(tags)
    buffer.metrics.extend(metric_row("m", number, number, 0) for number in range(metrics))
    requests = drained(buffer)
    for request in requests:
        assert len(request.get("params", [])) <= module.MAX_PARAMS
        assert len(request.get("tags", [])) <= module.MAX_TAGS
        assert sum(map(len, request.values())) <= module.MAX_ROWS
    rows = {
        kind: [row for one in requests for row in one.get(kind, [])] for kind in ("params", "tags", "metrics")
    }
    assert {row["key"]: row["value"] for row in rows["params"]} == params
    assert {row["key"]: row["value"] for row in rows["tags"]} == tags
    assert [row["step"] for row in rows["metrics"]] == list(range(metrics))


def test_a_request_stays_below_a_megabyte():
    buffer = LogBuffer()
    buffer.params = {f"p{number}": "\U0001f600" * 6000 for number in range(100)}
    buffer.tags = {f"t{number}": "x" * 8000 for number in range(100)}
    requests = drained(buffer)
    assert all(len(json.dumps(request)) < 1_000_000 for request in requests)
    assert len(requests) > 2


def test_a_tag_set_while_its_old_value_travels_is_sent_again():
    buffer = LogBuffer()
    buffer.tags["state"] = "old"
    request = buffer.next_request()
    buffer.tags["state"] = "new"
    buffer.sent(request)
    assert buffer.tags == {"state": "new"}


def test_long_texts_are_cut_where_one_sees_it():
    text = param_text("x" * 7000)
    assert len(text) == 6000
    assert "[cut: 7000 characters, sha256 " in text
    assert param_text("x" * 6999 + "y") != text
    assert len(tag_text("ü" * 9000)) == 8000
    assert param_text("x" * 6000) == "x" * 6000


@given(st.text(alphabet=st.characters()), st.integers(100, 200))
def test_what_is_cut_can_be_stored_anywhere(text, limit):
    kept = cut(text, limit)
    assert len(kept) <= limit
    assert "\0" not in kept
    kept.encode()


@pytest.mark.parametrize("name", ["accuracy", "a/b", "a b", "a.b-c_d:e", "größe", ".hidden", "a" * 250])
def test_names_that_mlflow_takes(name):
    assert checked_name(name, "metric") == name


@pytest.mark.parametrize(
    "name", ["", "a@b", "/a", "a//b", "../a", ".", "..", "a/", "a" * 251, None, 7, "a\nb", "ä%"]
)
def test_names_that_mlflow_refuses_are_named(name):
    with pytest.raises(ConfigurationError, match="metric"):
        checked_name(name, "metric")


@pytest.mark.parametrize(
    ("value", "sent"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
def test_numbers_that_json_cannot_hold_travel_as_words(value, sent):
    assert metric_row("m", value, 0, 0)["value"] == sent


@pytest.mark.parametrize("value", [None, "high", [1], {}, 10**400, 1j])
def test_a_metric_that_is_no_number_is_named(value):
    with pytest.raises(ConfigurationError, match="'loss'"):
        metric_row("loss", value, 0, 0)


@pytest.mark.parametrize("step", [1.5, "3", None, 2**63])
def test_a_step_that_is_no_place_is_named(step):
    with pytest.raises(ConfigurationError, match="'loss'"):
        metric_row("loss", 1.0, step, 0)
