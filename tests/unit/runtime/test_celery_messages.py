"""What follows from where messages lie, over a made-up broker; the real one is in tests/integration."""

from __future__ import annotations

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from airfoil.runtime.celery_messages import CeleryMessages, Taken, Whereabouts

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


def message(task):
    return json.dumps({"headers": {"id": task}}).encode()


class Broker:
    """A Celery application whose Redis holds two queues and a table of what is taken."""

    def __init__(self, prefix=""):
        self.restored = []
        self.client = SimpleNamespace(lrange=self.lrange, zrange=self.zrange, hgetall=self.hgetall)
        qos = SimpleNamespace(restore_by_tag=lambda tag, _client: self.restored.append(tag))
        self.channel = SimpleNamespace(
            client=self.client,
            global_keyprefix=prefix,
            unacked_key="unacked",
            unacked_index_key="index",
            qos=qos,
        )
        self.keys = {f"{prefix}default": [message("a")], f"{prefix}ml": [message("b")]}
        self.table = {f"{prefix}unacked": {b"t1": json.dumps([{"headers": {"id": "c"}}, "", "ml"]).encode()}}

    def lrange(self, key, _first, _last):
        return self.keys.get(key, [])

    def zrange(self, _key, _first, _last, *, withscores):
        assert withscores
        return [(b"t1", NOW - 40)]

    def hgetall(self, key):
        return self.table[key]

    @contextmanager
    def connection_for_read(self):
        yield SimpleNamespace(default_channel=self.channel)

    connection_for_write = connection_for_read


@pytest.mark.parametrize("prefix", ["", "shop:"])
def test_messages_are_found_in_queues_and_with_workers(prefix):
    found = CeleryMessages(Broker(prefix), clock=lambda: NOW).find(["default", "ml", "io"])
    assert found == Whereabouts(frozenset("ab"), {"c": Taken("t1", 40.0)})


def test_a_broker_of_another_kind_is_left_alone():
    broker = Broker()
    del broker.channel.unacked_key
    assert CeleryMessages(broker).find(["default"]) is None


def test_a_message_that_was_taken_long_ago_is_left_by_its_worker_and_a_fresh_one_is_not():
    found = Whereabouts(frozenset(), {"old": Taken("1", 31), "new": Taken("2", 29), "other": Taken("3", 99)})
    assert found.left_by_their_worker({"old", "new"}, 30) == {"old": Taken("1", 31)}


def test_a_message_that_waits_again_is_nobodys():
    found = Whereabouts(frozenset({"a"}), {"a": Taken("1", 99)})
    assert found.left_by_their_worker({"a"}, 30) == {}
    assert found.nowhere({"a", "b"}) == {"b"}


def test_given_back_is_what_was_asked_for():
    broker = Broker()
    CeleryMessages(broker).give_back([Taken("t1", 40), Taken("t2", 50)])
    assert broker.restored == ["t1", "t2"]


@pytest.mark.parametrize(
    ("answers", "held"),
    [
        (None, set()),
        ({"w1": {"error": "out of memory"}, "w2": {"a": ["active", {}]}}, {"a"}),
        ({"w1": {"a": ["active", {}]}, "w2": {"b": ["reserved", {}]}, "w3": {}}, {"a", "b"}),
        ({"w1": {"a": ["ready", {}], "b": ["ready", {}]}, "w2": {"b": ["active", {}]}}, {"b"}),
        ({"w1": {"long ago": ["reserved", {}]}}, set()),
        ({"w1": {"long ago": ["active", {}]}}, {"long ago"}),
    ],
)
def test_held_is_what_some_worker_is_at_or_soon_will_be(answers, held):
    inspect = SimpleNamespace(query_task=lambda *_tasks: answers)
    application = SimpleNamespace(control=SimpleNamespace(inspect=lambda timeout: inspect))
    taken = {"a": Taken("1", 31), "b": Taken("2", 599), "long ago": Taken("3", 601)}
    assert CeleryMessages(application).held(taken) == held
