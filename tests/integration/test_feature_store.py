"""Our engine beside Feast's own, read by Feast's own reader, on real Redis, SQLite and Postgres."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from tests.integration import feature_repos
from tests.integration.feature_repos import END, START, keys_of, online_values, write_repository, write_rows
from tests.integration.servers import Postgres, Redis, running_redis

from airfoil.clients.feature_store.store import FeatureStore
from airfoil.errors import (
    ServiceUnreachableError,
    StorageError,
)

pytestmark = [
    pytest.mark.integration,
    # Feast's own code, its libraries and what it leaves open; ours is tested for warnings in the unit tests.
    pytest.mark.filterwarnings("default"),
]

VIEW = "habits"
ROWS = 1500


@pytest.fixture(scope="module")
def redis_server() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@pytest.fixture
def redis(redis_server: Redis) -> Redis:
    redis_server.client().flushall()
    return redis_server


@pytest.fixture(params=["redis", "redis-skip", "sqlite", "postgres"])
def online(request, tmp_path):
    """Two online stores of one kind: (ours, Feast's)."""
    if request.param == "sqlite":
        return [{"type": "sqlite", "path": str(tmp_path / f"{name}.db")} for name in ("ours", "feast")]
    if request.param == "postgres":
        return [postgres_store(request.getfixturevalue("postgres")) for _ in range(2)]
    server: Redis = request.getfixturevalue("redis")
    is_skipping = request.param == "redis-skip"
    return [
        {"type": "redis", "connection_string": f"127.0.0.1:{server.port},db={n}", "skip_dedup": is_skipping}
        for n in range(2)
    ]


def postgres_store(server: Postgres) -> dict[str, object]:
    pytest.importorskip("psycopg_pool")
    return {
        "type": "postgres",
        "host": "127.0.0.1",
        "port": server.port,
        "user": server.user,
        "password": server.password,
        "database": server.new_database().rpartition("/")[2],
        "sslmode": "disable",
    }


def test_feasts_reader_sees_the_same_as_after_feasts_own_engine(online, tmp_path):
    rows = feature_repos.table(ROWS)
    for name in ("ours", "feast"):
        write_rows(tmp_path / name, rows)
    ours = write_repository(tmp_path / "ours", online[0])
    feasts = write_repository(tmp_path / "feast", online[1], engine="local")
    for store in (ours, feasts):
        store.materialize(START, END)
    keys = keys_of(rows)
    seen = online_values(ours, keys)
    assert seen == online_values(feasts, keys)
    assert any(one != "None" for one in seen["single"])
    assert ours.get_feature_view(VIEW).most_recent_end_time == END


def test_what_lies_in_redis_is_feasts_byte_for_byte(redis, tmp_path):
    rows = feature_repos.table(ROWS)
    for number, engine in enumerate((feature_repos.OURS, "local")):
        write_rows(tmp_path / engine, rows)
        where = {
            "type": "redis",
            "connection_string": f"127.0.0.1:{redis.port},db={number}",
            "key_ttl_seconds": 900,
        }
        write_repository(tmp_path / engine, where, engine=engine).materialize(START, END)
    contents = [everything(redis, number) for number in range(2)]
    assert contents[0] == contents[1] != {}
    first = redis.client()
    assert {0 < first.ttl(key) <= 900 for key in contents[0]} == {True}


def everything(server: Redis, number: int) -> dict[bytes, dict[bytes, bytes]]:
    import redis

    client = redis.Redis(port=server.port, db=number)
    return {key: client.hgetall(key) for key in client.scan_iter(count=1000)}


def test_what_lies_in_sqlite_is_feasts_byte_for_byte(tmp_path):
    import sqlite3

    rows, found = feature_repos.table(ROWS), []
    for engine in (feature_repos.OURS, "local"):
        write_rows(tmp_path / engine, rows)
        path = tmp_path / f"{engine}.db"
        write_repository(tmp_path / engine, {"type": "sqlite", "path": str(path)}, engine=engine).materialize(
            START, END
        )
        with sqlite3.connect(path) as connection:
            found.append(sorted(connection.execute("select * from shop_habits").fetchall()))
        connection.close()
    assert found[0] == found[1] != []


def newer_and_older(folder: Path, online) -> tuple[FeatureStore, pa.Table]:
    """Every key has a row in the first and one in the second half of the week; the newest is in the second."""
    import datetime as dt

    rows = feature_repos.table(ROWS, seed=3)
    rows = rows.set_column(0, "user", pa.array(range(ROWS)))
    middle = START + (END - START) / 2
    old = [START + dt.timedelta(seconds=n) for n in range(ROWS)]
    new = [middle + dt.timedelta(seconds=n + 1) for n in range(ROWS)]
    both = []
    for times, shift in ((old, 0), (new, 7)):
        half = rows.set_column(2, "at", pa.array(times, pa.timestamp("us", "UTC")))
        values = pa.array([n + shift for n in range(ROWS)], pa.int32())
        both.append(half.set_column(4, "small", values))
    whole = pa.concat_tables(both)
    write_rows(folder, whole)
    write_repository(folder, online)
    return FeatureStore(folder), whole


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_an_older_piece_never_overwrites_a_newer_one(online, tmp_path, is_newest_first):
    if online[0].get("skip_dedup"):
        pytest.skip("`skip_dedup` says that the last writer wins")
    store, whole = newer_and_older(tmp_path / "repo", online[0])
    middle = START + (END - START) / 2
    pieces = [(START, middle), (middle, END)]
    for start, end in reversed(pieces) if is_newest_first else pieces:
        store.write(VIEW, start, end)
    assert store.watermark(VIEW) is None, "a piece alone is not recorded"
    store.record(VIEW, START, END)
    assert store.watermark(VIEW) == END
    keys = keys_of(whole)
    found = store.feast.get_online_features([f"{VIEW}:small"], keys).to_dict()
    assert found["small"] == [key["user"] + 7 for key in keys]


def test_pieces_that_race_leave_the_newest(online, tmp_path):
    if online[0].get("skip_dedup"):
        pytest.skip("`skip_dedup` says that the last writer wins")
    store, whole = newer_and_older(tmp_path / "repo", online[0])
    middle = START + (END - START) / 2
    stores = [FeatureStore(tmp_path / "repo") for _ in range(4)]
    pieces = [(START, middle), (middle, END)] * 2
    barrier, failures = threading.Barrier(len(stores)), []

    def work(one: FeatureStore, piece) -> None:
        barrier.wait()
        try:
            one.write(VIEW, *piece)
        except Exception as error:  # noqa: BLE001 - whatever it is fails the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(stores, pieces, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    keys = keys_of(whole)
    found = store.feast.get_online_features([f"{VIEW}:small"], keys).to_dict()
    assert found["small"] == [key["user"] + 7 for key in keys]


def test_a_middle_piece_that_fails_leaves_the_window_open_and_a_second_run_closes_it(redis, tmp_path):
    store, whole = newer_and_older(tmp_path / "repo", redis.online_store())
    third = (END - START) / 3
    pieces = [(START + third * n, START + third * (n + 1)) for n in range(3)]
    written = []

    def fails_in_the_middle(name, start, end):
        if start == pieces[1][0]:
            raise StorageError("the disk is full", "")
        written.append(FeatureStore.write(store, name, start, end))

    store.write = fails_in_the_middle
    with pytest.raises(StorageError):
        store.materialize_in_order(VIEW, pieces)
    assert len(written) == 1
    assert store.watermark(VIEW) is None
    del store.write
    store.materialize_in_order(VIEW, list(reversed(pieces)))
    assert store.watermark(VIEW) == END
    keys = keys_of(whole)
    found = store.feast.get_online_features([f"{VIEW}:small"], keys).to_dict()
    assert found["small"] == [key["user"] + 7 for key in keys]


_CHILD = """
import sys, time
from pathlib import Path
from airfoil.clients.feature_store import redis_writer, sqlite_writer
from airfoil.clients.feature_store.store import FeatureStore
from tests.integration.feature_repos import START, END
for kind in (redis_writer.RedisWriter, sqlite_writer.SqliteWriter):
    def slow(self, batch, write=kind.write):
        done = write(self, batch)
        Path(sys.argv[2]).touch()
        time.sleep(600)
        return done
    kind.write = slow
FeatureStore(Path(sys.argv[1])).materialize(START, END)
"""


@pytest.mark.parametrize("kind", ["redis", "sqlite"])
def test_killed_in_the_middle_and_run_again_is_complete(kind, redis, tmp_path, monkeypatch):
    rows = pa.concat_tables([feature_repos.table(9_000, seed=n) for n in range(2)])
    rows = rows.set_column(0, "user", pa.array(range(len(rows))))
    repo, mark = tmp_path / "repo", tmp_path / "one batch is there"
    write_rows(repo, rows)
    online = (
        redis.online_store() if kind == "redis" else {"type": "sqlite", "path": str(tmp_path / "online.db")}
    )
    write_repository(repo, online)
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, repo, mark], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
    )
    deadline = time.monotonic() + 120
    while not mark.exists():
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    store = FeatureStore(repo)
    assert store.watermark(VIEW) is None
    (written,) = store.materialize(START, END)
    assert written.view == VIEW
    assert 0 < written.rows < written.entities if kind == "redis" else written.rows == written.entities
    assert store.watermark(VIEW) == END
    whole = write_repository(tmp_path / "whole", {"type": "sqlite", "path": str(tmp_path / "whole.db")})
    write_rows(tmp_path / "whole", rows)
    whole.materialize(START, END)
    keys = keys_of(rows)[::17]
    assert online_values(store.feast, keys) == online_values(whole, keys)


