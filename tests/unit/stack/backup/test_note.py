"""The note of the latest backup."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.backup_shop import back_up

from airfoil.stack.backup import note

pytestmark = pytest.mark.unit


def test_the_latest_backup_is_known_where_it_was_taken(shop, place):
    assert note.made_at(shop) is None
    made = back_up(shop, place)
    assert note.made_at(shop) == made.made_at.timestamp()
    assert str(place.root) in (shop.state / note.NAME).read_text()


def test_a_password_of_a_place_is_not_written_down(shop):
    note.write(shop, "b", datetime(2026, 11, 22, tzinfo=UTC), "s3://key:secret@host/b")
    assert "secret" not in (shop.state / note.NAME).read_text()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"made_at": 5}', '{"made_at": "yesterday"}'])
def test_garbage_is_no_backup(shop, text):
    (shop.state / note.NAME).write_text(text)
    assert note.made_at(shop) is None
