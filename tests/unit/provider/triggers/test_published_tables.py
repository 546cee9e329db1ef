"""A trigger that looks until all is there or its time is over."""

from __future__ import annotations

import asyncio
import importlib

import pytest

from airfoil.clients.publication import Sighting
from airfoil.errors import NotFoundError, ServiceRefusedError, ServiceUnreachableError
from airfoil.provider.triggers.published_tables import AwaitedTables, PublishedTablesTrigger, too_late

pytestmark = pytest.mark.unit

JANUARY, FEBRUARY = (f"https://data.example/2024-0{month}.parquet" for month in (1, 2))


class Publisher:
    """Tables that are published, by address; and what else it may say."""

    def __init__(self, *published):
        self.published, self.faults = set(published), []

    def __call__(self, source):
        if self.faults:
            raise self.faults.pop(0)
        found = source.location in self.published
        return Sighting(found, "the server has it" if found else "the server answers 403")


def events(trigger):
    async def collect():
        return [event.payload async for event in trigger.run()]

    return asyncio.run(collect())


def test_what_is_missing_is_named_with_what_was_seen():
    assert AwaitedTables([JANUARY, FEBRUARY]).missing(Publisher(JANUARY)) == [
        f"{FEBRUARY} (the server answers 403)"
    ]
    assert AwaitedTables([JANUARY]).missing(Publisher(JANUARY)) == []


def test_no_secret_of_an_address_is_named():
    (said,) = AwaitedTables(["https://ana:pw@data.example/x.parquet?token=t"]).missing(Publisher())
    assert said.startswith("https://data.example/x.parquet (")


def test_a_relative_path_that_leads_to_nothing_is_missing_and_a_connection_is_an_error(tmp_path):
    (said,) = AwaitedTables(["data/2024-01.parquet"], str(tmp_path / "dag.py")).missing()
    assert "data/2024-01.parquet" in said
    with pytest.raises(NotFoundError, match="no connection 'lake'"):
        AwaitedTables([{"location": "x", "conn_id": "lake"}]).missing()


def test_it_waits_until_all_is_there():
    publisher, pauses = Publisher(JANUARY), []
    publisher.faults = [ServiceUnreachableError("nobody answers")]

    async def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            publisher.published.add(FEBRUARY)

    trigger = PublishedTablesTrigger(tables=[JANUARY, FEBRUARY], poll_seconds=9, pause=pause, look=publisher)
    assert events(trigger) == [{"published": True}]
    assert pauses == [9, 9]


def test_at_the_end_it_says_what_is_missing():
    now, pauses = [1000.0], []

    async def pause(seconds):
        pauses.append(seconds)
        now[0] += seconds

    trigger = PublishedTablesTrigger(
        tables=[JANUARY, FEBRUARY],
        poll_seconds=60,
        until_epoch=1100.0,
        waited_seconds=100.0,
        pause=pause,
        clock=lambda: now[0],
        look=Publisher(JANUARY),
    )
    (payload,) = events(trigger)
    assert pauses == [60, 40]
    assert payload["error"].startswith(
        f"Not published after 100 seconds: {FEBRUARY} (the server answers 403)."
    )


def test_a_server_that_refuses_us_is_not_asked_for_ever():
    publisher = Publisher()
    publisher.faults = [ServiceRefusedError("401")]
    (payload,) = events(PublishedTablesTrigger(tables=[JANUARY], look=publisher))
    assert "401" in payload["error"]


def test_long_waits_are_told_in_hours():
    assert "after 336 hours: x." in too_late(["x"], 14 * 24 * 3600)


def test_it_is_made_again_from_what_it_serializes():
    trigger = PublishedTablesTrigger(tables=[JANUARY], dag_file="/d.py", poll_seconds=5, until_epoch=9.0)
    path, given = trigger.serialize()
    module, _, name = path.rpartition(".")
    again = getattr(importlib.import_module(module), name)(**given)
    assert again.awaited == trigger.awaited
    assert again.serialize() == trigger.serialize()
