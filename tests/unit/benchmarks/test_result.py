import json

import pytest
from benchmarks import result
from benchmarks.result import Figure, Goal, Result, Side

pytestmark = pytest.mark.unit


def made_up(**changes) -> Result:
    values = {
        "name": "race",
        "title": "A race",
        "lead": "",
        "size": {"scale": 1},
        "versions": {"python": "3.11"},
        "samples": 3,
        "sides": [Side("ours", "ours", "a"), Side("peer", "peer", "b"), Side("peer_tuned", "tuned", "c")],
        "figures": [Figure("seconds", "Time", "s")],
        "numbers": {
            "ours": {"seconds": 1.23456, "left": 0},
            "peer": {"seconds": 4.0, "left": 0},
            "peer_tuned": {"seconds": 2.0, "left": 3},
        },
        "equal": True,
    }
    return Result(**(values | changes))  # type: ignore[arg-type]


def test_line_has_the_keys_of_the_contract_in_order():
    line = made_up().line()
    assert list(line) == [
        *("name", "size", "versions", "peer_command", "samples"),
        *("ours", "peer", "peer_tuned", "ratio", "ratio_tuned", "equal"),
    ]
    assert line["peer_command"] == "b"
    assert line["ours"]["seconds"] == 1.235
    assert line["ratio"] == {"seconds": 0.309}
    assert line["ratio_tuned"] == {"seconds": 0.617, "left": 0}


def test_medians_go_figure_by_figure():
    samples = [{"a": 1, "b": 9}, {"a": 3, "b": 7}, {"a": 100, "b": 8}]
    assert result.medians(samples) == {"a": 3, "b": 8}


@pytest.mark.parametrize(("value", "is_met"), [(0.7, True), (0.71, False)])
def test_goal_is_an_upper_limit(value, is_met):
    assert Goal("Time", value, 0.7).is_met is is_met


def test_kept_result_is_read_back_and_nothing_else_stays(tmp_path):
    found = made_up(goals=[Goal("Time", 1, 2, "s")])
    path = found.keep(tmp_path / "results")
    assert [item.name for item in path.parent.iterdir()] == ["race.json"]
    (loaded,) = result.load_all(path.parent)
    assert loaded == json.loads(json.dumps(found.to_dict()))
    assert loaded["goals"][0] == {"text": "Time", "value": 1, "limit": 2, "unit": "s", "is_met": True}
