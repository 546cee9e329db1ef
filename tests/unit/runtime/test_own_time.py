"""The clock that leaves out what others did on our processors."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from airfoil.runtime.own_time import own_seconds

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("garbage", [None, b"", b"12", b"1 many 3", b"\xff"])
def test_where_nothing_is_known_it_is_an_ordinary_clock(tmp_path, garbage):
    source = tmp_path / "schedstat"
    if garbage is not None:
        source.write_bytes(garbage)
    assert own_seconds(source) == pytest.approx(time.monotonic(), abs=1)


def test_a_sleep_counts():
    began = own_seconds()
    time.sleep(0.2)
    assert 0.15 < own_seconds() - began < 0.25


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux, to crowd one processor")
def test_waiting_for_a_processor_does_not():
    """Four processes on one processor: each gets a quarter of it."""
    processor = {min(os.sched_getaffinity(0))}
    code = (
        f"import os, time\nos.sched_setaffinity(0, {processor})\nfrom airfoil.runtime.own_time import own_seconds\n"
        "time.sleep(0.5)\nbegan, own = time.monotonic(), own_seconds()\n"
        "while time.monotonic() - began < 1.5: pass\nprint(own_seconds() - own)"
    )
    crowd = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    own = [float(one.communicate(timeout=60)[0]) for one in crowd]
    assert max(own) < 1.1
    assert sum(own) < 3
