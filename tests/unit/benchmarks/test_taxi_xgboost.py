"""What the benchmark of boosted trees makes of its seconds, and when both sides agree."""

import pytest
from benchmarks import taxi_xgboost
from benchmarks.taxi_months import write_months

pytestmark = pytest.mark.unit


def side(seconds, mib, rmse=0.0):
    return {"seconds": seconds, "import": 0.5, "peak_mib": mib, "found": {"rmse": rmse}}


def seen(zones=10.0, distance=8.0):
    return {
        "ours-zones": side(1.0, 300.0, 10.0),
        "ours-distance": side(6.0, 600.0, 8.0),
        "read": side(20.0, 2000.0),
        "vectorise-zones": side(20.0, 3000.0),
        "fit-zones": side(20.0, 900.0, zones),
        "vectorise-distance": side(30.0, 3200.0),
        "fit-distance": side(30.0, 900.0, distance),
    }


def test_both_kinds_are_held_against_the_peer_s():
    found = taxi_xgboost.assemble(seen(), 1000)
    assert found.line()["peer"]["zones_seconds"] == 60.0
    assert found.line()["peer"]["distance_seconds"] == 80.0
    assert found.line()["ratio"]["zones_peak_mib"] == 0.1
    assert [goal.is_met for goal in found.goals] == [True] * 4
    assert found.equal


@pytest.mark.parametrize(
    ("zones", "distance", "equal"),
    [(10.5, 8.5, True), (9.9, 8.0, False), (10.0, 7.9, False), (10.0, 7.995, True)],
)
def test_we_must_be_as_good_and_may_be_better(zones, distance, equal):
    assert taxi_xgboost.assemble(seen(zones, distance), 1000).equal is equal


def test_both_sides_are_as_good_on_small_months(tmp_path):
    pytest.importorskip("xgboost")
    write_months(tmp_path, 8000)
    ran = {name: run(tmp_path) for name, run in taxi_xgboost._SIDES.items()}
    for kind, tolerance in (("zones", 1e-4), ("distance", 0.1)):
        ours, peer = (ran[f"{who}-{kind}"]["found"]["rmse"] for who in ("ours", "fit"))
        assert ours == pytest.approx(peer, abs=tolerance)
