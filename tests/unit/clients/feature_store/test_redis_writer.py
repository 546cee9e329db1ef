from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from airfoil.clients.feature_store import cells, encoding, redis_writer, resp
from airfoil.clients.feature_store.encoding import View
from airfoil.clients.feature_store.redis_writer import RedisLayout, RedisWriter
from airfoil.errors import NeighbourError

pytestmark = pytest.mark.unit


class Talk:
    """Notes what is said; answers what the test lays out."""

    def __init__(self, stored=(), commits=(b"*1",)):
        self.said, self.stored, self.commits = [], list(stored), list(commits)

    def say(self, *pieces):
        self.said.append(b"".join(pieces))

    def expect(self, answers):
        pass

    def skip_lines(self, count):
        pass

    def strings(self, count):
        return cells.from_list([self.stored.pop(0) if self.stored else b"" for _ in range(count)])

    def line(self):
        return self.commits.pop(0) if len(self.commits) > 1 else self.commits[0]


def batch(count=2):
    moments = pa.array([10**6 * (n + 1) for n in range(count)]).cast(pa.timestamp("us"))
    rows = pa.RecordBatch.from_arrays(
        [pa.array(range(count)), pa.array([True] * count), moments], ["uid", "x", "at"]
    )
    (found,) = encoding.encode(rows, View("v", {"uid": "INT64"}, {"x": "BOOL"}, "at"))
    return found


def row(number, seconds):
    key = (
        bytes.fromhex("010000000200000003000000")
        + b"uid"
        + bytes.fromhex("0400000008000000")
        + bytes([number])
        + bytes(7)
        + b"p"
    )
    field = redis_writer.feature_field("v", "x")
    return resp.command(b"HSET", key, b"_ts:v", bytes([8, seconds]), field, b"\x38\x01"), key


def test_a_row_is_one_command_with_time_and_values():
    talk = Talk()
    assert RedisWriter(talk, RedisLayout("p", "v", is_newest_kept=False)).write(batch()) == 2
    assert talk.said == [row(0, 1)[0] + row(1, 2)[0]]


def test_a_lifetime_is_set_with_each_row():
    talk = Talk()
    RedisWriter(talk, RedisLayout("p", "v", key_seconds=60, is_newest_kept=False)).write(batch(1))
    assert talk.said == [row(0, 1)[0] + resp.command(b"EXPIRE", row(0, 1)[1], b"60")]


def test_only_newer_rows_are_written_and_under_watch():
    talk = Talk(stored=[b"\x08\x01", b"\x08\x01"])
    assert RedisWriter(talk, RedisLayout("p", "v")).write(batch()) == 1
    keys = [row(0, 1)[1], row(1, 2)[1]]
    asked = b"".join(resp.command(b"HGET", key, b"_ts:v") for key in keys)
    assert talk.said == [
        resp.command(b"WATCH", *keys) + asked,
        resp.command(b"MULTI") + row(1, 2)[0] + resp.command(b"EXEC"),
    ]


def test_nothing_newer_is_nothing_written():
    talk = Talk(stored=[b"\x08\x09"] * 2)
    assert RedisWriter(talk, RedisLayout("p", "v")).write(batch()) == 0
    assert talk.said[-1] == resp.command(b"UNWATCH")


def test_a_lost_race_is_run_again_with_a_new_look():
    talk = Talk(stored=[b"", b"", b"\x08\x09", b""], commits=[b"*-1", b"*1"])
    assert RedisWriter(talk, RedisLayout("p", "v")).write(batch()) == 1
    assert [one.count(b"WATCH") for one in talk.said] == [1, 0, 1, 0]


def test_races_without_end_are_an_error(monkeypatch):
    monkeypatch.setattr(redis_writer, "_MOST_RACES", 3)
    with pytest.raises(NeighbourError, match="Other writers changed rows of v"):
        RedisWriter(Talk(commits=[b"*-1"]), RedisLayout("p", "v")).write(batch())


def test_a_long_batch_is_several_transactions(monkeypatch):
    monkeypatch.setattr(redis_writer, "_TRANSACTION_ROWS", 2)
    talk = Talk()
    assert RedisWriter(talk, RedisLayout("p", "v")).write(batch(5)) == 5
    assert len(talk.said) == 6


def test_the_rule_is_feasts():
    stored = np.array([0, 999, 1000, 1001, -5])
    assert redis_writer.is_newer(np.full(5, 1), stored).tolist() == [True, True, False, False, True]


def test_the_name_of_a_field_is_feasts():
    from feast.infra.online_stores.helpers import _mmh3

    assert redis_writer.feature_field("fv", "f0") == _mmh3("fv:f0")
