"""Which backups stay, and which contents go."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.backup_shop import back_up
from tests.unit.stack.backup.test_manifest import made

from airfoil.stack.backup import catalogue, retention
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.backup.retention import Keep

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(hours):
    moment = NOW - timedelta(hours=hours)
    return made(f"{moment:%Y%m%dT%H%M%SZ}-{hours:04d}", made_at=moment)


def ages(backups, keep):
    return sorted(int(name[-4:]) for name in retention.chosen(backups, keep))


def test_the_last_few_stay():
    assert ages([at(1), at(3), at(2)], Keep(2)) == [1, 2]
    assert ages([at(1)], Keep(0)) == [1], "the newest always does"
    assert ages([], Keep(3)) == []


def test_one_of_each_day_and_week_stays_the_newest_of_it():
    backups = [at(6 * number) for number in range(24 * 4)]  # four a day
    assert ages(backups, Keep(1, daily=3)) == [0, 18, 42]
    weekly = ages(backups, Keep(1, weekly=3))
    assert len(weekly) == 3
    assert {(NOW - timedelta(hours=hours)).isocalendar().week for hours in weekly} == {47, 46, 45}


def test_what_one_rule_keeps_another_does_not_remove():
    backups = [at(24 * number) for number in range(30)]
    together = set(ages(backups, Keep(2, 5, 4)))
    assert together == {
        *ages(backups, Keep(2)),
        *ages(backups, Keep(1, daily=5)),
        *ages(backups, Keep(1, weekly=4)),
    }


def test_contents_that_nothing_needs_go_after_a_day_and_shared_ones_stay(shop, place):
    first = back_up(shop, place)
    (shop.artifacts / "1/r1/artifacts/ä.txt").unlink()
    second = back_up(shop, place)
    place.put("objects/ff/" + "f" * 64, io.BytesIO(b"of a backup that was killed"))
    early = retention.prune(place, "shop", Keep(1), time.time())
    assert early.names == (first.name,)
    assert early.freed_bytes == 0, "a backup may be on its way"
    late = retention.prune(place, "shop", Keep(1), time.time() + 2 * 86_400)
    assert late.freed_bytes > 0
    left = {item.name.rpartition("/")[2] for item in place.items("objects/")}
    assert "f" * 64 not in left
    assert left == retention.used_by([second], retention.Objects(place))


def test_backups_of_another_project_stay(shop, place):
    mine = back_up(shop, place)
    assert retention.prune(place, "other", Keep(1), time.time() + 10**6).names == ()
    assert [one.name for one in catalogue.found_in(place)] == [mine.name]


def test_nothing_is_swept_while_a_manifest_cannot_be_read(shop, place):
    back_up(shop, place)
    place.put("backups/20200101T000000Z-dead.json", io.BytesIO(b"{"))
    before = len(list(place.items("objects/")))
    assert retention.prune(place, "shop", Keep(1), time.time() + 10**6).freed_bytes == 0
    assert len(list(place.items("objects/"))) == before


def test_nor_while_a_list_of_files_cannot(shop, place):
    made = back_up(shop, place)
    listing = made.trees[0].listing.object
    (place.root / "objects" / listing[:2] / listing).unlink()
    place.put("objects/ff/" + "f" * 64, io.BytesIO(b"nobody's"))
    assert retention.prune(place, "shop", Keep(1), time.time() + 10**6).freed_bytes == 0


def test_a_manifest_is_read_once(shop, place, monkeypatch):
    for _ in range(3):
        back_up(shop, place)
    opened = []
    monkeypatch.setattr(place, "open", lambda name: opened.append(name) or FolderPlace.open(place, name))
    assert len(retention.prune(place, "shop", Keep(1), time.time() + 10**6).names) == 2
    manifests = [name for name in opened if name.startswith("backups/")]
    assert len(manifests) == len(set(manifests)) == 3
