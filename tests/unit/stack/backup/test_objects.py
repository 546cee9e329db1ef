"""Contents under their digest: kept once, proven when read."""

from __future__ import annotations

import io
import time
from contextlib import contextmanager

import pytest

from airfoil.errors import StorageError
from airfoil.stack.backup.objects import Objects, digest_of

pytestmark = pytest.mark.unit


def path_of(place, stored):
    return place.root / "objects" / stored.object[:2] / stored.object


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("content", [b"", b"x", b"abc" * 500_000])
def test_what_is_kept_is_read_again(place, tmp_path, content, packed):
    objects = Objects(place)
    stored = objects.put_bytes(content, packed=packed)
    assert objects.read(stored, "it") == content
    file = tmp_path / "file"
    file.write_bytes(content)
    assert objects.put_file(file, packed=packed) == stored, "the same content has the same name"
    objects.fetch(stored, tmp_path / "back", "it")
    assert (tmp_path / "back").read_bytes() == content
    assert (tmp_path / "back").stat().st_mode & 0o777 == 0o600
    objects.prove(stored, "it")


def test_it_is_written_once(place):
    objects = Objects(place)
    objects.put_bytes(b"content")
    objects.put_bytes(b"content")
    assert objects.written_bytes == 7
    assert len(list(place.items("objects/"))) == 1
    again = Objects(place)
    again.put_bytes(b"content")
    assert again.written_bytes == 0


def test_what_might_be_removed_soon_is_written_again(place):
    stored = Objects(place).put_bytes(b"content")

    def tomorrow():
        return time.time() + 86_400

    forgotten = Objects(place, clock=tomorrow)
    assert not forgotten.has(stored.object, 7)
    used = Objects(place, used={stored.object}, clock=tomorrow)
    assert used.has(stored.object, 7)
    assert not used.has(stored.object, 8), "one that was cut short is not it"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "empty"])
def test_damage_is_told_with_its_name(place, tmp_path, packed, harm):
    objects = Objects(place)
    stored = objects.put_bytes(bytes(range(256)) * 1000, packed=packed)
    path = path_of(place, stored)
    content = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        flipped = content[:100] + bytes([content[100] ^ 1]) + content[101:]
        path.write_bytes({"flip": flipped, "cut": content[:-1], "empty": b""}[harm])
    for look in (
        lambda: objects.read(stored, "The thing"),
        lambda: objects.prove(stored, "The thing"),
        lambda: objects.fetch(stored, tmp_path / "back", "The thing"),
    ):
        with pytest.raises(StorageError, match=r"^The thing is (damaged|missing)"):
            look()


def test_what_lies_there_is_not_trusted_when_told_so(place):
    stored = Objects(place).put_bytes(b"content")
    path_of(place, stored).write_bytes(b"damaged")
    Objects(place, trusted=False).put_bytes(b"content")
    assert Objects(place).read(stored, "it") == b"content"


def test_a_file_that_changes_while_it_is_read_is_read_again(place):
    contents = [b"one", b"two", b"three", b"three"]

    @contextmanager
    def changing():
        yield io.BytesIO(contents.pop(0))

    objects = Objects(place)
    assert objects.read(objects.put(changing, "a file"), "it") == b"three"
    assert [digest_of(item.name) for item in place.items("objects/")] == [objects.put_bytes(b"three").object]


def test_a_file_that_never_rests_is_told(place):
    numbers = iter(range(100))

    @contextmanager
    def changing():
        yield io.BytesIO(str(next(numbers)).encode())

    with pytest.raises(StorageError, match="changed each time"):
        Objects(place).put(changing, "a file")
