"""What the anomaly benchmark makes of its seconds, and when both sides agree."""

import numpy as np
import pytest
from benchmarks import anomaly

from airfoil.steps.anomaly.forest import Forest

pytestmark = pytest.mark.unit


def side(seconds, mib):
    return {"import_seconds": 1.0, "seconds": seconds, "peak_mib": mib}


@pytest.mark.parametrize(("mib", "is_met"), [(800.0, True), (2000.0, False)])
def test_our_memory_is_the_goal(mib, is_met):
    found = anomaly.assemble({"ours": side(9.0, mib), "peer": side(10.0, 4000.0)}, 1000, equal=True)
    assert found.line()["ratio"]["seconds"] == 0.9
    assert [goal.is_met for goal in found.goals] == [is_met]


@pytest.mark.parametrize(
    ("ours", "peer", "equal"),
    [
        ([0.5, 0.25], [0.5, 0.25 + 1e-13], True),
        ([0.5, 0.25], [0.5, 0.2501], False),
        ([0.5], [0.5, 0.5], False),
        ([0.5, float("nan")], [0.5, float("nan")], False),
    ],
)
def test_scores_agree_to_twelve_digits(ours, peer, equal, tmp_path):
    for name, scores in (("ours", ours), ("peer", peer)):
        np.save(tmp_path / f"{name}.npy", np.array(scores))
    assert anomaly._agree(tmp_path) is equal


def test_both_sides_find_the_same_in_a_small_table(tmp_path, monkeypatch):
    monkeypatch.setattr(Forest, "scores", Forest.scores)  # our side puts a stand-in there; this puts it back
    anomaly._write_table(tmp_path, 12_000)
    for run in anomaly._SIDES.values():
        assert run(tmp_path)["seconds"] > 0
    assert np.load(tmp_path / "ours.npy").size == 12_000 // 97 + 1
    assert anomaly._agree(tmp_path)
