"""Kill each process of the platform while a DAG run is in flight: everything comes back and nothing runs twice.

`FULL=1` repeats every fault, adds pairs, and writes docs/chaos.md.
"""

from __future__ import annotations

import os
import signal
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from tests.sizes import FULL
from tests.system.platforms import SERVICES, Platform, fetch, wait_until
from tests.system.witness import Ledger, Witness, faults_in, overlaps

from airfoil.stack import process

pytestmark = [pytest.mark.system, pytest.mark.chaos, pytest.mark.alone, pytest.mark.timeout(900)]

SINGLE = ("api-server", "scheduler", "dag-processor", "triggerer", "mlflow", "page", "preload", "manager")
PAIRS = ("scheduler+api-server", "preload+scheduler", "manager+scheduler", "mlflow+manager")
FAULTS = [(name, number) for number in range(1, 4) for name in SINGLE] + [(name, 1) for name in PAIRS]
LIMIT_SECONDS = {"mlflow": 40.0, "preload": 40.0}
OTHERWISE_SECONDS = 20.0
PAIR_SECONDS = 60.0
ADOPTION_SECONDS = 5.0
RUN_SECONDS = 240.0
FROZEN_SECONDS = 45.0
EXPECTED = {"begin", "nap_one", "nap_three", "mapped", "log_to_mlflow", "script", "finish"}
AT_RISK = {"mlflow": "log_to_mlflow", "mlflow+manager": "log_to_mlflow", "triggerer": "deferred"}
"""What must be in flight when the blow falls, beside one task more; otherwise the script."""


@dataclass
class Outcome:
    """One line of the table."""

    fault: str
    hit: str = ""
    ready_seconds: float = 0.0
    run_seconds: float = 0.0
    tries: int = 0
    further_tries: list[str] = field(default_factory=list)
    result: str = "not finished"
    wrong: list[str] = field(default_factory=list)
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    def __str__(self) -> str:
        """Say it in one line."""
        more = f", further tries: {', '.join(self.further_tries)}" if self.further_tries else ""
        return (
            f"{self.fault}: ready after {self.ready_seconds:.1f} s, "
            f"run {self.result} in {self.run_seconds:.1f} s{more}"
        )


OUTCOMES: list[Outcome] = []
PAGE = """# Chaos

Each process of a running platform is killed with `kill -9` while a DAG run of eleven task instances is in flight:
Python, a Bash script with an environment of its own, mapped instances, a deferred task, and one that logs to MLflow.
Every body writes into a ledger when it begins and when it ends, and a witness looks at the process table twenty times
a second. A fault counts as survived when everything is ready again, the run ends in success, no task instance ever had
two live processes, and no try ended twice.

Measured {date} on {cores} cores while {load:.1f} processes wanted them (`make test-full ARGS="-m chaos"`); seconds.

| killed | ready again (median) | (worst) | the run took from there (median) | further tries | survived |
|---|---:|---:|---:|---:|---:|
{rows}

A further try is what a killed scheduler costs: its workers die with it, and its successor starts their tasks again. A
task that talks to MLflow while that is killed is tried again by its own `retries`. The pre-loaded parent counts as
ready when a service was forked from its successor, the manager when `airfoil up` has adopted everything, with the same
processes as before.
"""
NEXT = "\n## On a server\n"
"""Where the part of tests/deploy/faults.py begins."""


