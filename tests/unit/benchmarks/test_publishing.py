"""The end of a benchmark: a line for machines, words for people, and an exit code that can be trusted."""

import json
from dataclasses import replace

import pytest
from benchmarks import publishing, result
from benchmarks.progress import Progress
from benchmarks.result import Figure, Goal, Result, Side

pytestmark = pytest.mark.unit

FOUND = Result(
    name="walk",
    title="A walk",
    lead="",
    size={"steps": 3},
    versions={},
    samples=1,
    sides=[Side(result.OURS, "us", "walk"), Side(result.PEER, "them", "walk --slowly")],
    figures=(Figure("seconds", "Seconds", "s", 1),),
    numbers={result.OURS: {"seconds": 1.0}, result.PEER: {"seconds": 2.0}},
    equal=True,
    goals=[Goal("Time", 0.5, 0.6)],
    notes=(),
    machine={},
)


@pytest.fixture
def kept(monkeypatch):
    done = []
    monkeypatch.setattr(Result, "keep", lambda found: done.append(f"keep {found.name}"))
    monkeypatch.setattr(result, "load_all", list)
    monkeypatch.setattr(publishing.report, "write", lambda _: done.append("write"))
    monkeypatch.setattr(publishing.readme, "write", lambda _: done.append("readme"))
    return done


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (FOUND, 0),
        (replace(FOUND, goals=[Goal("Time", 0.7, 0.6)]), 1),
        (replace(FOUND, equal=False), 1),
    ],
)
def test_a_missed_goal_and_unequal_work_fail_a_check(found, code, kept, capsys):
    assert publishing.publish(found, Progress("walk"), is_full=False, is_checked=True) == code
    assert publishing.publish(found, Progress("walk"), is_full=False, is_checked=False) == 0
    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[0])["ours"] == {"seconds": 1.0}
    assert ("MISSED" in said.err) is (code == 1)
    assert kept == []


def test_a_full_size_result_is_kept_and_published(kept):
    publishing.publish(FOUND, Progress("walk"), is_full=True, is_checked=False)
    assert kept == ["keep walk", "write", "readme"]
