"""A side in a process of its own: what it answers, and what is said when it fails."""

import pytest
from benchmarks import side
from benchmarks.contender import BenchmarkError

pytestmark = pytest.mark.unit


def test_the_last_line_is_the_answer():
    code = "import os; print('noise'); print('{\"found\": \"' + os.environ['LEFT'] + '\"}')"
    assert side.ask_python(["-c", code], "failed", environment={"LEFT": "here"}) == {"found": "here"}


def test_a_failure_carries_what_the_side_said():
    with pytest.raises(BenchmarkError, match=r"ours failed:\n(?s:.*)ValueError: no such table"):
        side.ask_python(["-c", "raise ValueError('no such table')"], "ours failed")


def test_memory_is_that_of_the_side_and_not_of_who_started_it():
    held = bytearray(200 * 1024**2)
    held[::4096] = b"x" * len(held[::4096])
    code = "import json; from benchmarks.side import peak_mib; print(json.dumps({'mib': peak_mib()}))"
    assert 5 < side.ask_python(["-c", code], "failed")["mib"] < 100
    assert side.peak_mib() > 200
