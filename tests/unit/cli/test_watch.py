import pytest

from airfoil.cli import watch
from airfoil.errors import NeighbourError, ServiceAnswerError, ServiceRefusedError, ServiceUnreachableError

pytestmark = pytest.mark.unit

AWAY = ServiceUnreachableError("Airflow does not answer.")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class Telling:
    def __init__(self):
        self.said = []

    def notice(self, text):
        self.said.append(text)

    def look(self, view, changes):
        self.said.append((view.state, [f"{change.label} {change.state}" for change in changes]))


class History:
    """An Airflow whose run goes through written moments; an exception in place of one is an outage."""

    def __init__(self, *moments):
        self.moments = list(moments)

    def run(self, dag_id, run_id):
        if isinstance(self.moments[0], Exception):
            raise self.moments.pop(0)
        return {"state": self.moments[0][0]}

    def task_instances(self, dag_id, run_id):
        _, tasks = self.moments.pop(0)
        return tasks


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def telling():
    return Telling()


@pytest.fixture
def patience(time, telling):
    return watch.Patience(telling.notice, clock=time, sleep=time.sleep)


def follow(history, telling, patience):
    return watch.follow_run(history, "d", "r", telling, patience=patience, wall_clock=lambda: 0.0)


def test_a_run_is_followed_to_its_end(time, telling, patience, task):
    history = History(
        ("queued", [task("a")]),
        ("running", [task("a", "running")]),
        ("success", [task("a", "success")]),
    )

    final = follow(history, telling, patience)

    assert final.state == "success"
    assert telling.said == [("queued", []), ("running", ["a running"]), ("success", ["a success"])]
    assert time.slept == [0.5, 0.5]


def test_a_short_outage_is_told_and_survived(telling, patience, task):
    history = History(
        ("running", [task("a", "running")]),
        AWAY,
        AWAY,
        ServiceAnswerError("404?"),
        ("success", [task("a", "success")]),
    )

    assert follow(history, telling, patience).state == "success"
    assert telling.said[1:3] == [
        "Airflow does not answer; trying for up to 120 s more.",
        "Airflow answers again after 3 s.",
    ]


def test_a_long_outage_ends_the_wait(time, telling, patience):
    history = History(*[AWAY] * 1000)

    with pytest.raises(ServiceUnreachableError):
        follow(history, telling, patience)

    assert 120 <= time.now - 1000 < 122
    assert len(telling.said) == 1


def test_each_outage_has_its_own_patience(telling, patience, task):
    outage = [AWAY] * 100
    history = History(*outage, ("running", []), *outage, ("failed", [task("a", "failed")]))

    assert follow(history, telling, patience).state == "failed"


def test_nobody_waits_for_a_platform_that_was_stopped(time, telling):
    patience = watch.Patience(telling.notice, is_running=lambda: False, clock=time, sleep=time.sleep)

    with pytest.raises(NeighbourError, match="stopped meanwhile"):
        follow(History(AWAY), telling, patience)

    assert time.slept == []


def test_a_refused_login_is_not_waited_for(time, telling, patience):
    with pytest.raises(ServiceRefusedError):
        follow(History(ServiceRefusedError("no")), telling, patience)

    assert time.slept == []


def test_a_refused_question_is_an_answer_unless_it_is_known_to_be_good(patience):
    def ask():
        raise ServiceAnswerError("422")

    with pytest.raises(ServiceAnswerError):
        patience(ask)


def test_a_trigger_that_was_cut_off_is_sent_again_with_the_same_id(patience):
    sent = []

    class Airflow:
        def trigger(self, *arguments):
            sent.append(arguments)
            if len(sent) == 1:
                raise AWAY
            return {"state": "queued"}

    assert watch.trigger(Airflow(), "d", {"a": 1}, "manual__x", patience) == {"state": "queued"}
    assert sent == [("d", {"a": 1}, None, "manual__x")] * 2
