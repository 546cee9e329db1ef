"""What it takes to bring features online: our engine against Feast's own, from Parquet to Redis.

`python -m benchmarks materialize`, or `make bench NAME=materialize`. Both sides run `FeatureStore.materialize` over the
same file with the same feature_store.yaml but for the engine, each in a process of its own against an empty Redis; what
is timed is that call, and imports and opening the store stand apart. Takes about ten minutes, nearly all of it Feast's.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import machine, result
from benchmarks.contender import LOOPBACK, BenchmarkError, free_port
from benchmarks.progress import Progress
from benchmarks.result import Figure, Goal, Result, Side
from benchmarks.side import ask_python, peak_mib
from benchmarks.trial import hold, options_of

NAME = "materialize"
ROWS, LARGE_ROWS, FEATURES, SAMPLE = 1_000_000, 20_000_000, 10, 10_000
REPEATS = 3
BATCH_ROWS = 10_000
ENGINES = {result.OURS: "airfoil.clients.feature_store.engine.StreamingEngine", result.PEER: "local"}
MOST_TIME_SHARE, MOST_MIB, MOST_LARGE_MIB = 0.1, 400.0, 600.0
_CHUNK_ROWS = 500_000
_FIRST_SECOND, _SPAN_SECONDS = 1_767_225_600, 86_400  # the first of January 2026
_THIS = ("-m", "benchmarks.materialize")
_QUIET_SECONDS, _READY_SECONDS = 180.0, 30.0
_DISTRIBUTIONS = ("airfoil", "duckdb", "feast", "numpy", "pyarrow", "redis")
FIGURES = (
    Figure("rows_per_second", "Brought online", "rows/s", 0, is_plotted=True),
    Figure("seconds", "The call of materialize()", "s", 1),
    Figure("checked_rows_per_second", "The same, keeping newer rows that are there", "", 0),
    Figure("import_seconds", "Imports and opening the store", "s", 1),
    Figure("peak_mib", "Memory of the process at its largest", "MiB", 0, is_plotted=True),
)
LEAD = (
    "Feast turns every value into an object and every row into a call. The engine reads the newest rows in batches, "
    "encodes whole columns at once and hands Redis finished bytes."
)
NOTES = (
    f"One view, one whole-number key, {FEATURES} floats, every key once; Redis on loopback without persistence.",
    f"Both sides: `online_write_batch_size: {BATCH_ROWS}` and `skip_dedup: true`, Feast's faster documented setting.",
    "The line that keeps newer rows is without `skip_dedup`; there our rows go through WATCH and a transaction.",
    f"Afterwards Feast's own reader must say the same of {SAMPLE} random keys in both stores.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the line, keep and publish a full-size result."""
    options = _options(arguments)
    if options.side:
        print(json.dumps(_materialize(Path(options.data))))
        return 0
    if options.read:
        print(json.dumps(_read(Path(options.data), options.read)))
        return 0
    return hold(NAME, partial(_compare, has_large=not options.small), options)


def _compare(folder: Path, scale: float, say: Progress, *, has_large: bool) -> Result:
    machine.wait_for_quiet(_QUIET_SECONDS * scale, say)
    rows = max(BATCH_ROWS, round(ROWS * scale))
    data = _write_rows(folder / "rows.parquet", rows)
    seen: dict[str, list[dict[str, float]]] = {}
    with _redis(folder / "ours") as ours, _redis(folder / "peer") as peer:
        ports = {result.OURS: ours, result.PEER: peer}
        for side, port in ports.items():
            for is_checked in (True, False):
                key = f"{side}{'-checked' if is_checked else ''}"
                store = _repository(folder / key, data, side, port, is_checked=is_checked)
                seen[key] = [_measure(store, port, say) for _ in range(1 if is_checked else REPEATS)]
        stores = [folder / side for side in ports]
        equal = _answers(stores[0], rows) == _answers(stores[1], rows)
    say(f"{min(SAMPLE, rows)} random keys are {'the same' if equal else 'NOT the same'} in both stores")
    large = {}
    if has_large:
        count = max(BATCH_ROWS, round(LARGE_ROWS * scale))
        data = _write_rows(folder / "large.parquet", count)
        with _redis(folder / "large-redis") as port:
            store = _repository(folder / "large", data, result.OURS, port, is_checked=True)
            large = _measure(store, port, say) | {"rows": float(count)}
    return assemble(seen, rows=rows, equal=equal, large=large)


