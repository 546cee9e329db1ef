"""What was seen of each fault: kept beside the tests, and a table in docs/chaos.md. The newest of each fault counts."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.deploy.faults import Outcome

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).with_name("faults_seen.json")
PAGE = ROOT / "docs" / "chaos.md"
MARK = "\n## On a server\n"
TEXT = """
Each part of a Compose server with two workers is killed with `kill -9`, or cut off from its network by silence
(packets are dropped, nothing is refused); or everything goes at once, with the Docker daemon or for want of disk.
Meanwhile three DAG runs are always under way: plain tasks, a deferred one, a training that tracks, stores files and a
model, and its registration. Afterwards every run must have ended in success, every body have come to its end, and no
try have begun twice. MLflow must hold no RUNNING run, one training and one version for each DAG run, and every stored
file with the digest that the training wrote down. Times count from the fault, of a cut from its end. A cut lasts until
its alert is there, with rules that wait for seconds where they wait for minutes otherwise. A fault that is not in the
table has not been measured yet.

{rows}
A task at which a killed worker was is given up after two minutes of silence and tried again: that is what takes
longest. One that a worker had only taken, or whose message was lost, begins again within a minute
([decision 37](adr/0037-messages-that-nobody-has.md)).

A Docker daemon that ends stops everything at once, and a worker lets its tasks end, for `WORKER_STOP_GRACE` (5 minutes)
at most: their servers are gone then, so it may take all of that. With `{{"live-restore": true}}` in Docker's
`daemon.json` containers go on while their daemon is away.
"""
TABLE = """\
| fault | healthy again | all runs ended (of) | further tries | alert | wrong | seen |
|---|---:|---:|---:|---|---|---|
"""


def keep(outcomes: Sequence[Outcome], kept: Path = KEPT, page: Path = PAGE) -> None:
    """Put what was just seen in the place of what was seen before of the same faults."""
    rows = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    rows |= {one.fault: asdict(one) | {"date": time.strftime("%Y-%m-%d")} for one in outcomes}
    kept.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    before = page.read_text(encoding="utf-8").partition(MARK)[0]
    page.write_text(before + MARK + TEXT.format(rows=table(rows)), encoding="utf-8")


def table(rows: dict[str, dict]) -> str:
    """A line for each fault: one part killed, one cut off, two at once, all at once."""
    return TABLE + "".join(_line(one) for one in sorted(rows.values(), key=_place))


def _place(one: dict) -> tuple[int, bool]:
    parts = one["fault"].count(": ")
    return parts or 3, parts == 1 and "cut" in one["fault"]


def _line(one: dict) -> str:
    told = ""
    if one["alert_seconds"]:
        told = f"{one['alert']} after {one['alert_seconds']:.0f} s, gone {one['cleared_seconds']:.0f} s after"
    return (
        f"| {one['fault']} | {one['well_seconds']:.0f} s | {one['ended_seconds']:.0f} s ({one['runs']}) "
        f"| {one['tries']} | {told} | {'; '.join(one['wrong']) or 'nothing'} | {one['date']} |\n"
    )
