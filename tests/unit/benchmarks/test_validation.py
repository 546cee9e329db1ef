"""What the validation benchmark makes of its seconds, and when both sides agree."""

import pytest
from benchmarks import tables, validation

pytestmark = pytest.mark.unit


def side(seconds, mib, **found):
    return {
        "parts": {"reference": seconds, "current": seconds, "drift": seconds},
        "import": 1.0,
        "peak_mib": mib,
        "found": {"duplicates": 3, "a.mean": 0.5} | found,
    }


def test_time_and_memory_are_held_against_the_peer_s():
    found = validation.assemble({"ours": side(1.0, 500.0), "peer": side(9.0, 9000.0)}, 1000)
    assert found.line()["ours"]["seconds"] == 3.0
    assert found.line()["ours"]["drift_seconds"] == 1.0
    assert found.line()["ratio"]["seconds"] == 0.111
    assert [goal.is_met for goal in found.goals] == [True, True]
    assert found.equal


@pytest.mark.parametrize(
    ("other", "equal"),
    [
        ({"a.mean": 0.5 + 1e-12}, True),
        ({"a.mean": 0.501}, False),
        ({"duplicates": 4}, False),
        ({"drift.a.p_value": 0.1}, False),
        ({"b": 1}, False),
    ],
)
def test_counts_agree_exactly_and_means_nearly(other, equal):
    assert validation.agree(side(1, 1)["found"], side(1, 1, **other)["found"]) is equal


def test_a_test_s_p_value_has_to_agree_to_twelve_digits():
    ours, peer = ({"drift.a.p_value": value} for value in (0.5, 0.5 + 1e-10))
    assert not validation.agree(ours, peer)
    assert validation.agree(ours, {"drift.a.p_value": 0.5 + 1e-13})


def test_both_sides_find_the_same_in_a_small_table(tmp_path):
    for seed, name in enumerate(("reference", "current")):
        tables.write_table(tmp_path / name, 30_000, seed)
    seen = {name: run(tmp_path) for name, run in validation._SIDES.items()}
    assert validation.assemble(seen, 30_000).equal
    assert seen["ours"]["found"]["duplicates"] == 2
