"""What a try has logged: given whole to a run that takes over, and nothing of earlier tries."""

import pytest

from airfoil.clients.run_keys import RunKey
from airfoil.clients.try_log import TryLog, log_inputs
from airfoil.records import DataRef

pytestmark = pytest.mark.unit


def opened(tracking, number):
    return tracking.open_dag_run(RunKey("d", str(number)), experiment="wine")


def test_the_data_of_a_run_is_named(server, tracking, http):
    run = opened(tracking, 1)
    run.log_dataset("wine", DataRef(uri="s3://lake/wine", content_hash="abc"), context="evaluation")
    (row,) = server.runs[run.id]["datasets"]
    assert row["dataset"]["digest"] == "abc"
    other = opened(tracking, 2)
    log_inputs(http, other.id, [row])
    assert server.runs[other.id]["datasets"] == [row]


def test_points_of_this_try_are_read_back_and_written_again(server, tracking, http, clock):
    old, new = opened(tracking, 1), opened(tracking, 2)
    old.log_metrics({"loss": 9.0, "other": 1.0}, step=0)
    clock.wait(5)
    since_ms = int(clock() * 1000)
    old.log_metrics({"loss": float("nan")}, step=1)
    old.flush()
    TryLog(steps={"loss": 1}).repeat(http, old.id, new.id, since_ms)
    assert [(row["key"], row["value"], row["step"]) for row in server.runs[new.id]["metrics"]] == [
        ("loss", "NaN", 1)
    ]


def test_a_run_that_is_gone_for_good_gives_nothing(server, tracking, http):
    new = opened(tracking, 2)
    TryLog(steps={"loss": 1}).repeat(http, "0" * 32, new.id, 0)
    assert server.runs[new.id]["metrics"] == []