def assemble(
    seen: Mapping[str, Sequence[Mapping[str, float]]], *, rows: int, equal: bool, large: Mapping[str, float]
) -> Result:
    """The result of both sides."""
    numbers = {}
    for side in (result.OURS, result.PEER):
        middle = result.medians(seen[side])
        checked = statistics.median(one["seconds"] for one in seen[f"{side}-checked"])
        numbers[side] = {
            "seconds": middle["seconds"],
            "rows_per_second": rows / middle["seconds"],
            "checked_rows_per_second": rows / checked,
            "import_seconds": middle["import_seconds"],
            "peak_mib": max(one["peak_mib"] for key in (side, f"{side}-checked") for one in seen[key]),
        }
    ours, peer = numbers[result.OURS], numbers[result.PEER]
    goals = [
        Goal("Time against Feast's own engine", ours["seconds"] / peer["seconds"], MOST_TIME_SHARE),
        Goal(f"Memory at {rows:,} rows", ours["peak_mib"], MOST_MIB, "MiB"),
    ]
    if large:
        goals.append(Goal(f"Memory at {large['rows']:,.0f} rows", large["peak_mib"], MOST_LARGE_MIB, "MiB"))
    return Result(
        name=NAME,
        title="Bringing features online",
        lead=LEAD,
        size={"rows": rows, "features": FEATURES},
        versions=machine.versions(*_DISTRIBUTIONS),
        samples=len(seen[result.PEER]),
        sides=[
            Side(key, label, f"store.materialize(start, end)  # batch_engine: {{type: {ENGINES[key]}}}")
            for key, label in ((result.OURS, "StreamingEngine"), (result.PEER, "Feast's local engine"))
        ],
        figures=FIGURES,
        numbers=numbers,
        equal=equal,
        goals=goals,
        notes=NOTES,
        machine=machine.describe(),
        details={
            "samples": {key: [dict(one) for one in each] for key, each in seen.items()},
            "large": dict(large),
        },
    )


def _measure(store: Path, port: int, say: Progress) -> dict[str, float]:
    _ask_redis(port, b"FLUSHALL")
    found = ask_python([*_THIS, "--side", store.name, "--data", str(store)], f"{store.name} failed")
    say(f"{store.name}: {found['seconds']:.1f} s, {found['peak_mib']:.0f} MiB")
    return found


