"""One event for each move that Airflow does not know of yet, from the place that is kept, or from the present head."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse
from airflow.serialization.encoders import encode_trigger
from airflow.triggers.base import BaseEventTrigger
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import ConfigurationError
from airfoil.provider import move_cursor
from airfoil.provider.move_cursor import CURSOR_KEY
from airfoil.provider.move_stream import News
from airfoil.provider.triggers.model_moves import ModelMovesTrigger, payload_of
from airfoil.records import LedgerEntry

pytestmark = pytest.mark.unit

BEGAN = datetime(2026, 11, 21, tzinfo=UTC)


def entry(number, model="wine"):
    return LedgerEntry(
        model=model,
        alias="champion",
        number=number,
        at=BEGAN + timedelta(minutes=number),
        kind="promote",
        who="me",
        from_version=number - 1 or None,
        to_version=number,
    )


def ledger(length, model="wine"):
    return News(model, "champion", tuple(entry(number + 1, model) for number in range(length)))


class Store:
    """The state store of an asset; closed for the first writes, as that of an asset that is not active yet."""

    def __init__(self, place=None, closed=0):
        self.values = {} if place is None else {CURSOR_KEY: place}
        self.closed = closed

    async def aget(self, key, default=None):
        return default if self.closed else self.values.get(key, default)

    async def aset(self, key, value):
        if self.closed:
            self.closed -= 1
            raise AirflowRuntimeError(ErrorResponse(error=ErrorType.ASSET_NOT_FOUND))
        self.values[key] = value


@pytest.fixture(autouse=True)
def _plugin_is_loaded(monkeypatch):
    monkeypatch.setattr(move_cursor, "is_installed", lambda: True)


def told(trigger, *pieces):
    """The numbers of the events that follow from these pieces of news."""

    async def news():
        for piece in pieces:
            yield piece

    async def work():
        return [event.payload["number"] async for event in trigger.filter_shared_stream(news())]

    return asyncio.run(work())


def trigger_on(store):
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    trigger = ModelMovesTrigger("wine", "champion", pause=pause)
    trigger.asset_state_store = store
    trigger.pauses = pauses
    return trigger


def test_it_survives_being_stored_and_made_again():
    first = ModelMovesTrigger("wine", "champion", "mlflow_other", 7)
    path, arguments = first.serialize()
    assert path == "airfoil.provider.triggers.model_moves.ModelMovesTrigger"
    again = ModelMovesTrigger(**arguments)
    assert again.serialize() == first.serialize()
    assert BaseEventTrigger.hash(path, arguments) == BaseEventTrigger.hash(*again.serialize())
    assert encode_trigger(first)["classpath"] == path


def test_watchers_of_one_server_share_one_poll():
    wine, beer = ModelMovesTrigger("wine", "champion"), ModelMovesTrigger("beer", "staging")
    assert wine.shared_stream_key() == beer.shared_stream_key()
    assert wine.shared_stream_key() != ModelMovesTrigger("wine", "champion", "other").shared_stream_key()


def test_a_poll_without_a_pause_is_refused():
    with pytest.raises(ConfigurationError, match="poll_seconds"):
        ModelMovesTrigger("wine", "champion", poll_seconds=0)


def test_the_first_time_it_begins_at_the_present_head_and_says_so(caplog):
    store = Store()
    with caplog.at_level("INFO"):
        assert told(trigger_on(store), ledger(3), ledger(3), ledger(5)) == [4, 5]
    assert store.values[CURSOR_KEY] == 3
    assert "from move 3 on" in caplog.text


def test_later_it_goes_on_where_airflow_stopped():
    assert told(trigger_on(Store(place=2)), ledger(3), ledger(5)) == [3, 4, 5]


def test_a_place_of_zero_is_a_place():
    assert told(trigger_on(Store(place=0)), ledger(2)) == [1, 2]


def test_news_of_other_aliases_are_none_of_its_business():
    assert told(trigger_on(Store(place=0)), ledger(3, "beer"), ledger(1)) == [1]


def test_a_store_that_is_not_open_yet_is_waited_for_and_not_mistaken_for_an_empty_one():
    trigger = trigger_on(Store(place=2, closed=3))
    assert told(trigger, ledger(3)) == [3]
    assert trigger.pauses == [1, 2, 4]


def test_a_shorter_ledger_than_is_known_tells_nothing():
    assert told(trigger_on(Store(place=5)), ledger(3), ledger(6)) == [6]


@given(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=8))
def test_whatever_comes_each_move_is_told_once_and_in_order(place, lengths):
    numbers = told(trigger_on(Store(place=place)), *(ledger(length) for length in lengths))
    assert numbers == list(range(place + 1, max([place, *lengths]) + 1))


def test_without_the_plugin_it_keeps_the_place_itself_and_warns(monkeypatch, caplog):
    monkeypatch.setattr(move_cursor, "is_installed", lambda: False)
    store = Store(place=2)
    trigger = trigger_on(store)
    assert told(trigger, ledger(4)) == [3, 4]
    assert store.values[CURSOR_KEY] == 4
    assert trigger.pauses == [10]
    assert "told twice after a crash" in caplog.text


def test_without_a_store_it_still_tells_what_moves():
    assert told(trigger_on(None), ledger(1), ledger(2)) == [2]


def test_an_event_says_who_moved_what_when_and_needs_no_class_to_be_read():
    assert payload_of(entry(2)) == {
        "model": "wine",
        "alias": "champion",
        "number": 2,
        "from_version": 1,
        "to_version": 2,
        "kind": "promote",
        "who": "me",
        "at": "2026-11-21T00:02:00+00:00",
    }
