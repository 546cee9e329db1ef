"""What the linear taxi benchmark makes of its seconds, and when both sides agree."""

import pytest
from benchmarks import taxi_linear
from benchmarks.taxi_months import write_months

pytestmark = pytest.mark.unit


def side(seconds, mib, **found):
    return {"seconds": seconds, "import": 0.5, "peak_mib": mib, "found": found}


def seen(**found):
    ours = side(1.0, 150.0, train_rmse=5.0, rmse=5.1)
    peers = {"read": side(20.0, 2000.0), "vectorise": side(25.0, 3000.0), "fit": side(5.0, 900.0, **found)}
    return {"ours": ours, **peers}


def test_the_peer_s_processes_add_up():
    found = taxi_linear.assemble(seen(train_rmse=5.0, converged_rmse=5.1), 1000)
    assert found.line()["peer"] == {"seconds": 50.0, "import_seconds": 1.5, "peak_mib": 3000.0}
    assert found.line()["ratio"]["seconds"] == 0.02
    assert [goal.is_met for goal in found.goals] == [True, True]
    assert found.equal


@pytest.mark.parametrize(
    ("train", "validation", "equal"),
    [(5.0, 5.1, True), (5.1, 5.1 + 9e-7, True), (4.9, 5.1, False), (5.0, 5.2, False)],
)
def test_we_may_be_better_where_we_learned_and_must_be_equal_where_not(train, validation, equal):
    assert taxi_linear.assemble(seen(train_rmse=train, converged_rmse=validation), 1000).equal is equal


def test_both_sides_are_as_good_on_small_months(tmp_path):
    write_months(tmp_path, 20_000)
    ran = {name: taxi_linear._SIDES[name](tmp_path) for name in ("ours", "read", "vectorise", "fit")}
    ours, peer = ran["ours"]["found"], ran["fit"]["found"]
    assert ours["rmse"] == pytest.approx(peer["converged_rmse"], abs=1e-6)
    assert ours["train_rmse"] <= peer["train_rmse"] + 1e-9


def test_many_months_and_their_scan_run(tmp_path):
    write_months(tmp_path, 2000)
    assert taxi_linear._many(tmp_path)["seconds"] > 0
    assert taxi_linear._scan(tmp_path)["seconds"] > 0
