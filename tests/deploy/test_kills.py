"""Every part of a server is killed with -9 in the middle of a load; what was asked for is there afterwards, once.

By the machine, not by `docker kill`, which Docker takes for a person's wish that the container stay down.
"""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from collections import Counter

import pytest
from benchmarks.compose_load import DAG, TASKS
from tests.deploy import engine, load
from tests.sizes import full_only

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.chaos,
    pytest.mark.alone,
    pytest.mark.timeout(1800),
    full_only,
]

RUNS = 20
MOST_SECONDS = 900
"""What a worker had taken and not begun when it died waits ten minutes: Airflow's task_queued_timeout."""
BEFORE_THE_KILL = 10
"""Tasks that have run by then: the load is under way."""
VICTIMS = (
    "airflow-worker",
    "airflow-scheduler",
    "airflow-triggerer",
    "airflow-dag-processor",
    "airflow-api-server",
    "mlflow",
    "redis",
    "postgres",
    "s3",
    "proxy",
)
MAY_RUN_AGAIN = {"airflow-worker"}
"""What a dead worker had in hand is tried again by another; nothing else may be."""


def kill(server, service):
    """End everything in the first container of a service, as a machine out of memory does."""
    identity = server.compose("ps", "--quiet", service).split()[0]
    pid = json.loads(engine.docker("inspect", identity))[0]["State"]["Pid"]
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_part_that_is_killed_comes_back_and_takes_nothing_with_it(server, victim):
    load.deliver(server)
    names = [f"{uuid.uuid4().hex[:8]}-{number:04}" for number in range(RUNS)]
    with load.asked(server) as airflow:
        for name in names:
            airflow.trigger(DAG, name)
        began = time.monotonic()
        while sum(load.tries_of(server, names).values()) < BEFORE_THE_KILL:
            assert time.monotonic() - began < MOST_SECONDS
            time.sleep(0.2)
        kill(server, victim)
        killed = time.monotonic()
    wait_until_well(server, killed)
    well = time.monotonic() - killed
    with load.asked(server) as airflow:  # an api-server that came back may have another address
        while not set((found := load.states(airflow, names)).values()) <= {"success", "failed"}:
            assert time.monotonic() - killed < MOST_SECONDS, Counter(found.values())
            time.sleep(1)
    done = time.monotonic() - killed
    tries = load.tries_of(server, names)
    again = sum(count - 1 for count in tries.values())
    print(
        f"| {victim} | well after {well:.0f} s | all runs ended after {done:.0f} s | {again} tasks ran again |"
    )
    assert Counter(found.values()) == {"success": RUNS}
    assert set(tries) == load.all_tasks(names)
    assert len(tries) == RUNS * TASKS
    assert victim in MAY_RUN_AGAIN or again == 0


def wait_until_well(server, since):
    """Wait until every container says that it is healthy again."""
    while wrong := {
        name: state
        for name, state in server.states().items()
        if not state.startswith(("running (healthy)", "exited (0)", "running (no check)"))
    }:
        assert time.monotonic() - since < MOST_SECONDS, wrong
        time.sleep(1)
