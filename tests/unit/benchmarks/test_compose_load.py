"""What the load of a server makes of lines and moments: what was lost, what ran twice, which goals are met."""

from dataclasses import replace

import pytest
from benchmarks import compose_load, result
from benchmarks.compose_load import Load

pytestmark = pytest.mark.unit

WHOLE = Load(
    seconds=4.0,
    cpu_seconds=2.0,
    queued_seconds=[0.1 * number for number in range(1, 21)],
    ledger=[f"load-000{run} note_{task} 1" for run in range(2) for task in range(2)],
    states={"success": 2},
    wanted=4,
)


def test_a_whole_load_lost_nothing():
    assert (WHOLE.lost, WHOLE.twice) == (0, 0)
    figures = WHOLE.figures()
    assert (figures["tasks_per_second"], figures["cpu_seconds_per_task"]) == (1.0, 0.5)
    assert 1.9 <= figures["queued_p95_seconds"] <= 2.0


def test_a_task_without_a_line_is_lost_though_airflow_says_success():
    assert replace(WHOLE, ledger=WHOLE.ledger[:-1]).lost == 1


def test_a_run_that_failed_is_a_loss_though_all_lines_are_there():
    assert replace(WHOLE, states={"success": 1, "failed": 1}).lost == 1


def test_a_task_that_ran_again_ran_twice_whatever_its_try():
    assert replace(WHOLE, ledger=[*WHOLE.ledger, "load-0000 note_0 2"]).twice == 1
    assert replace(WHOLE, ledger=[*WHOLE.ledger, WHOLE.ledger[0]]).twice == 1


def test_the_goal_is_time_and_that_nothing_of_ours_is_lost():
    found = compose_load.assemble({result.OURS: WHOLE, result.PEER: replace(WHOLE, seconds=8.0)}, 2)
    assert [goal.is_met for goal in found.goals] == [True, True]
    assert found.equal
    slow = compose_load.assemble({result.OURS: replace(WHOLE, seconds=6.0, ledger=[]), result.PEER: WHOLE}, 2)
    assert [goal.is_met for goal in slow.goals] == [False, False]
    assert not slow.equal
