"""What the benchmark of training sets makes of its runs, and what it does when the peer cannot go on."""

import sys
from subprocess import PIPE, Popen

import pytest
from benchmarks import point_in_time
from benchmarks.purchases import Purchases

pytestmark = pytest.mark.unit


def run(seconds):
    more = {"import_seconds": 6.0, "ttl_seconds": 1.0, "ttl_peak_mib": 400.0}
    return {"seconds": seconds, "peak_mib": 500.0, **more}


def test_the_median_is_judged_against_the_peers(tmp_path):
    data = Purchases(tmp_path, 2000, 100)
    seen = {"ours": [run(4.0), run(6.0), run(5.0)], "peer": [run(50.0)]}
    found = point_in_time.assemble(data, seen, equal=True, refusals=["too large"])
    assert found.line()["ratio"]["seconds"] == 0.1
    assert found.line()["size"] == {"feature_rows": 2000, "entity_rows": 100, "features": 10}
    assert [goal.is_met for goal in found.goals] == [True]
    assert found.samples == 1
    assert found.notes[-1] == "too large"


def test_where_the_peer_cannot_finish_both_are_compared_at_half_the_size(tmp_path, monkeypatch):
    ran = []

    def fake(side, data, view=""):
        ran.append((side, data.entity_rows))
        data.folder.mkdir(parents=True, exist_ok=True)
        if side == "peer" and data.entity_rows > 5000:
            raise point_in_time.TooLargeError("it needs more than 20 GiB")
        return {"equal": True} if side == "compare" else run(float(data.entity_rows))

    monkeypatch.setattr(point_in_time, "_run", fake)
    monkeypatch.setattr(point_in_time.machine, "wait_for_quiet", lambda *_: 0.0)
    found = point_in_time.measure(tmp_path, 0.01, lambda text: None)
    assert found.size["entity_rows"] == 5000
    assert found.numbers["ours"]["seconds"] == 5000
    assert found.notes[-2:] == [
        "Feast's store at 10,000 x 200,000 rows: it needs more than 20 GiB.",
        "Ours at the full size: 10,000.0 s, 500 MiB, 10,000.0 s, 500 MiB.",
    ]
    assert ran.count(("compare", 5000)) == 2


@pytest.mark.parametrize(("limit", "words"), [("_MOST_SECONDS", "minutes"), ("_MOST_MIB", "GiB")])
def test_a_side_beyond_its_limit_is_told(monkeypatch, limit, words):
    monkeypatch.setattr(point_in_time, limit, 0.001)
    with Popen([sys.executable, "-c", "input()"], stdin=PIPE) as process:
        with pytest.raises(point_in_time.TooLargeError, match=words):
            point_in_time._watch(process)
        process.kill()
