"""Parts of a server die and are cut off in the middle of a load; what was asked for is there afterwards, and once.

By default one load, in which every part is killed, one after the other. FULL=1: each fault alone, killed and cut off,
until its alert is there; ten pairs; and the table in docs/chaos.md.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
from benchmarks.compose_load import TASKS
from tests.deploy import alerting, fault_load, fault_page, faults, faults_of_machine
from tests.sizes import FULL, full_only

pytestmark = [pytest.mark.deploy, pytest.mark.chaos, pytest.mark.alone, pytest.mark.timeout(3000)]

WELL_SECONDS = 240
ENDED_SECONDS = 600
"""A task that a dead worker was at is tried again after two minutes: Airflow's patience with silent tasks."""
ALERT_SECONDS = 240
UNDER_WAY = 3
"""Bodies that have ended before the next blow falls: the load is alive."""
BLOW_SECONDS = 12.0
"""So long at most, because some parts take the load with them."""
LOSING_SECONDS = 8
FULL_RUNS = 9
"""Of four tasks side by side: more than AIRFLOW_PARALLELISM."""
RUNS = 200
MANY_ENDED_SECONDS = 1500
OUTCOMES: list[faults.Outcome] = []


@pytest.fixture(scope="module")
def rules(server):
    """Alerts that wait for seconds instead of minutes."""
    with alerting.hurried_rules(server):
        yield


@pytest.fixture(scope="module", autouse=True)
def delivered(server):
    """The DAG of the load is there."""
    fault_load.deliver(server)
    yield
    if FULL and OUTCOMES:
        fault_page.keep(OUTCOMES)


def until_under_way(runs, since=0, seconds=ALERT_SECONDS):
    """Wait until bodies have ended since; False when they do not in time."""
    deadline = time.monotonic() + seconds
    while runs.ended_tasks() < since + UNDER_WAY:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def recover(server, runs, outcome, ended_seconds=ENDED_SECONDS):
    """Wait until all is well and has ended, measured from now, and look for what is wrong."""
    began = time.monotonic()
    faults.wait_until_well(server, WELL_SECONDS)
    outcome.well_seconds = time.monotonic() - began
    states = runs.wait_until_ended(ended_seconds)
    outcome.ended_seconds = time.monotonic() - began
    outcome.runs, outcome.tries = len(states), runs.further_tries()
    outcome.wrong = runs.faults(states)
    print(outcome)
    OUTCOMES.append(outcome)
    assert outcome.wrong == []


def test_every_part_may_be_killed_while_a_load_goes_on(server):
    with fault_load.Load(server) as runs:
        assert until_under_way(runs), server.states()
        for service in faults.SERVICES:
            ended = runs.ended_tasks()
            faults.kill(server, service)
            until_under_way(runs, ended, BLOW_SECONDS)
        last = faults.Outcome("each part killed, one after the other")
    recover(server, runs, last)


@full_only
def test_every_part_may_be_killed_while_two_hundred_runs_are_under_way(server):
    """The load of the benchmark, all asked for at once; its tasks are tried again, for their workers die too."""
    runs = fault_load.Batch(server, RUNS)
    for service in faults.SERVICES:
        time.sleep(BLOW_SECONDS)
        faults.kill(server, service)
    told = f"each part killed, one after the other, {RUNS} runs of {TASKS} tasks under way"
    recover(server, runs, faults.Outcome(told), MANY_ENDED_SECONDS)


@full_only
@pytest.mark.parametrize("service", faults.SERVICES)
def test_a_part_that_is_killed_takes_nothing_with_it(server, service):
    with fault_load.Load(server) as runs:
        assert until_under_way(runs), server.states()
        faults.kill(server, service)
        until_under_way(runs, runs.ended_tasks(), BLOW_SECONDS)
    recover(server, runs, faults.Outcome(str(faults.Fault(faults.KILL, service))))


@full_only
@pytest.mark.parametrize("service", faults.SERVICES)
def test_a_part_that_is_cut_off_is_told_of_and_takes_nothing_with_it(server, rules, service):
    outcome = faults.Outcome(str(faults.Fault(faults.CUT, service)), alert=faults.ALERTS[service])
    with fault_load.Load(server) as runs:
        assert until_under_way(runs), server.states()
        with faults.cut(server, service):
            outcome.alert_seconds = alerting.wait_for(server, outcome.alert, ALERT_SECONDS)
    healed = time.monotonic()
    recover(server, runs, outcome)
    alerting.wait_for(server, outcome.alert, ALERT_SECONDS, gone=True)
    outcome.cleared_seconds = time.monotonic() - healed


@full_only
@pytest.mark.parametrize("pair", faults.pairs(), ids=lambda pair: " and ".join(map(str, pair)))
def test_two_at_once(server, pair):
    with fault_load.Load(server) as runs:
        assert until_under_way(runs), server.states()
        with ExitStack() as cuts:
            for fault in pair:
                if fault.kind == faults.CUT:
                    cuts.enter_context(faults.cut(server, fault.service))
                else:
                    faults.kill(server, fault.service)
            time.sleep(faults.LASTING_SECONDS if any(one.kind == faults.CUT for one in pair) else 1)
    recover(server, runs, faults.Outcome(" and ".join(map(str, pair))))


@full_only
def test_messages_that_redis_has_lost_are_sent_again(server):
    """So many runs that the executor is full; workers are frozen, so that nobody takes a message before it is lost."""
    with fault_load.Load(server, FULL_RUNS) as runs:
        assert until_under_way(runs), server.states()
        with faults.frozen(server, "airflow-worker"):
            time.sleep(LOSING_SECONDS)
            lost = server.redis("DEL", "default")
        assert lost == "1", "there were messages to lose"
    recover(server, runs, faults.Outcome("Redis loses the messages of a queue"))


@full_only
def test_a_full_disk_stops_work_and_loses_none(server, tmp_path):
    with faults_of_machine.small_disk(server, tmp_path / "disk") as disk:
        faults.wait_until_well(server, WELL_SECONDS)
        with fault_load.Load(server) as runs:
            assert until_under_way(runs), server.states()
            with faults_of_machine.full(disk):
                time.sleep(faults.LASTING_SECONDS)
                print(server.states())
        recover(server, runs, faults.Outcome("no space left for PostgreSQL, Redis and S3"))


@full_only
def test_a_daemon_that_starts_anew_brings_everything_back(server, tmp_path):
    if not faults_of_machine.DAEMON.exists():
        pytest.skip("nobody knows which process is the Docker daemon")
    with fault_load.Load(server) as runs:
        assert until_under_way(runs), server.states()
        faults_of_machine.restart_engine(tmp_path / "dockerd.log")
        recovering = faults.Outcome("the Docker daemon starts anew")
    recover(server, runs, recovering)
