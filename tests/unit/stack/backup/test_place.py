"""A folder as a place: contents whole or not there, private, one writer."""

from __future__ import annotations

import io

import pytest

from airfoil.errors import NeighbourError, NotFoundError, StorageError
from airfoil.stack.backup.place import FolderPlace

pytestmark = pytest.mark.unit


def test_what_is_put_can_be_listed_read_and_deleted(place):
    place.put("a/b/c", io.BytesIO(b"content"))
    (item,) = place.items("a/")
    assert (item.name, item.bytes) == ("a/b/c", 7)
    with place.open("a/b/c") as stream:
        assert stream.read() == b"content"
    assert (place.root / "a/b/c").stat().st_mode & 0o777 == 0o600
    assert (place.root / "a").stat().st_mode & 0o777 == 0o700
    place.delete("a/b/c")
    place.delete("a/b/c")
    assert list(place.items()) == []
    with pytest.raises(NotFoundError), place.open("a/b/c"):
        pass


class Broken(io.RawIOBase):
    """Breaks off after a while."""

    def __init__(self):
        self.left = 3

    def read(self, size=-1):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("gone")
        return b"x" * 1000


def test_a_content_that_breaks_off_leaves_nothing(place):
    place.put("name", io.BytesIO(b"before"))
    with pytest.raises(RuntimeError, match="gone"):
        place.put("name", Broken())
    assert (place.root / "name").read_bytes() == b"before"
    assert [path.name for path in place.root.iterdir()] == ["name"]


def test_a_place_that_is_not_there_is_empty(tmp_path):
    assert list(FolderPlace(tmp_path / "nowhere").items("backups/")) == []


def test_one_writer_at_a_time_who_clears_up_after_the_killed(place):
    with place.held():
        (place.root / ".0123.tmp").write_text("half")
        with pytest.raises(NeighbourError, match="Somebody else is writing"), FolderPlace(place.root).held():
            pass
    with place.held():
        assert sorted(path.name for path in place.root.iterdir()) == [".gitignore", ".lock"]
    assert list(place.items()) == [], "neither is a content"
    assert (place.root / ".gitignore").read_text() == "*\n"


def test_files_of_a_project_are_for_everybody(tmp_path):
    root = tmp_path / "shop"
    root.mkdir(mode=0o755)
    FolderPlace(root, private=False).put("dags/a.py", io.BytesIO(b"# a"))
    assert root.stat().st_mode & 0o777 == 0o755
    assert (root / "dags/a.py").stat().st_mode & 0o400


def test_a_file_in_the_way_is_told(place):
    place.root.mkdir()
    (place.root / "a").write_text("a file")
    with pytest.raises(StorageError):
        place.put("a/b", io.BytesIO(b""))
