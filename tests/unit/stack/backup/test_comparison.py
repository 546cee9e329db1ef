"""A bucket held against a backup's files: by content, and nothing of it is lost."""

from __future__ import annotations

import contextlib
import hashlib
import io

import pytest

from airfoil.errors import NotFoundError
from airfoil.stack.backup.comparison import compare
from airfoil.stack.backup.objects import Objects
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.backup.trees import FileCopy

pytestmark = pytest.mark.unit


class Bucket(FolderPlace):
    """A bucket that knows what was read of it, and that somebody else may delete from."""

    def __init__(self, root):
        super().__init__(root, durable=False)
        self.read = []
        self.gone = ()

    @contextlib.contextmanager
    def open(self, name):
        self.read.append(name)
        if name in self.gone:
            raise NotFoundError(f"There is no {name}.")
        with super().open(name) as stream:
            yield stream


@pytest.fixture
def kept(tmp_path):
    """The contents of a backup."""
    return Objects(FolderPlace(tmp_path / "backup", durable=False))


@pytest.fixture
def bucket(tmp_path):
    """A bucket with files."""
    found = Bucket(tmp_path / "bucket")
    for name, content in {"same": b"one", "newer": b"two", "grown": b"three and more"}.items():
        found.put(name, io.BytesIO(content))
    return found


def copies(kept, **contents):
    return [
        FileCopy(name, len(content), 0.0, kept.put_bytes(content).object)
        for name, content in contents.items()
    ]


def test_a_size_proves_nothing_and_another_size_needs_no_look(kept, bucket):
    found = compare(copies(kept, same=b"one", newer=b"TWO", grown=b"three", lacks=b"four"), bucket)
    assert [one.path for one in found.missing] == ["lacks"]
    assert [one.path for one in found.differing] == ["newer", "grown"]
    assert bucket.read == ["same", "newer"]


def test_what_differs_is_there_twice_afterwards(kept, bucket):
    found = compare(copies(kept, same=b"one", newer=b"TWO", lacks=b"four"), bucket)
    found.carry_out(kept, "Artifacts", "replaced-now")
    there = {item.name: (bucket.root / item.name).read_bytes() for item in bucket.items()}
    assert there == {
        "same": b"one",
        "newer": b"TWO",
        "replaced-now/newer": b"two",
        "grown": b"three and more",
        "lacks": b"four",
    }
    assert not compare(copies(kept, same=b"one", newer=b"TWO", lacks=b"four"), bucket).differing


def test_a_copy_that_cannot_be_kept_aside_leaves_the_file_alone(kept, bucket, monkeypatch):
    found = compare(copies(kept, newer=b"TWO"), bucket)

    def refuse(name, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bucket, "put", refuse)
    with pytest.raises(OSError, match="No space"):
        found.carry_out(kept, "Artifacts", "replaced-now")
    assert (bucket.root / "newer").read_bytes() == b"two"


def test_a_file_that_vanished_after_the_listing_is_missing(kept, bucket):
    bucket.gone = ("newer",)
    found = compare(copies(kept, newer=b"two"), bucket)
    assert [one.path for one in found.missing] == ["newer"]
    assert found.differing == ()


def test_a_large_file_is_read_in_parts(kept, bucket):
    content = bytes(range(256)) * 12_000
    bucket.put("large", io.BytesIO(content))
    same = FileCopy("large", len(content), 0.0, hashlib.sha256(content).hexdigest())
    other = FileCopy("large", len(content), 0.0, hashlib.sha256(content[::-1]).hexdigest())
    assert compare([same], bucket).differing == ()
    assert compare([other], bucket).differing == (other,)
