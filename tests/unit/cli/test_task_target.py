import pytest

from airfoil.cli import task_target
from airfoil.cli.task_target import TaskTarget

pytestmark = pytest.mark.unit

DAGS = ["team", "team.shop", "other"]


def test_dots_may_belong_to_the_dag_or_to_the_task():
    assert task_target.possible_dags("team.shop.load.csv", DAGS) == ["team.shop", "team"]
    assert task_target.possible_dags("team.shop", DAGS) == ["team.shop", "team"]
    assert task_target.possible_dags("teams.shop", DAGS) == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("team.shop.train", TaskTarget("train", None)),
        ("team.shop.load.csv", TaskTarget("load.csv", None)),
        ("team.shop.train[12]", TaskTarget("train", 12)),
        ("team.shop.train[x]", None),
        ("team.shop.nope[1]", None),
        ("team.shop", None),
    ],
)
def test_the_task_within_a_dag(target, expected):
    assert task_target.task_in(target, "team.shop", ["train", "load.csv"]) == expected


def test_a_wrong_task_is_answered_with_the_nearest_or_all():
    near = task_target.no_task("shop.trian", "shop", ["train", "load"])
    far = task_target.no_task("shop.zzz", "shop", ["train", "load"])

    assert (str(near), near.next_move) == ("shop has no task trian.", "Did you mean shop.train?")
    assert far.next_move == "Its tasks: shop.train, shop.load."


def test_a_dag_alone_is_no_task():
    error = task_target.no_task("shop", "shop", [f"t{number}" for number in range(20)])

    assert str(error) == "shop is a DAG; name one of its tasks."
    assert error.next_move.endswith("shop.t11 and 8 more.")


@pytest.mark.parametrize(
    ("target", "move"),
    [
        ("schedular", "Did you mean scheduler?"),
        ("shpo.train", "Did you mean shop?"),
        ("zzz", "Services: mlflow, scheduler. DAGs: shop."),
    ],
)
def test_something_unknown(target, move):
    assert task_target.unknown(target, ["mlflow", "scheduler"], ["shop"]).next_move == move