def test_a_full_redis_is_one_clear_error_and_a_second_run_continues(redis, tmp_path):
    rows = feature_repos.table(20_000, seed=5)
    write_rows(tmp_path / "repo", rows)
    write_repository(tmp_path / "repo", redis.online_store())
    store, client = FeatureStore(tmp_path / "repo"), redis.client()
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 2_000_000)
    try:
        with pytest.raises(StorageError, match=rf"Redis at 127.0.0.1:{redis.port} is full") as caught:
            store.materialize(START, END)
    finally:
        client.config_set("maxmemory", 0)
    assert "maxmemory" in caught.value.next_move
    assert store.watermark(VIEW) is None
    assert {client.hlen(key) for key in client.scan_iter()} <= {len(feature_repos.FEATURES) + 1}, (
        "rows are whole"
    )
    store.materialize(START, END)
    assert store.watermark(VIEW) == END


def test_a_redis_that_goes_away_is_one_clear_error(tmp_path):
    rows = feature_repos.table(20_000, seed=6)
    write_rows(tmp_path / "repo", rows)
    with running_redis() as server:
        write_repository(tmp_path / "repo", server.online_store())
        store = FeatureStore(tmp_path / "repo")
        from airfoil.clients.feature_store import redis_writer

        original = redis_writer.RedisWriter.write

        def ends_it(self, batch):
            server.process.kill()
            server.process.wait()
            return original(self, batch)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(redis_writer.RedisWriter, "write", ends_it)
            with pytest.raises(ServiceUnreachableError, match=rf"127.0.0.1:{server.port} does not answer"):
                store.materialize(START, END)
        assert store.watermark(VIEW) is None
        with pytest.raises(ServiceUnreachableError):
            store.materialize(START, END)


