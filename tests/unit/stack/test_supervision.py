"""Written histories: what the supervisor answers to starts, deaths, probes, time and stopping."""

from __future__ import annotations

import signal

import pytest

from airfoil.stack.service import Probe, Service
from airfoil.stack.supervision import Action, Rules, Supervisor, Watched

pytestmark = pytest.mark.unit

T0 = 1_800_000_000.0


def service(name, **values):
    return Service(
        name=name, title=name.title(), argv=("run", name), probe=Probe("http", "http://x"), **values
    )


def table(*services, rules=None):
    return Supervisor.of(services, T0, rules)


def of(stack: Supervisor, name: str) -> Watched:
    return stack.watched[name]


def states(stack):
    return {name: one.state for name, one in stack.watched.items()}


def bring_up(stack, name, now, pid=100):
    """Start one service and let it become healthy."""
    assert stack.started(name, pid, 1.0, now) == []
    assert stack.probed(name, healthy=True, detail="", now=now) == []
    assert of(stack, name).state == "ready"


def die(stack, name, now, code: int | None = 1, evidence=""):
    """Start one service and let it end; what to do then."""
    stack.started(name, 1, 1.0, now)
    return stack.ended(name, code, evidence, now)


# -- starting


def test_what_needs_nothing_starts_at_once_and_the_rest_waits_its_turn():
    stack = table(service("setup", kind="job"), service("web", needs=("setup",)), service("page"))
    assert states(stack) == {"setup": "waiting", "web": "waiting", "page": "waiting"}
    assert stack.tick(T0) == [Action("start", "setup"), Action("start", "page")]
    stack.started("setup", 1, 1.0, T0)
    assert stack.tick(T0 + 1) == [Action("start", "page")]
    assert stack.ended("setup", 0, "", T0 + 2) == []
    assert of(stack, "setup").state == "done"
    assert stack.tick(T0 + 2) == [Action("start", "web"), Action("start", "page")]


def test_a_need_must_be_ready_not_only_started():
    stack = table(service("a"), service("b", needs=("a",)))
    stack.started("a", 1, 1.0, T0)
    assert stack.tick(T0) == []
    stack.probed("a", healthy=True, detail="", now=T0)
    assert stack.tick(T0) == [Action("start", "b")]


def test_starting_keeps_the_latest_reason_and_readiness_clears_it():
    stack = table(service("a"))
    stack.started("a", 7, 3.5, T0)
    for number in range(10):
        assert stack.probed("a", healthy=False, detail=f"no answer {number}", now=T0 + number) == []
    assert (of(stack, "a").state, of(stack, "a").detail) == ("starting", "no answer 9")
    stack.probed("a", healthy=True, detail="", now=T0 + 11)
    report = of(stack, "a").report()
    assert (report.state, report.detail, report.since) == ("ready", "", T0 + 11)
    assert (report.pid, report.pid_started) == (7, 3.5)


def test_an_answer_about_a_process_that_ended_meanwhile_changes_nothing():
    stack = table(service("a"))
    die(stack, "a", T0)
    assert stack.probed("a", healthy=True, detail="", now=T0) == []
    assert of(stack, "a").state == "restarting"


# -- dying and restarting


def test_the_first_restart_comes_at_once_the_next_ones_later_and_later():
    stack = table(service("a"))
    now, waited = T0, []
    for _ in range(4):
        assert stack.tick(now) == [Action("start", "a")]
        assert die(stack, "a", now) == [Action("sweep", "a")]
        assert of(stack, "a").state == "restarting"
        waited.append(round(of(stack, "a").next_start - now, 6))
        assert stack.tick(of(stack, "a").next_start - 0.001) == []
        now = of(stack, "a").next_start
    assert waited == [0.1, 0.4, 1.6, 6.4]
    assert of(stack, "a").restarts == 4


def test_a_service_that_could_not_be_started_is_tried_again():
    stack = table(service("a"))
    assert stack.refused("a", "no such file", T0) == []
    assert (of(stack, "a").state, of(stack, "a").detail) == ("restarting", "no such file")


def test_the_longest_wait_is_half_a_minute():
    stack = table(service("a"), rules=Rules(give_up_after=100))
    for _ in range(30):
        die(stack, "a", T0)
    assert of(stack, "a").next_start == T0 + 30.0