@pytest.mark.parametrize(("fault", "number"), FAULTS if FULL else [(name, 1) for name in SINGLE], ids=str)
def test_a_killed_process_comes_back_and_the_run_goes_on(platform, fault, number):
    outcome = Outcome(fault)
    OUTCOMES.append(outcome)
    with platform.airflow() as airflow, Witness(platform) as witness:
        run_id = start_run(airflow, f"{fault}-{number}")
        ledger = Ledger(platform.root / "ledger.jsonl", run_id)
        wait_until(lambda: is_busy(airflow, ledger, AT_RISK.get(fault, "script")), 120, "tasks in flight")
        outcome.hit = ", ".join(sorted(ledger.in_flight()))
        strike(platform, fault.split("+"), outcome)
        finish_run(airflow, run_id, outcome)
    bodies = ledger.bodies()
    outcome.tries = len(bodies)
    outcome.further_tries = [f"{key.task} ({key.number})" for key in sorted(bodies) if key.number > 1]
    outcome.wrong = [*faults_in(bodies), *witness.twins(run_id), *overlaps(bodies, witness)]
    print(f"{outcome}; nobody looked for at most {witness.longest_gap_seconds:.2f} s")
    assert outcome.result == "success", platform.last_words()
    assert outcome.wrong == []
    assert {key.task for key in bodies} == EXPECTED
    assert sum(key.task == "mapped" for key in {(k.task, k.index): k for k in bodies}.values()) == 3
    assert outcome.ready_seconds <= limit(fault), f"{outcome}\n{platform.last_words()}"
    if not {"scheduler", "mlflow"} & set(fault.split("+")):
        assert outcome.further_tries == []


@pytest.mark.skipif(not FULL, reason="takes two minutes; FULL=1 runs it")
def test_a_scheduler_that_was_frozen_starts_nothing_twice(platform):
    """As after a laptop's sleep: its heartbeat is old, and it must not take its own running tasks for orphans."""
    outcome = Outcome(f"scheduler frozen for {FROZEN_SECONDS:.0f} s")
    OUTCOMES.append(outcome)
    with platform.airflow() as airflow, Witness(platform) as witness:
        run_id = start_run(airflow, "frozen", {"script_seconds": 100, "nap_seconds": 90})
        ledger = Ledger(platform.root / "ledger.jsonl", run_id)
        wait_until(lambda: {"script", "nap_three"} <= ledger.in_flight(), 120, "tasks in flight")
        outcome.hit = ", ".join(sorted(ledger.in_flight()))
        scheduler = platform.pids()["scheduler"]
        os.kill(scheduler, signal.SIGSTOP)
        time.sleep(FROZEN_SECONDS)
        began = time.monotonic()
        os.kill(scheduler, signal.SIGCONT)
        wait_until(lambda: platform.state().phase == "ready", 60, "all ready again")
        outcome.ready_seconds = time.monotonic() - began
        finish_run(airflow, run_id, outcome)
    bodies = ledger.bodies()
    outcome.tries = len(bodies)
    outcome.further_tries = [f"{key.task} ({key.number})" for key in sorted(bodies) if key.number > 1]
    outcome.wrong = [*faults_in(bodies), *witness.twins(run_id), *overlaps(bodies, witness)]
    print(outcome)
    assert platform.pids()["scheduler"] == scheduler
    assert (outcome.result, outcome.further_tries, outcome.wrong) == ("success", [], [])


def start_run(airflow, name, conf=None):
    airflow.set_paused("busy", paused=False)
    run_id = f"{name}-{time.time():.0f}"
    airflow.trigger("busy", conf or {}, None, run_id)
    return run_id


def is_busy(airflow, ledger, at_risk):
    in_flight = ledger.in_flight()
    if at_risk == "deferred" and in_flight:
        rows = airflow.task_instances("busy", ledger.run_id)
        return any(row["state"] == "deferred" for row in rows)
    return at_risk in in_flight and len(in_flight) > 1


def strike(platform: Platform, names: list[str], outcome: Outcome) -> None:
    """Kill, wait until all is truly ready again, and write down how long that took."""
    before = platform.pids()
    state = platform.state()
    before["manager"] = state.manager_pid
    born = {name: process.birth(before[name]) for name in names}
    at, began = time.time(), time.monotonic()
    for name in names:
        assert process.signal_process(before[name], born[name], 9), name
    if "manager" in names:
        if names == ["manager"]:
            services_run_on(platform, before)
        adopted = platform.up()
        if names == ["manager"]:
            print(f"adopted in {adopted.seconds:.1f} s")
            assert adopted.seconds <= ADOPTION_SECONDS * crowd(), adopted.said
    wait_until(
        lambda: is_ready_again(platform, before, names, at), 180, f"{names} ready: {platform.last_words()}"
    )
    survivors = {name: pid for name, pid in platform.pids().items() if name not in {*names, "preload"}}
    assert survivors == {name: before[name] for name in survivors}, "a service that was not hit was restarted"
    if "preload" in names:
        prove_that_it_forks(platform)
    outcome.ready_seconds = time.monotonic() - began


