from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.run_keys import RunKey
from airfoil.provider.orphans import DagRunFacts, TaskFacts, judge, key_of

pytestmark = pytest.mark.unit

PARENT = RunKey("d", "r").tags()
CHILD = RunKey("d", "r", "t", 3).tags() | {"airfoil.run_key": "x"}
PLAIN = RunKey("d", "r", "t").tags() | {"airflow.try_number": "1"}
RUNNING, ENDED = DagRunFacts("running"), DagRunFacts("failed")
ACTIVE = ("queued", "running", "restarting")
WAITING = (None, "scheduled", "up_for_retry", "up_for_reschedule", "deferred", "awaiting_input")
OVER = {
    "success": "FINISHED",
    "failed": "FAILED",
    "skipped": "KILLED",
    "upstream_failed": "KILLED",
    "removed": "KILLED",
}
STATES = st.sampled_from([*ACTIVE, *WAITING, *OVER])


def verdict(tags, dag_run, task=None, *, was_here=False):
    found = judge(tags, dag_run, task, grace_seconds=20, was_here=was_here)
    return found and (found.status, found.sure)


def test_we_know_every_state_of_airflow():
    from airflow.utils.state import DagRunState, TaskInstanceState

    assert {*ACTIVE, *WAITING, *OVER} - {None} == {state.value for state in TaskInstanceState}
    assert {DagRunFacts(state.value).ended for state in DagRunState} == {True, False}
    assert [state.value for state in DagRunState if DagRunFacts(state.value).ended] == ["success", "failed"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [("success", ("FINISHED", True)), ("failed", ("FAILED", True)), ("running", None), ("queued", None)],
)
def test_a_parent_ends_with_its_dag_run(state, expected):
    assert verdict(PARENT, DagRunFacts(state)) == expected


@pytest.mark.parametrize("tags", [PARENT, CHILD, PLAIN])
def test_runs_of_a_deleted_dag_run_are_killed_only_if_it_was_ours(tags):
    assert verdict(tags, None, was_here=True) == ("KILLED", False)
    assert verdict(tags, None, was_here=False) is None


def test_a_child_whose_task_instance_is_gone_is_killed_at_the_second_look():
    assert verdict(CHILD, RUNNING, None) == ("KILLED", False)


@pytest.mark.parametrize(("state", "status"), OVER.items())
@pytest.mark.parametrize(
    ("lives", "seconds", "sure"), [(False, 0, True), (None, 0, False), (None, 21, True), (None, None, False)]
)
def test_a_child_ends_as_its_task_did_once_its_process_had_time(state, status, lives, seconds, sure):
    task = TaskFacts(state, 1, process_lives=lives, ended_seconds_ago=seconds)
    assert verdict(CHILD, RUNNING, task) == (status, sure)


@pytest.mark.parametrize("state", [*ACTIVE, *WAITING])
def test_a_child_whose_task_goes_on_is_left_alone(state):
    assert verdict(CHILD, RUNNING, TaskFacts(state, 2, ended_seconds_ago=999)) is None


@pytest.mark.parametrize("state", WAITING)
def test_nothing_is_waited_for_after_the_dag_run(state):
    assert verdict(CHILD, ENDED, TaskFacts(state, 2)) == ("KILLED", False)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (TaskFacts("running", 1, process_lives=True), None),
        (TaskFacts("running", 2, process_lives=True), ("FAILED", True)),
        (TaskFacts("queued", 2), ("FAILED", False)),
        (TaskFacts("queued", 2, process_lives=True), None),
        (TaskFacts("up_for_retry", 1, process_lives=False), ("FAILED", True)),
        (TaskFacts("up_for_retry", 1, ended_seconds_ago=1), ("FAILED", False)),
        (TaskFacts("up_for_retry", 1, process_lives=True), None),
        (TaskFacts("deferred", 1), None),
        (TaskFacts(None, 1), None),
        (TaskFacts("success", 1, ended_seconds_ago=60), ("FINISHED", True)),
        (TaskFacts("success", 2, ended_seconds_ago=60), ("FAILED", True)),
        (TaskFacts("success", 2, ended_seconds_ago=1), ("FAILED", False)),
    ],
)
def test_a_run_of_one_try_does_not_outlive_the_try(task, expected):
    assert verdict(PLAIN, RUNNING, task) == expected


def test_the_try_of_a_shared_run_means_nothing():
    assert verdict(CHILD | {"airflow.try_number": "1"}, RUNNING, TaskFacts("running", 2)) is None


@given(
    tags=st.sampled_from([PARENT, CHILD, PLAIN]),
    state=STATES,
    number=st.integers(0, 5),
    dag_run=st.sampled_from(["queued", "running", "success", "failed"]),
)
def test_no_child_is_closed_while_its_process_lives(tags, state, number, dag_run):
    tried = int(tags.get("airflow.try_number", "0"))
    if state == "running" and number > tried > 0:
        return  # the process that lives is another try's
    task = TaskFacts(state, number, process_lives=True, ended_seconds_ago=999)
    if "airflow.task_id" in tags:
        assert verdict(tags, DagRunFacts(dag_run), task) is None


TEXT = st.text(max_size=8)


@given(
    tags=st.dictionaries(st.sampled_from([*PLAIN, "x"]), TEXT),
    state=st.one_of(STATES, TEXT),
    number=st.integers(),
)
def test_nonsense_in_tags_breaks_nothing(tags, state, number):
    found = judge(tags, RUNNING, TaskFacts(state, number), grace_seconds=20, was_here=True)
    assert found is None or found.status in {"FINISHED", "FAILED", "KILLED"}
    if not tags.get("airflow.dag_id"):
        assert found is None


@given(dag_id=TEXT.filter(bool), run_id=TEXT.filter(bool), task_id=TEXT, map_index=st.integers(-1, 5))
def test_a_key_is_read_back_from_its_tags(dag_id, run_id, task_id, map_index):
    key = RunKey(dag_id, run_id, task_id, map_index if task_id else -1)
    assert key_of(key.tags()) == key


@pytest.mark.parametrize(
    "tags", [{}, {"airflow.dag_id": "d"}, {"airflow.run_id": "r"}, PARENT | {"airflow.map_index": "many"}]
)
def test_a_run_that_says_nothing_usable_is_left_alone(tags):
    assert key_of(tags) is None
    assert verdict(tags, ENDED, was_here=True) is None
