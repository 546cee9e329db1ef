from __future__ import annotations

import pytest

from airfoil.stack.page import wording

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0.0 s"),
        (0.04, "0.0 s"),
        (9.19, "9.1 s"),
        (9.99, "9.9 s"),
        (10, "10 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (3600, "1 h"),
        (8040, "2 h 14 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d"),
        (273600, "3 d 4 h"),
    ],
)
def test_durations(seconds, said):
    assert wording.duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-100, "just now"),
        (4.9, "just now"),
        (5, "5 s ago"),
        (119, "1 min ago"),
        (7300, "2 h ago"),
        (200000, "2 d ago"),
    ],
)
def test_distances(seconds, said):
    assert wording.ago(seconds) == said


def test_memory_has_one_unit():
    assert wording.mib(1179.6) == "1,180 MiB"
    assert wording.mib(0.2) == "0 MiB"


def test_counts_and_names():
    assert wording.count(1, "service") == "1 service"
    assert wording.count(3, "service") == "3 services"
    assert wording.count(2, "entry", "entries") == "2 entries"
    assert wording.names([]) == ""
    assert wording.names(["A"]) == "A"
    assert wording.names(["A", "B"]) == "A and B"
    assert wording.names(["A", "B", "C"]) == "A, B and C"


def test_sentences_end_once():
    assert wording.sentence(" it broke ") == "it broke."
    assert wording.sentence("Why?") == "Why?"
    assert wording.sentence("") == ""
