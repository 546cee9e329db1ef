"""Many runs at once on two workers: every task runs, and runs once, by its own word and by Airflow's."""

from __future__ import annotations

import time
import uuid
from collections import Counter

import pytest
from benchmarks.compose_load import DAG
from tests.deploy import load
from tests.sizes import FULL

pytestmark = [pytest.mark.deploy, pytest.mark.alone, pytest.mark.timeout(3000)]

RUNS = 200 if FULL else 10
MOST_SECONDS_A_TASK = 6.0
"""Far above what it takes: a stuck load must end the test, a slow machine must not."""


def test_nothing_is_lost_and_nothing_runs_twice(server):
    load.deliver(server)
    names = [f"{uuid.uuid4().hex[:8]}-{number:04}" for number in range(RUNS)]
    began = time.monotonic()
    with load.asked(server) as airflow:
        for name in names:
            airflow.trigger(DAG, name)
        while not set((found := load.states(airflow, names)).values()) <= {"success", "failed"}:
            assert time.monotonic() - began < RUNS * 10 * MOST_SECONDS_A_TASK, Counter(found.values())
            time.sleep(1)
    seconds = time.monotonic() - began
    print(f"{RUNS * 10} tasks in {seconds:.1f} s: {RUNS * 10 / seconds:.2f} a second")
    assert Counter(found.values()) == {"success": RUNS}
    tries = load.tries_of(server, names)
    assert set(tries) == load.all_tasks(names)
    assert set(tries.values()) == {1}
    used = server.memory_mib()
    assert {name: mib for name, (mib, limit) in used.items() if mib > 0.95 * limit} == {}
