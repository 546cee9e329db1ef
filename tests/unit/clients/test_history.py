"""What cells say: entries, who may still come late, and what an alias that stands elsewhere means."""

import json
from datetime import UTC, datetime

import pytest

from airfoil.clients.claims import digest
from airfoil.clients.history import DONE, LATE, NEVER, SEEN, SET, History, Verdict, entry_cell
from airfoil.errors import ServiceAnswerError

pytestmark = pytest.mark.unit


def cells(*moves, **more):
    """Cells of moves `to` or `(kind, to)`; `more` closes them: e1="set"."""
    found, before = {}, None
    for number, move in enumerate(moves, 1):
        kind, to = move if isinstance(move, tuple) else ("promote", move)
        at = datetime(2026, 11, number, tzinfo=UTC).isoformat()
        fields = {"at": at, "kind": kind, "who": "ann", "from_version": before, "to_version": to}
        found[entry_cell(number)] = json.dumps(fields)
        before = to
    return found | {entry_cell(int(name[1:])) + DONE: how for name, how in more.items()}


def history(*moves, extra=None, **more):
    return History.read("wine", "champion", cells(*moves, **more) | (extra or {}))


def test_entries_are_read_in_order_and_nothing_else():
    found = history(1, 2, extra={"000009": "{}", "note": "x"})
    assert [entry.to_version for entry in found.entries] == [1, 2]
    assert (found.number, found.version) == (2, 2)
    assert (history().number, history().version) == (0, None)


def test_the_millionth_entry_has_a_cell():
    assert entry_cell(1_000_000) == "1000000"


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"kind": "from the future"}'])
def test_an_entry_that_cannot_be_read_is_told(text):
    with pytest.raises(ServiceAnswerError, match="Entry 1 in the ledger of wine@champion cannot be read"):
        History.read("wine", "champion", {"000001": text})


def test_fields_of_a_newer_version_are_left_out():
    found = cells(1)
    found["000001"] = json.dumps({**json.loads(found["000001"]), "mood": "fine", "token": "t"})
    assert History.read("wine", "champion", found).version == 1


def test_an_entry_is_found_by_its_key():
    found = cells(1, 2)
    found["000001"] = json.dumps({**json.loads(found["000001"]), "key": digest("mine")})
    read = History.read("wine", "champion", found)
    assert read.by_key("mine") == read.entries[0]
    assert read.by_key("other") is None


@pytest.mark.parametrize(
    ("found", "stands", "verdict"),
    [
        (history(), None, Verdict.SETTLED),
        (history(), 5, Verdict.OUTSIDE),
        (history(1), None, Verdict.PENDING),
        (history(1), 1, Verdict.REACHED),
        (history(1, e1=SET), 1, Verdict.SETTLED),
        (history(1, e1=SET), None, Verdict.OUTSIDE),
        (history(1, extra={"000001" + SEEN: "1"}), 1, Verdict.SETTLED),
        (history(1, 2, e1=SET), 1, Verdict.PENDING),
        (history(1, 2, e1=SET), 3, Verdict.OUTSIDE),
        (history(1, 2, e2=SET), 1, Verdict.LATE),
        (history(1, 2, e1=SET, e2=SET), 1, Verdict.OUTSIDE),
        (history(1, 2, e1=LATE, e2=SET), 1, Verdict.OUTSIDE),
        (history(1, 2, e1=NEVER, e2=SET), 1, Verdict.OUTSIDE),
        (history(1, 2, e1=NEVER), 1, Verdict.PENDING),
        (history(1, 2, e1=SET, e2=SET, extra={"000001.by.x": "1"}), 1, Verdict.LATE),
        (
            history(1, 2, e1=SET, e2=SET, extra={"000001.by.x": "1", "000001.by.x.done": SET}),
            1,
            Verdict.OUTSIDE,
        ),
        (history(1, 2, e1=SET, extra={"000002.by.x": "1", "000002.by.x.done": SET}), 2, Verdict.SETTLED),
        (history(1, ("external", 4)), 4, Verdict.SETTLED),
        (history(1, ("external", 4)), 1, Verdict.LATE),
        (history(1, ("external", 4), e1=SET), 1, Verdict.OUTSIDE),
        (history(("external", 4), 5), 4, Verdict.PENDING),
        (history(1, 2, 1, e1=SET), 1, Verdict.REACHED),
        (history(1, ("remove", None), e1=SET, e2=SET), None, Verdict.SETTLED),
    ],
)
def test_what_it_means_where_an_alias_stands(found, stands, verdict):
    assert found.judge(stands) is verdict


@pytest.mark.parametrize(
    ("moves", "earlier"),
    [
        ((), []),
        ((1,), []),
        ((1, 2, 3), [2, 1]),
        ((1, 2, 3, ("rollback", 2)), [1]),
        ((1, 2, 3, ("rollback", 2), ("rollback", 1)), []),
        ((1, 2, 3, ("rollback", 2), 4), [2, 1]),
        ((1, 2, ("remove", None)), [2, 1]),
        ((1, ("external", 5), 2), [5, 1]),
        ((1, 2, 1), [2]),
        ((("rollback", 3),), []),
    ],
)
def test_where_a_rollback_may_go(moves, earlier):
    assert history(*moves).earlier_versions() == earlier


def test_the_entry_of_a_moment():
    found = history(1, 2)
    assert found.at(datetime(2026, 10, 31, tzinfo=UTC)) is None
    assert found.at(datetime(2026, 11, 1, 12, tzinfo=UTC)).to_version == 1
    assert found.at(datetime(2026, 12, 1, tzinfo=UTC)).to_version == 2
