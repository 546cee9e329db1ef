"""Faults of a running server, as data: what dies or is cut off, how that is done and undone, and what came of it.

Nothing here goes through Docker's own `kill`, which Docker takes for a person's wish that the container stay down.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.deploy import engine

if TYPE_CHECKING:
    from tests.deploy.compose_server import Server

KILL, CUT = KINDS = "kill -9", "network cut"
SERVICES = (
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
ALERTS = {
    "airflow-worker": "CeleryWorkersGone",
    "airflow-scheduler": "AirflowSchedulerDown",
    "airflow-triggerer": "AirflowTriggererDown",
    "airflow-dag-processor": "AirflowDagProcessorDown",
    "airflow-api-server": "ServiceDown",
    "mlflow": "MlflowDown",
    "redis": "RedisDown",
    "postgres": "PostgresDown",
    "s3": "ServiceDown",
    "proxy": "ServiceDown",
}
SEED = 7
LASTING_SECONDS = 30.0
"""How long a cut lasts where no alert is waited for."""
DROPPED = (("INPUT", "!", "-i", "lo"), ("OUTPUT", "!", "-o", "lo"))
"""What passes no more, as in a broken switch: nothing is refused, it is just silent. Its own loopback works."""


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that goes wrong."""

    kind: str
    service: str

    def __str__(self) -> str:
        """As the table says it."""
        return f"{self.service.removeprefix('airflow-')}: {self.kind}"


def pairs(seed: int = SEED) -> tuple[tuple[Fault, Fault], ...]:
    """Two at once, ten times, each part in two of them; drawn by a seed, so that another day draws the same."""
    drawn = random.Random(seed)  # noqa: S311 - a choice, not a secret
    found: set[frozenset[str]] = set()
    while len(found) < len(SERVICES) or any(len(pair) < 2 for pair in found):
        order = drawn.sample(SERVICES * 2, 2 * len(SERVICES))
        found = {frozenset(two) for two in zip(order[::2], order[1::2], strict=True)}
    ordered = sorted(tuple(sorted(pair)) for pair in found)
    return tuple(
        (Fault(drawn.choice(KINDS), one), Fault(drawn.choice(KINDS), other)) for one, other in ordered
    )


def kill(server: Server, service: str) -> None:
    """End everything in the first container of a service, as a machine out of memory does."""
    for pid in _pids(server, service)[:1]:
        os.kill(pid, signal.SIGKILL)


@contextmanager
def cut(server: Server, service: str) -> Iterator[None]:
    """Let nothing in or out of the containers of a service meanwhile."""
    done: list[tuple[int, tuple[str, ...]]] = []
    try:
        for pid in _pids(server, service):
            for rule in DROPPED:
                _iptables(pid, "-I", *rule)
                done.append((pid, rule))
        yield
    finally:
        for pid, rule in done:
            _iptables(pid, "-D", *rule, check=False)  # a container that has been replaced has none


@contextmanager
def frozen(server: Server, service: str) -> Iterator[None]:
    """Stop the main process of each of its containers meanwhile: a worker takes no message, and its tasks go on."""
    mains = [int(_children(pid).split()[0]) for pid in _pids(server, service)]
    for pid in mains:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in mains:
            os.kill(pid, signal.SIGCONT)


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")


def send(server: Server, service: str, number: int) -> None:
    """Send a signal to what runs in a container; Docker's own `kill` would have it stay down after a restart."""
    for pid in _pids(server, service):
        os.kill(pid, number)


def _iptables(pid: int, what: str, chain: str, *rule: str, check: bool = True) -> None:
    inside = ("nsenter", f"--net=/proc/{pid}/ns/net")
    engine.run(*inside, "iptables", "--wait", what, chain, *rule, "-j", "DROP", check=check)


def _pids(server: Server, service: str) -> list[int]:
    names = server.compose("ps", "--quiet", service).split()
    return [int(one["State"]["Pid"]) for one in json.loads(engine.docker("inspect", *names))]


@dataclass
class Outcome:
    """One line of the table."""

    fault: str
    well_seconds: float = 0.0
    """From the fault (or, of a cut, its end) until every container says that it is healthy."""
    ended_seconds: float = 0.0
    """From the same moment until every run that was asked for has ended."""
    runs: int = 0
    tries: int = 0
    """Tasks that began a further try."""
    alert: str = ""
    alert_seconds: float = 0.0
    """From the fault until the alert was there; 0 where none was waited for."""
    cleared_seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Say it in one line."""
        told = (
            f", {self.alert} after {self.alert_seconds:.0f} s, gone {self.cleared_seconds:.0f} s after"
            * bool(self.alert_seconds)
        )
        return (
            f"{self.fault}: well after {self.well_seconds:.0f} s, {self.runs} runs ended after "
            f"{self.ended_seconds:.0f} s, {self.tries} further tries{told}, wrong: {self.wrong or 'nothing'}"
        )


def wait_until_well(server: Server, seconds: float) -> None:
    """Wait until every container says that it is healthy."""
    deadline = time.monotonic() + seconds
    while wrong := {
        name: state
        for name, state in server.states().items()
        if not state.startswith(("running (healthy)", "exited (0)", "running (no check)"))
    }:
        assert time.monotonic() < deadline, wrong
        time.sleep(1)
