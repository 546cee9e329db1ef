"""Places of backups that a server can write to, and those that it would fail on at night."""

from __future__ import annotations

import pytest

from airfoil.errors import SettingsError
from airfoil.stack.deploy import backup_place

pytestmark = pytest.mark.unit

NOTHING = {
    "BACKUP_PLACE": "/backups/platform",
    "BACKUP_S3_URL": "",
    "BACKUP_S3_ACCESS_KEY_ID": "",
    "BACKUP_S3_SECRET_ACCESS_KEY": "",
}
KEYS = {"BACKUP_S3_ACCESS_KEY_ID": "backup", "BACKUP_S3_SECRET_ACCESS_KEY": "s/e+c"}


@pytest.mark.parametrize(
    "place", ["", "/backups/platform", "/backups/nas/", "/backups/2026.b_c", "s3://bucket", "s3://bucket/a/b"]
)
def test_a_place_that_can_be_written_to(place):
    backup_place.check(NOTHING | {"BACKUP_PLACE": place})


@pytest.mark.parametrize(
    "place",
    [
        *("/backups", "/backups/", "/mnt/disk", "backups/x", "~/backups", "/backups/a/b", "/backups/.."),
        *("/backups/before-1.0.0", "/backups/a b", "s3://", "s3:///x", "gs://bucket", "/backupsx"),
    ],
)
def test_a_place_that_maintenance_cannot_write_to_is_refused(place):
    with pytest.raises(SettingsError, match="cannot write") as refused:
        backup_place.check(NOTHING | {"BACKUP_PLACE": place})
    assert "/backups/platform" in refused.value.next_move


def test_a_store_of_its_own_with_its_keys():
    backup_place.check(NOTHING | KEYS)
    backup_place.check(NOTHING | KEYS | {"BACKUP_S3_URL": "https://s3.example.com"})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"BACKUP_S3_ACCESS_KEY_ID": "backup"}, "BACKUP_S3_SECRET_ACCESS_KEY in .env is empty"),
        ({"BACKUP_S3_SECRET_ACCESS_KEY": "s"}, "BACKUP_S3_ACCESS_KEY_ID in .env is empty"),
        ({"BACKUP_S3_URL": "https://s3.example.com"}, "BACKUP_S3_ACCESS_KEY_ID in .env is empty"),
        (KEYS | {"BACKUP_S3_URL": "s3.example.com"}, "https://"),
    ],
)
def test_half_a_store_is_refused(given, why):
    with pytest.raises(SettingsError, match=why):
        backup_place.check(NOTHING | given)
