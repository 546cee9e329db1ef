"""What is waited for, and a trigger that asks without blocking."""

from __future__ import annotations

import asyncio
import importlib

import httpx
import pytest

from airfoil.provider.triggers.model_alias import AwaitedAlias, ModelAliasTrigger

pytestmark = pytest.mark.unit


def look(registry, **wanted):
    with registry.http() as http:
        return http.do(AwaitedAlias("wine", "champion", **wanted).look())


def test_an_alias_is_awaited_anywhere_at_a_version_or_away_from_one(registry):
    assert look(registry) is None
    registry.add_versions("wine", 2)
    assert look(registry) is None
    registry.point("wine", 2)
    assert look(registry).version == 2
    assert look(registry, version=2).uri == "models:/wine/2"
    assert look(registry, version=1) is None
    assert look(registry, moved_from=2) is None
    assert look(registry, moved_from=1).version == 2


def events(trigger):
    async def collect():
        return [event.payload async for event in trigger.run()]

    return asyncio.run(collect())


def test_it_asks_until_the_alias_is_there_and_waits_for_a_server_that_does_not_answer(registry):
    registry.add_versions("wine", 1)
    pauses = []
    registry.fail["mlflow/registered-models/get"] = httpx.Response(500, json={})

    async def pause(seconds):
        pauses.append(seconds)
        registry.fail.clear()
        if len(pauses) == 3:
            registry.point("wine", 1)

    (payload,) = events(ModelAliasTrigger(model="wine", alias="champion", poll_seconds=2.5, pause=pause))
    assert payload["version"]["version"] == 1
    assert pauses == [2.5, 2.5, 2.5]


def test_a_server_that_refuses_us_is_not_asked_for_ever(registry):
    registry.fail["mlflow/registered-models/get"] = httpx.Response(401, json={"message": "who are you"})
    (payload,) = events(ModelAliasTrigger(model="wine", alias="champion"))
    assert "refused us (HTTP 401)" in payload["error"]


def test_it_can_be_made_again_from_what_it_says_of_itself():
    first = ModelAliasTrigger(model="wine", alias="champion", moved_from=3, poll_seconds=5)
    place, given = first.serialize()
    module, _, name = place.rpartition(".")
    again = getattr(importlib.import_module(module), name)(**given)
    assert again.serialize() == (place, given)
    assert again.awaited == first.awaited