def test_a_value_that_feast_pushed_meanwhile_stays(redis, tmp_path, monkeypatch):
    """Somebody writes a newer row between our look at the times and our write."""
    store, whole = newer_and_older(tmp_path / "repo", redis.online_store())
    from airfoil.clients.feature_store import redis_writer

    pushed, original = whole.slice(0, 1), redis_writer.is_newer
    times = pa.array([END], pa.timestamp("us", "UTC"))
    frame = pushed.set_column(2, "at", times).rename_columns(
        ["large" if name == "large_raw" else name for name in pushed.column_names]
    ).to_pandas()  # fmt: skip
    frame["small"] = 4711
    looks = []

    def looks_then_somebody_pushes(event_us, stored):
        if not looks:
            store.feast.write_to_online_store(VIEW, frame)
        looks.append(len(event_us))
        return original(event_us, stored)

    monkeypatch.setattr(redis_writer, "is_newer", looks_then_somebody_pushes)
    store.write(VIEW, START, END)
    key = [{"user": pushed["user"][0].as_py(), "town": pushed["town"][0].as_py()}]
    assert store.feast.get_online_features([f"{VIEW}:small"], key).to_dict()["small"] == [4711]
    assert len(looks) > ROWS // redis_writer._TRANSACTION_ROWS + 1, "the first look was repeated"
