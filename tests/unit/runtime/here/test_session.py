import bdb
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from airfoil.runtime.here import session

pytestmark = pytest.mark.unit

ORDER = session.Order("shop", Path("/dags"), {})


class Questions:
    """A helper of written answers."""

    def __init__(self, *news):
        self.news = list(news)
        self.asked = []

    def ask(self, what, **values):
        self.asked.append((what, values))
        return self.news.pop(0) if what in {"next", "resume"} else None


class Clients:
    """A supervisor whose tasks end as written."""

    def __init__(self, *results, event=None):
        self.results = list(results)
        self.event = event

    def run_task(self, task, values):
        return self.results.pop(0)

    def run_trigger(self, deferral, values):
        return self.event


def result(state, error=None, msg=None):
    return SimpleNamespace(state=state, error=error, msg=msg)


def task(task_id="train", map_index=-1):
    return {"run": {"id": "1", "task_id": task_id, "map_index": map_index}}


def ended(state="success", *tasks):
    return {"ended": state, "tasks": list(tasks)}


def one_task(clients, questions=None, order=ORDER):
    said = []
    found = session.Session(order, questions or Questions(), said.append)
    found._clients = clients
    dag = SimpleNamespace(task_dict={"train": "task"})
    return found._run_task(dag, task()["run"]), said


def test_a_task_that_succeeds():
    questions = Questions()

    stop, said = one_task(Clients(result("success")), questions)

    assert stop is None
    assert said[0] == "--- train"
    assert said[1].split()[:3] == ["✓", "train", "success"]
    assert questions.asked == [("done", {"id": "1", "state": "success"})]


def test_a_task_that_fails_shows_the_error_and_the_rest_goes_on():
    stop, said = one_task(Clients(result("failed", ValueError("bad"))))

    assert stop is None
    assert said[-1] == "ValueError: bad"


def test_whoever_leaves_the_debugger_ends_the_run():
    stop, said = one_task(Clients(result("failed", bdb.BdbQuit())))

    assert stop == session.FAILURE
    assert said[-1] == "You left the debugger; the rest was not run."


def test_ctrl_c_ends_the_run():
    stop, said = one_task(Clients(result("failed", KeyboardInterrupt())))

    assert stop == session.INTERRUPTED
    assert said[-1] == "Interrupted; the rest was not run."


def test_the_debugger_opens_where_it_failed(monkeypatch):
    opened = []
    monkeypatch.setattr("pdb.post_mortem", opened.append)
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018 - the error is the point
    order = session.Order("shop", Path("/dags"), {}, pdb=True)

    one_task(Clients(result("failed", caught.value)), order=order)

    assert opened == [caught.value.__traceback__]


def test_a_trigger_may_end_its_task_by_itself():
    event = SimpleNamespace(task_instance_state="success")
    questions = Questions()

    _, said = one_task(Clients(result("deferred", msg="wait"), event=event), questions)

    assert said[1] == "  deferred: its trigger runs here"
    assert questions.asked == [("done", {"id": "1", "state": "success"})]


def test_a_sensor_that_wants_to_be_looked_at_later_has_no_outcome_yet():
    _, said = one_task(Clients(result("up_for_reschedule")))

    assert said == ["--- train"]


def test_the_end_names_what_never_ran_and_how_to_look_into_it():
    said = []
    found = session.Session(ORDER, Questions(), said.append)

    code = found._end(ended("failed", ("load", -1, "success"), ("many", 2, "upstream_failed")))

    assert code == session.FAILURE
    assert said[0].split() == ["✗", "many[2]", "upstream_failed"]
    assert said[1].startswith("✗ shop: failed after 0.0 s, here")
    assert said[2] == "  Stand where it failed: airfoil run shop --here --pdb"
    assert found._end(ended()) == session.SUCCESS


def test_dates_without_an_offset_are_the_dags_own():
    berlin = ZoneInfo("Europe/Berlin")

    assert session.moment("2026-07-01", berlin) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert session.moment("2026-07-01T00:00+00:00", berlin) == datetime(2026, 7, 1, tzinfo=UTC)
    assert session.moment("", berlin) is None


def test_a_run_here_is_known_by_its_name():
    ids = {session.new_run_id() for _ in range(50)}

    assert len(ids) == 50
    assert all(run_id.startswith("here__20") for run_id in ids)


def test_time_limits_are_taken_away():
    plain = SimpleNamespace(execution_timeout=5)
    mapped = SimpleNamespace(partial_kwargs={"execution_timeout": 5, "retries": 1})

    session.forget_time_limit(plain)
    session.forget_time_limit(mapped)

    assert plain.execution_timeout is None
    assert mapped.partial_kwargs == {"retries": 1}


def test_states_are_words():
    assert [session.word(state) for state in ("success", SimpleNamespace(value="failed"), None)] == [
        "success",
        "failed",
        "",
    ]
