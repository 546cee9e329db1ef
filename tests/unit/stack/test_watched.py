"""How patient we are: with services that hang at their start, and with those that end."""

from __future__ import annotations

import pytest

from airfoil.stack.service import Probe, Service
from airfoil.stack.supervision import Supervisor

pytestmark = pytest.mark.unit

T0 = 1_000_000.0


@pytest.fixture
def stack() -> Supervisor:
    """One service that may take five seconds to start."""
    row = Service("a", "A", ("run",), Probe("http", "http://x"), start_timeout_seconds=5.0)
    return Supervisor.of([row], T0)


def hang(stack, now):
    """Use up a whole start."""
    stack.started("a", 1, 1.0, now)
    stack.tick(now + 6)
    stack.ended("a", -9, "", now + 6)


def test_a_service_that_hangs_twice_is_given_up_instead_of_costing_five_time_limits(stack):
    hang(stack, T0)
    assert stack.watched["a"].state == "restarting"
    hang(stack, T0 + 10)
    assert stack.watched["a"].state == "failed"
    assert stack.watched["a"].detail.startswith("gave up after 2 tries: not ready after 5 s")


def test_a_healthy_minute_forgives_a_hang_and_an_end_is_no_hang(stack):
    hang(stack, T0)
    stack.started("a", 1, 1.0, T0 + 10)
    stack.ended("a", 1, "", T0 + 10)
    assert stack.watched["a"].state == "restarting"
    stack.started("a", 1, 1.0, T0 + 20)
    stack.probed("a", healthy=True, detail="", now=T0 + 20)
    stack.tick(T0 + 100)
    stack.ended("a", 1, "", T0 + 101)
    hang(stack, T0 + 102)
    assert stack.watched["a"].state == "restarting"


def test_a_report_tells_what_others_may_know(stack):
    stack.started("a", 42, 7.0, T0)
    report = stack.watched["a"].report()
    assert (report.name, report.state, report.pid, report.pid_started) == ("a", "starting", 42, 7.0)
