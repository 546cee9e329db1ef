"""What the tracking benchmark makes of its seconds."""

import pytest
from benchmarks import tracking
from benchmarks.tracking import Pairs

pytestmark = pytest.mark.unit


def pairs(plain, tracked):
    return Pairs((plain,) * 30, (tracked,) * 30, 30)


def test_the_goal_is_the_difference_in_each_kind_of_airflow():
    found = tracking.assemble(pairs(1.0, 1.1), pairs(0.1, 0.3), 30)
    assert [(round(goal.value, 3), goal.is_met) for goal in found.goals] == [(0.1, True), (0.2, False)]
    line = found.line()
    assert line["ours"] == {
        "seconds": 1.1,
        "slow_seconds": 1.1,
        "stack_seconds": 0.3,
        "stack_slow_seconds": 0.3,
    }
    assert line["peer"]["stack_seconds"] == 0.1
    assert line["equal"] is True


def test_a_task_without_a_finished_run_is_not_equal_work():
    assert not tracking.assemble(pairs(1, 1), Pairs((1,) * 30, (1,) * 30, 29), 30).equal


def test_the_first_pair_and_failures_are_left_out():
    instances = [
        {"task_id": f"plain_{number}", "duration": float(number), "state": "success"} for number in (2, 0, 1)
    ]
    instances.append({"task_id": "plain_3", "duration": 9.0, "state": "failed"})
    instances.append({"task_id": "tracked_1", "duration": 9.0, "state": "success"})
    assert tracking._seconds(instances, "plain") == (1.0, 2.0)


def test_the_dag_file_is_python_with_one_task_more_than_pairs():
    compile(tracking._FILE.format(dag_id=tracking.DAG, count=31), "dag.py", "exec")
