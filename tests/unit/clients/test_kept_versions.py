"""Old versions of a source go as a whole; new ones, needed ones, and what is somebody else's stay."""

from __future__ import annotations

import os

import pytest

from airfoil.clients.kept_versions import OldVersions, SourceFolders

pytestmark = pytest.mark.unit
DAY = 86_400.0
NOW = 1_800_000_000.0


def version(number):
    return f"202611{number:02}T053000Z-{number:012x}"


class Shop:
    """A source with versions of so many days, oldest first, each with rows and the copy of one model."""

    def __init__(self, root, days):
        self.folders = SourceFolders(root / "raw", root / "processed", root / "model")
        for number in range(1, days + 1):
            self.add(number, days_ago=days - number + 2)

    def add(self, number, days_ago, run=None):
        raw = self.folders.raw / f"{version(number)}.csv"
        rows = self.folders.processed / version(number)
        copy = self.folders.model / version(number) / (run or f"run{number}")
        for folder in (self.folders.raw, rows, copy / "model"):
            folder.mkdir(parents=True, exist_ok=True)
        for path in (raw, rows / "rows.parquet", copy / "about.json"):
            path.touch()
        for path in (raw, rows, copy, copy.parent):
            os.utime(path, (NOW - days_ago * DAY,) * 2)
        return copy

    def old(self, keep, **given):
        return self.folders.old(keep, before=NOW - DAY, **given)

    def left(self, kind):
        return sorted(path.name.partition(".")[0] for path in getattr(self.folders, kind).iterdir())


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path, 5)


def test_the_newest_stay_and_the_others_go_everywhere(shop):
    old = shop.old(2)
    assert old.versions == (version(3), version(2), version(1))
    shop.folders.remove(old)
    for kind in ("raw", "processed", "model"):
        assert shop.left(kind) == [version(4), version(5)]
    assert shop.old(2) == OldVersions()


def test_fewer_than_are_kept_is_nothing_to_do(shop, tmp_path):
    assert shop.old(5) == OldVersions()
    nowhere = SourceFolders(tmp_path / "a", tmp_path / "b", tmp_path / "c")
    assert nowhere.old(1, before=NOW) == OldVersions()
    nowhere.remove_unfinished(before=NOW)


def test_what_a_run_works_on_stays(shop):
    assert shop.old(2, needed={version(1)}).versions == (version(3), version(2))


def test_what_was_touched_lately_stays(shop):
    os.utime(shop.folders.processed / version(2), (NOW - 60,) * 2)
    assert shop.old(2).versions == (version(3), version(1))


def test_what_a_deployed_model_learned_from_stays_with_it(shop):
    shop.add(1, days_ago=7, run="refused")
    old = shop.old(2).without({"run1", "run5"})
    assert old.versions == (version(3), version(2))
    shop.folders.remove(old)
    assert shop.left("raw") == [version(1), version(4), version(5)]
    assert [path.name for path in (shop.folders.model / version(1)).iterdir()] == ["run1"]


def test_of_one_version_too_the_newest_models_stay(shop):
    """A source that does not change, and is trained on again and again."""
    for number in range(6):
        shop.add(5, days_ago=1.1 + number / 10, run=f"again{number}")
    old = shop.old(3)
    assert old.versions == (version(2), version(1))
    shop.folders.remove(old)
    assert [copy.name for copy in shop.folders.copies()] == ["again0", "again1", "again2"]
    assert shop.left("processed") == [version(3), version(4), version(5)]


def test_what_has_another_name_stays(shop):
    mine = [
        shop.folders.raw / "latest.json",
        shop.folders.raw / "finished.json",
        shop.folders.raw / "notes.csv",
        shop.folders.processed / "mine" / "rows.parquet",
        shop.folders.model / "v1" / "monitoring-20261101T000000Z.json",
        shop.folders.model / "best" / "run1" / "about.json",
    ]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (0, 0))
    shop.folders.remove(shop.old(1))
    shop.folders.remove_unfinished(before=NOW)
    assert all(path.exists() for path in mine)


def test_links_are_not_followed(shop, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "data").touch()
    (shop.folders.processed / version(0)).symlink_to(mine)
    (shop.folders.model / version(0)).symlink_to(mine)
    shop.folders.remove(shop.old(1))
    assert (mine / "data").exists()


def test_what_a_killed_task_was_writing_goes_after_a_day(shop):
    mark = "0123456789abcdef" * 2
    begun = [
        shop.folders.raw / f".{mark}.tmp",
        shop.folders.processed / version(5) / f".rows.parquet.{mark}.tmp",
        shop.folders.model / version(5) / f".run9.{mark}.tmp",
    ]
    begun[2].mkdir()
    for path in begun[:2]:
        path.touch()
    for age, are_there in ((3600, True), (2 * DAY, False)):
        for path in begun:
            os.utime(path, (NOW - age,) * 2)
        assert begun[2] not in shop.folders.copies()
        shop.folders.remove_unfinished(before=NOW - DAY)
        assert [path.exists() for path in begun] == [are_there] * 3


def test_a_removal_that_was_cut_short_is_found_again(shop):
    (shop.folders.processed / version(1) / "rows.parquet").unlink()
    (shop.folders.processed / version(1)).rmdir()
    assert version(1) in shop.old(2).versions