def services_run_on(platform, before):
    """Without its manager everything answers for a while, unchanged."""
    until = time.monotonic() + 2
    while time.monotonic() < until:
        for name in SERVICES:
            assert process.birth(before[name]) is not None, f"{name} died with the manager"
        time.sleep(0.1)
    for url in (platform.url("api-server") + "/api/v2/monitor/health", platform.url("mlflow") + "/health"):
        assert fetch(url).status == 200
    assert platform.run("status").code == 1


def is_ready_again(platform, before, names, killed_at):
    """Believe the manager only when the services themselves agree."""
    state = platform.state()
    if state.phase != "ready" or not process.is_alive(state.manager_pid, state.manager_started):
        return False
    pids = {**platform.pids(), "manager": state.manager_pid}
    if any(pids.get(name) in {None, before[name]} for name in names):
        return False
    with suppress(OSError):
        health = fetch(platform.url("api-server") + "/api/v2/monitor/health").json()
        parts = [
            health["metadatabase"],
            *(health[name.replace("-", "_")] for name in ("scheduler", "dag-processor", "triggerer")),
        ]
        answers = [fetch(platform.url("mlflow") + "/health"), fetch(platform.url("page") + "/healthz")]
        return all(part["status"] == "healthy" for part in parts) and all(
            one.status == 200 for one in answers
        )
    return False


def prove_that_it_forks(platform):
    """A new parent is ready when a service was forked from it, not when it exists."""
    before = platform.pids()
    at = time.time()
    process.signal_process(before["triggerer"], process.birth(before["triggerer"]), 9)
    wait_until(
        lambda: is_ready_again(platform, before, ["triggerer"], at), 120, "a service forked by the new parent"
    )


def finish_run(airflow, run_id, outcome):
    began = time.monotonic()
    while time.monotonic() - began < RUN_SECONDS:
        with suppress(Exception):
            run = airflow.run("busy", run_id)
            if run["state"] in {"success", "failed"}:
                outcome.result = run["state"]
                break
        time.sleep(0.3)
    outcome.run_seconds = time.monotonic() - began


def crowd():
    """The promise is for a machine that has nothing else to do; a crowded one gets so much more time."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def limit(fault):
    return crowd() * (PAIR_SECONDS if "+" in fault else LIMIT_SECONDS.get(fault, OTHERWISE_SECONDS))


def test_after_all_that_nothing_is_left(shared_platform):
    assert shared_platform.state().phase == "ready"
    seen = shared_platform.processes()
    assert len(seen) >= len(SERVICES) + 2
    seconds = shared_platform.down().seconds
    print(f"down in {seconds:.1f} s; before: {len(seen)} processes, after: {shared_platform.leftovers()}")
    assert shared_platform.leftovers() == []


# -- the table


@pytest.fixture(scope="module", autouse=True)
def table(repository):
    """After a full run: write down what was measured."""
    yield
    if FULL and len(OUTCOMES) > len(FAULTS):
        path = repository / "docs" / "chaos.md"
        after = path.read_text(encoding="utf-8").partition(NEXT)
        path.write_text(document(OUTCOMES) + "".join(after[1:]), encoding="utf-8")


def document(outcomes: list[Outcome]) -> str:
    """The page, a line for each fault."""
    rows = []
    for fault in dict.fromkeys(one.fault for one in outcomes):
        same = [one for one in outcomes if one.fault == fault]
        ready = sorted(one.ready_seconds for one in same)
        ended = statistics.median(one.run_seconds for one in same)
        again = " / ".join(str(len(one.further_tries)) for one in same)
        good = sum(one.result == "success" and not one.wrong for one in same)
        rows.append(
            f"| {fault.replace('+', ' + ')} | {statistics.median(ready):.1f} | {ready[-1]:.1f} | {ended:.1f} "
            f"| {again} | {good} of {len(same)} |"
        )
    load = statistics.mean(one.load for one in outcomes)
    return PAGE.format(date=time.strftime("%Y-%m-%d"), cores=os.cpu_count(), load=load, rows="\n".join(rows))
