"""A backup brought from one place to another."""

from __future__ import annotations

import pytest
from tests.backup_shop import back_up, examine, objects_of, spoil

from airfoil.errors import StorageError
from airfoil.stack.backup import catalogue, fetching
from airfoil.stack.backup.objects import Objects
from airfoil.stack.backup.place import FolderPlace

pytestmark = pytest.mark.unit


@pytest.fixture
def there(tmp_path):
    return FolderPlace(tmp_path / "there", durable=False)


def test_what_arrives_is_the_one_backup_and_whole(shop, place, there, tmp_path):
    made = back_up(shop, place)
    (shop.artifacts / "later.txt").write_text("of the next backup alone")
    back_up(shop, place)
    count = fetching.fetch(made, Objects(place), there)
    assert [one.manifest for one in catalogue.found_in(there)] == [made]
    assert len(list(there.items("objects/"))) == count < len(list(place.items("objects/")))
    assert {one.outcome for one in examine(there, made, tmp_path / "scratch").values()} <= {"ok", "skipped"}


def test_a_damaged_one_does_not_arrive(shop, place, there):
    made = back_up(shop, place)
    spoil(objects_of(made, place)["mlflow"])
    with pytest.raises(StorageError, match=f"Backup {made.name} is damaged"):
        fetching.fetch(made, Objects(place), there)
    assert catalogue.found_in(there) == []