def test_it_gives_up_visibly_after_five_deaths_and_stays_down():
    stack = table(service("a"))
    for number in range(5):
        assert of(stack, "a").state in {"waiting", "restarting"}, number
        die(stack, "a", T0, 3, "ImportError: no x")
    report = of(stack, "a").report()
    assert report.state == "failed"
    assert report.detail == "gave up after 5 tries: it ended with exit code 3: ImportError: no x"
    assert (report.pid, report.pid_started, report.restarts) == (None, None, 4)
    assert stack.tick(T0 + 100_000) == []
    assert stack.phase(ready_before=True) == "failed"


def test_a_healthy_minute_forgives():
    stack = table(service("a"))
    now = T0
    for _ in range(20):
        bring_up(stack, "a", now)
        stack.tick(now + 60.5)
        now += 61
        stack.ended("a", 1, "", now)
        assert of(stack, "a").state == "restarting"
        assert of(stack, "a").next_start == now + 0.1
    assert of(stack, "a").restarts == 20, "forgiving is not forgetting"


def test_less_than_a_healthy_minute_does_not():
    stack = table(service("a"))
    for number in range(5):
        bring_up(stack, "a", T0 + number * 59)
        stack.tick(T0 + number * 59 + 58)
        stack.ended("a", 1, "", T0 + number * 59 + 58)
    assert of(stack, "a").state == "failed"


def test_a_minute_of_being_unhealthy_or_starting_does_not_forgive():
    stack = table(service("a", start_timeout_seconds=1000))
    die(stack, "a", T0)
    stack.started("a", 2, 1.0, T0 + 1)
    stack.tick(T0 + 500)
    assert of(stack, "a").deaths == 1
    stack.probed("a", healthy=True, detail="", now=T0 + 501)
    for number in range(3):
        stack.probed("a", healthy=False, detail="?", now=T0 + 502 + number)
    stack.tick(T0 + 560)
    assert (of(stack, "a").state, of(stack, "a").deaths) == ("unhealthy", 1)


@pytest.mark.parametrize(
    ("code", "evidence", "detail"),
    [
        (0, "", "it ended with exit code 0"),
        (1, "ValueError: no", "it ended with exit code 1: ValueError: no"),
        (-signal.SIGTERM, "", "it was ended by SIGTERM"),
        (-signal.SIGKILL, "", "it was ended by SIGKILL, as the system does when memory runs out"),
        (None, "", "it ended"),
        (78, "Move it away.", "Move it away."),
        (78, "", "it ended with exit code 78"),
        (75, "The server is away.", "The server is away."),
    ],
)
def test_how_it_ended_is_said_in_words(code, evidence, detail):
    stack = table(service("a"))
    die(stack, "a", T0, code, evidence)
    assert of(stack, "a").detail == detail


def test_what_a_person_has_to_decide_is_not_tried_again():
    stack = table(service("a"))
    die(stack, "a", T0, 78, "Move it away.")
    assert of(stack, "a").state == "failed"


# -- jobs


@pytest.mark.parametrize("code", [1, None, -9])
def test_a_job_that_fails_is_final_at_the_first_time(code):
    stack = table(service("setup", kind="job"), service("web", needs=("setup",)))
    die(stack, "setup", T0, code, "half-migrated")
    assert of(stack, "setup").state == "failed"
    assert of(stack, "setup").detail.endswith(": half-migrated")
    assert stack.tick(T0 + 1000) == []
    assert of(stack, "web").state == "waiting"
    assert stack.phase(ready_before=False) == "failed"


def test_a_job_that_is_done_is_not_started_again():
    stack = table(service("setup", kind="job"))
    die(stack, "setup", T0, 0)
    assert stack.tick(T0 + 1000) == []
    assert of(stack, "setup").report().detail == ""


# -- hanging


