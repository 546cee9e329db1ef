"""Flower looks at the queues of this server, also where others keep theirs in the same Redis."""

from __future__ import annotations

import importlib

import pytest

from airfoil.runtime.container import flower

pytestmark = pytest.mark.unit

BROKER = "redis://:secret@redis:6379/0"


def test_the_prefix_reaches_the_broker_and_flower_s_own_look_at_it():
    from flower.utils.broker import Broker

    app = flower.application(BROKER, "shop:")
    assert app.conf.broker_url == BROKER
    with app.connection() as connection:
        assert connection.transport_options["global_keyprefix"] == "shop:"
    looks = Broker(BROKER, broker_options=app.conf.broker_transport_options)
    assert looks.broker_prefix == "shop:"


def test_without_a_prefix_nothing_is_put_in_front():
    assert flower.application(BROKER, "").conf.broker_transport_options == {}


def test_the_environment_says_both(monkeypatch):
    monkeypatch.setenv("BROKER_URL", BROKER)
    monkeypatch.setenv("REDIS_PREFIX", "shop:")
    app = importlib.reload(flower).app
    assert (app.conf.broker_url, app.conf.broker_transport_options) == (BROKER, {"global_keyprefix": "shop:"})
    monkeypatch.undo()
    importlib.reload(flower)
