"""Files as one part: each content once, unchanged ones not read again, and no way out of the tree."""

from __future__ import annotations

import json

import pytest

from airfoil.errors import StorageError
from airfoil.stack.backup import trees
from airfoil.stack.backup.manifest import TreeCopy
from airfoil.stack.backup.objects import Objects
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.backup.trees import CACHES, FolderFiles

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "files"
    for name in ("a.txt", "b/a.txt", "b/.hidden", "b/__pycache__/a.pyc"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("the same")
    return root


def test_files_are_kept_once_and_laid_out_again(folder, place, tmp_path):
    objects = Objects(place)
    tree = trees.copy("artifacts", FolderFiles(folder), objects, {})
    files = trees.files_of(tree, objects)
    assert [one.path for one in files] == ["a.txt", "b/.hidden", "b/__pycache__/a.pyc", "b/a.txt"]
    assert len({one.object for one in files}) == 1
    assert (tree.files, tree.bytes) == (4, 32)
    trees.lay_out(files, objects, FolderPlace(tmp_path / "back", durable=False), "It")
    assert (tmp_path / "back/b/.hidden").read_text() == "the same"


def test_some_folders_of_a_project_without_caches(folder):
    names = [
        item.name for item in FolderFiles(folder, ["b", "a.txt", "b/a.txt", "none"], without=CACHES).items()
    ]
    assert names == ["b/.hidden", "b/a.txt", "a.txt"]


def test_what_has_not_changed_is_not_read_again(folder, place):
    objects = Objects(place)
    before = {
        one.path: one for one in trees.files_of(trees.copy("a", FolderFiles(folder), objects, {}), objects)
    }

    class Unread(FolderFiles):
        read: list[str]

        def open(self, name):
            self.read.append(name)
            return super().open(name)

    source = Unread(folder)
    source.read = []
    (folder / "a.txt").write_text("longer than before")
    tree = trees.copy("a", source, objects, before)
    assert set(source.read) == {"a.txt"}
    assert tree.files == 4


def test_a_file_that_vanishes_is_left_out(folder, place):
    class Vanishing(FolderFiles):
        def items(self, prefix=""):
            found = list(super().items(prefix))
            (folder / "a.txt").unlink()
            return iter(found)

    assert trees.copy("a", Vanishing(folder), Objects(place), {}).files == 3


def test_a_name_that_is_no_text_survives(place, tmp_path):
    root = tmp_path / "files"
    root.mkdir()
    try:
        (root / "\udcff").write_bytes(b"x")
    except OSError:
        pytest.skip("this file system knows no such names")
    objects = Objects(place)
    tree = trees.copy("a", FolderFiles(root), objects, {})
    assert [one.path for one in trees.files_of(tree, objects)] == ["\udcff"]


@pytest.mark.parametrize(
    "lines",
    [
        [["../out", 1, 0, "a" * 64]],
        [["/etc/out", 1, 0, "a" * 64]],
        [["", 1, 0, "a" * 64]],
        [["a", 1, 0, "../../etc"]],
        [["a", 1]],
        ["a"],
        [],
    ],
)
def test_a_listing_that_was_tampered_with_is_refused(place, lines):
    objects = Objects(place)
    listing = objects.put_bytes("\n".join(json.dumps(line) for line in lines).encode(), packed=True)
    with pytest.raises(StorageError, match="The list of files of artifacts is damaged"):
        trees.files_of(TreeCopy(part="artifacts", files=1, bytes=2, listing=listing), objects)