def test_two_bad_answers_are_forgiven_three_in_a_row_are_not():
    stack = table(service("a"))
    bring_up(stack, "a", T0)
    for healthy in (False, False, True, False, False):
        stack.probed("a", healthy=healthy, detail="silent", now=T0 + 1)
        assert (of(stack, "a").state, of(stack, "a").detail) == ("ready", "")
    stack.probed("a", healthy=False, detail="silent", now=T0 + 6)
    assert (of(stack, "a").state, of(stack, "a").detail, of(stack, "a").since) == (
        "unhealthy",
        "silent",
        T0 + 6,
    )
    stack.probed("a", healthy=True, detail="", now=T0 + 7)
    assert (of(stack, "a").state, of(stack, "a").detail) == ("ready", "")


def test_a_hung_service_is_killed_in_the_end_and_restarted():
    patience = Rules().hung_seconds
    assert patience >= 60
    stack = table(service("a"))
    bring_up(stack, "a", T0)
    for _ in range(3):
        stack.probed("a", healthy=False, detail="silent for 5 s", now=T0)
    assert stack.tick(T0 + patience) == []
    assert stack.tick(T0 + patience + 0.1) == [Action("kill", "a")]
    assert stack.ended("a", -9, "", T0 + patience + 0.2) == [Action("sweep", "a")]
    assert of(stack, "a").state == "restarting"
    assert of(stack, "a").detail == f"unhealthy for {patience:.0f} s: silent for 5 s; it was ended by SIGKILL"
    assert stack.tick(T0 + patience + 1) == [Action("start", "a")]
    stack.started("a", 2, 1.0, T0 + patience + 1)
    stack.ended("a", 1, "", T0 + patience + 2)
    assert of(stack, "a").detail == "it ended with exit code 1", "the reason belongs to the death before"


def test_a_service_that_is_never_ready_is_killed_at_its_own_time_limit_and_says_why():
    stack = table(service("a", start_timeout_seconds=5.0))
    stack.started("a", 1, 1.0, T0)
    stack.probed("a", healthy=False, detail="http://x answered 503", now=T0 + 4)
    assert stack.tick(T0 + 5) == []
    assert stack.tick(T0 + 5.1) == [Action("kill", "a")]
    assert stack.ended("a", -9, "", T0 + 5.2) == [Action("sweep", "a")]
    assert of(stack, "a").detail == "not ready after 5 s: http://x answered 503; it was ended by SIGKILL"


def test_a_kill_that_takes_a_while_repeats_and_its_reason_does_not_grow():
    stack = table(service("a", start_timeout_seconds=5.0))
    stack.started("a", 1, 1.0, T0)
    for number in range(10):
        assert stack.tick(T0 + 6 + number) == [Action("kill", "a")]
    assert of(stack, "a").detail == "not ready after 5 s: no answer"


# -- the pre-loaded parent, and doing without it


def staged(name, **values):
    return service(name, stage="airflow", module="m", **values)


def test_a_forked_service_waits_for_the_parent():
    stack = table(service("preload", kind="helper"), staged("web"), service("page"))
    assert stack.tick(T0) == [Action("start", "preload"), Action("start", "page")]
    bring_up(stack, "preload", T0)
    assert stack.tick(T0) == [Action("start", "web"), Action("start", "page")]


def test_a_restart_waits_for_the_parent_too():
    stack = table(service("preload", kind="helper"), staged("web"))
    bring_up(stack, "preload", T0)
    bring_up(stack, "web", T0)
    stack.ended("preload", -9, "", T0 + 1)
    assert of(stack, "web").state == "ready", "the parent may die while services run on"
    stack.ended("web", -9, "", T0 + 1)
    assert stack.tick(T0 + 1.2) == [Action("start", "preload")]
    stack.started("preload", 5, 1.0, T0 + 2)
    assert stack.tick(T0 + 2) == []
    stack.probed("preload", healthy=True, detail="", now=T0 + 2)
    assert stack.tick(T0 + 2) == [Action("start", "web")]


def test_an_unknown_release_switches_to_the_plain_command_once():
    stack = table(service("preload", kind="helper"), staged("web", fallback_argv=("plain", "web")))
    stack.started("web", 1, 1.0, T0)
    assert stack.unsupported("web", T0) == []
    one = of(stack, "web")
    assert (one.state, one.plain, one.pid, one.deaths, one.restarts) == ("waiting", True, None, 0, 0)
    assert Action("start", "web") in stack.tick(T0), "the plain command needs no parent and no patience"
    stack.started("web", 2, 1.0, T0)
    assert stack.unsupported("web", T0) == []
    assert (one.state, one.deaths) == ("restarting", 1)
    assert one.detail == "its self-test failed and there is no plain command to fall back to"