def _materialize(folder: Path) -> dict[str, float]:
    """In the process of one side."""
    import datetime as dt

    began = time.perf_counter()
    from feast import FeatureStore

    store = FeatureStore(repo_path=str(folder))
    store.apply(_definitions((folder / "data").read_text(encoding="utf-8")))
    start = dt.datetime.fromtimestamp(_FIRST_SECOND, dt.UTC)
    ready = time.perf_counter()
    with open("/dev/null", "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - Feast prints its progress
        sys.stdout, told = nowhere, sys.stdout
        store.materialize(start, start + dt.timedelta(seconds=_SPAN_SECONDS))
        sys.stdout = told
    return {
        "seconds": time.perf_counter() - ready,
        "import_seconds": ready - began,
        "peak_mib": peak_mib(),
    }


def _answers(folder: Path, rows: int) -> dict[str, Any]:
    arguments = [*_THIS, "--read", str(rows), "--data", str(folder)]
    return ask_python(arguments, f"{folder.name} cannot be read")


def _read(folder: Path, rows: int) -> dict[str, list[Any]]:
    """What Feast's reader says of random keys."""
    from feast import FeatureStore

    store = FeatureStore(repo_path=str(folder))
    keys = random.Random(7).sample(range(rows), min(SAMPLE, rows))  # noqa: S311 - a sample, not a secret
    names = [f"numbers:f{number}" for number in range(FEATURES)]
    found: dict[str, list[Any]] = store.get_online_features(names, [{"uid": key} for key in keys]).to_dict()
    if any(one is None for column in found.values() for one in column):
        raise BenchmarkError(f"a value is missing in {folder}")
    return dict(sorted(found.items()))


def _definitions(path: str) -> list[Any]:
    import datetime as dt

    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Float64

    entity = Entity(name="uid", join_keys=["uid"], value_type=ValueType.INT64)
    view = FeatureView(
        name="numbers",
        entities=[entity],
        ttl=dt.timedelta(0),
        schema=[Field(name=f"f{number}", dtype=Float64) for number in range(FEATURES)],
        source=FileSource(path=path, timestamp_field="event_timestamp"),
    )
    return [entity, view]


def _repository(folder: Path, data: Path, side: str, port: int, *, is_checked: bool) -> Path:
    folder.mkdir(exist_ok=True)
    settings = {
        "project": "bench",
        "provider": "local",
        "registry": {"registry_type": "sql", "path": f"sqlite:///{folder}/registry.db"},
        "offline_store": {"type": "file"},
        "online_store": {
            "type": "redis",
            "connection_string": f"{LOOPBACK}:{port}",
            "skip_dedup": not is_checked,
        },
        "batch_engine": {"type": ENGINES[side]},
        "entity_key_serialization_version": 3,
        "materialization": {"online_write_batch_size": BATCH_ROWS},
    }
    (folder / "feature_store.yaml").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "data").write_text(str(data), encoding="utf-8")
    return folder


def _write_rows(path: Path, rows: int) -> Path:
    """Every key once, in a scattered order, within one day; written piece by piece."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    dice = np.random.default_rng(7)
    step = 7_368_787  # a prime: steps of it visit every key once, unless the number of keys is a multiple
    schema = pa.schema(
        [
            ("uid", pa.int64()),
            ("event_timestamp", pa.timestamp("us", "UTC")),
            *((f"f{number}", pa.float64()) for number in range(FEATURES)),
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, _CHUNK_ROWS):
            places = np.arange(first, min(rows, first + _CHUNK_ROWS))
            seconds = _FIRST_SECOND + places % _SPAN_SECONDS
            columns = [pa.array(places * step % rows), pa.array(seconds * 1_000_000).cast(schema.types[1])]
            columns += [pa.array(dice.normal(size=len(places))) for _ in range(FEATURES)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=100_000)
    return path


@contextmanager
def _redis(folder: Path) -> Iterator[int]:
    """An empty Redis that keeps nothing on disk."""
    binary = shutil.which("redis-server")
    if binary is None:
        raise BenchmarkError("no redis-server on this machine; apt-get install redis-server")
    folder.mkdir(exist_ok=True)
    port = free_port(6379)
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(
            [binary, "--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"],
            cwd=folder, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + _READY_SECONDS
        while _ask_redis(port, b"PING") != b"+PONG\r\n":
            if process.poll() is not None or time.monotonic() > until:
                raise BenchmarkError(f"Redis does not start:\n{(folder / 'redis.log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)


def _ask_redis(port: int, command: bytes) -> bytes:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_READY_SECONDS) as line:
            line.sendall(command + b"\r\n")
            return line.recv(1000)
    except OSError:
        return b""


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options_of(NAME, __doc__, "the rows and Redis's files are written")
    parser.add_argument("--small", action="store_true", help=f"leave out the run with {LARGE_ROWS:,} rows")
    parser.add_argument("--side", default="", help=argparse.SUPPRESS)
    parser.add_argument("--data", default="", help=argparse.SUPPRESS)
    parser.add_argument("--read", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
