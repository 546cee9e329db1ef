"""A shelf of verdicts: the latest ones by subject, each once, and nothing that cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airfoil.clients.claims import Claims
from airfoil.clients.verdict_shelf import KEPT, VerdictShelf
from airfoil.records import DatasetVerdict

pytestmark = pytest.mark.unit
START = datetime(2026, 11, 21, tzinfo=UTC)
SHELF = VerdictShelf("things/", "airfoil.thing.", DatasetVerdict, kept=3)


def keep(http, number, *, subject="trips", name=""):
    said = DatasetVerdict(
        dataset=subject, at=START + timedelta(minutes=number), passed=True, reason=str(number)
    )
    http.do(SHELF.keep(Claims(), subject, name or str(number), said.model_dump_json()))


def latest(http, subject="trips"):
    return [one.reason for one in http.do(SHELF.latest(Claims(), subject))]


def test_looking_leaves_nothing_behind(server, http):
    assert latest(http) == []
    assert http.do(SHELF.latest_of_all(Claims())) == {}
    assert server.runs == {}


def test_the_newest_come_first_and_the_oldest_are_forgotten(server, http):
    for number in (4, 0, 5, 2, 3):
        keep(http, number)
    assert latest(http) == ["5", "4", "3"]
    kept = [key for run in server.runs.values() for key in run["tags"] if key.startswith(SHELF.tag)]
    assert len(kept) == 3


def test_the_same_name_is_one_verdict(http):
    keep(http, 1, name="run")
    keep(http, 2, name="run")
    assert latest(http) == ["2"]


def test_of_every_subject_the_newest_is_told(http):
    for number, subject in enumerate(["trips", "zones", "trips"]):
        keep(http, number, subject=subject)
    found = http.do(SHELF.latest_of_all(Claims()))
    assert {subject: one.reason for subject, one in found.items()} == {"trips": "2", "zones": "1"}


def test_what_cannot_be_read_is_left_out_and_left_alone(server, http):
    keep(http, 1)
    (run,) = [run for run in server.runs.values() if f"{SHELF.tag}1" in run["tags"]]
    run["tags"] |= {f"{SHELF.tag}{name}": text for name, text in (("a", "{"), ("b", "[]"), ("c", '{"x": 1}'))}
    for number in range(2, 8):
        keep(http, number)
    assert latest(http) == ["7", "6", "5"]
    assert f"{SHELF.tag}a" in run["tags"]


def test_a_subject_whose_verdicts_are_all_unreadable_is_no_subject(server, http):
    keep(http, 1)
    (run,) = [run for run in server.runs.values() if f"{SHELF.tag}1" in run["tags"]]
    run["tags"][f"{SHELF.tag}1"] = "{"
    assert http.do(SHELF.latest_of_all(Claims())) == {}


def test_some_dozens_are_kept_by_default():
    assert VerdictShelf("a/", "t.", DatasetVerdict).kept == KEPT == 50