def test_an_unknown_release_without_a_plain_command_counts_as_a_death():
    stack = table(service("a"))
    for _ in range(5):
        stack.started("a", 1, 1.0, T0)
        stack.unsupported("a", T0)
    assert of(stack, "a").state == "failed"
    assert "there is no plain command to fall back to" in of(stack, "a").detail


# -- stopping


def stop_all(stack, now):
    return stack.stop([*stack.watched], now)


def test_stopping_asks_politely_and_kills_after_the_deadline():
    stack = table(service("a", stop_timeout_seconds=10.0))
    bring_up(stack, "a", T0)
    assert stop_all(stack, T0) == [Action("terminate", "a")]
    assert of(stack, "a").state == "stopping"
    assert stack.phase(ready_before=True) == "stopping"
    assert stop_all(stack, T0 + 1) == [], "asked once, not at every round"
    assert stack.tick(T0 + 10) == []
    assert stack.tick(T0 + 10.1) == [Action("kill", "a")]
    assert stack.tick(T0 + 10.2) == []
    assert stack.tick(T0 + 15.2) == [Action("kill", "a")], "and again, in case the first kill went astray"
    assert stack.ended("a", -9, "", T0 + 16) == [Action("sweep", "a")]
    assert of(stack, "a").report().detail == ""
    assert stack.phase(ready_before=True) == "stopped"


def test_nothing_starts_while_stopping_and_what_dies_is_not_restarted():
    stack = table(service("a"), service("b"), service("c"))
    bring_up(stack, "a", T0)
    bring_up(stack, "b", T0)
    assert stack.stop(["a"], T0) == [Action("terminate", "a")]
    assert stack.tick(T0 + 1) == []
    stack.ended("b", 1, "", T0 + 1)
    assert states(stack) == {"a": "stopping", "b": "stopped", "c": "waiting"}
    assert stack.tick(T0 + 2) == []


def test_what_has_no_process_is_stopped_at_once_and_verdicts_stay():
    stack = table(service("new"), service("dead"), service("back-off"), service("job", kind="job"))
    for _ in range(5):
        stack.refused("dead", "no", T0)
    stack.refused("back-off", "no", T0)
    die(stack, "job", T0, 0)
    assert stop_all(stack, T0 + 1) == []
    assert states(stack) == {"new": "stopped", "dead": "failed", "back-off": "stopped", "job": "done"}
    assert stack.phase(ready_before=False) == "stopped"


def test_a_process_that_appears_while_stopping_is_ended():
    stack = table(service("a"))
    stack.stopping = True
    assert stack.started("a", 1, 1.0, T0) == [Action("terminate", "a")]
    assert stack.stop(["a"], T0) == [Action("terminate", "a")]
    stack.ended("a", -15, "", T0)
    assert of(stack, "a").state == "stopped"


def test_a_job_that_is_stopped_half_way_is_not_done():
    stack = table(service("setup", kind="job"))
    stack.started("setup", 1, 1.0, T0)
    assert stop_all(stack, T0) == [Action("terminate", "setup")]
    stack.ended("setup", 0, "", T0)
    assert of(stack, "setup").state == "stopped"


# -- the verdict on the whole


def test_the_phase_of_a_life():
    stack = table(service("setup", kind="job"), service("a", needs=("setup",)))
    assert stack.phase(ready_before=False) == "starting"
    die(stack, "setup", T0, 0)
    assert stack.phase(ready_before=False) == "starting"
    bring_up(stack, "a", T0)
    assert stack.phase(ready_before=False) == "ready"
    for _ in range(3):
        stack.probed("a", healthy=False, detail="", now=T0)
    assert stack.phase(ready_before=True) == "degraded"
    stack.ended("a", 1, "", T0)
    assert stack.phase(ready_before=True) == "degraded"
    assert stack.phase(ready_before=False) == "starting"
    for _ in range(4):
        die(stack, "a", T0)
    assert stack.phase(ready_before=True) == "failed"
    stop_all(stack, T0)
    assert stack.phase(ready_before=True) == "stopped"
