"""Whose the files of a server are, and who may read them."""

from __future__ import annotations

import os
import stat

import pytest

from airfoil.errors import StorageError
from airfoil.stack.deploy import owned_files

pytestmark = pytest.mark.unit


@pytest.fixture
def closed():
    """A machine on which nobody reads what others write."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def owner(path):
    return path.stat().st_uid, path.stat().st_gid


def test_containers_read_whatever_the_umask_is(tmp_path, closed):
    folder = tmp_path / "a" / "b"
    owned_files.make_folder(folder)
    owned_files.put_shared(folder / "x.yml", "x")
    owned_files.put_shared(folder / "x.sh", "x")
    found = [mode(one) for one in (folder.parent, folder, folder / "x.yml", folder / "x.sh")]
    assert found == [0o755, 0o755, 0o644, 0o755]


def test_a_file_that_was_closed_is_opened(tmp_path, closed):
    (tmp_path / "x.yml").write_text("old", encoding="utf-8")
    owned_files.put_shared(tmp_path / "x.yml", "new")
    assert mode(tmp_path / "x.yml") == 0o644


def test_a_folder_that_is_there_is_left_as_it_is_until_it_is_to_be_opened(tmp_path):
    tmp_path.chmod(0o2710)
    owned_files.make_folder(tmp_path)
    assert mode(tmp_path) == 0o2710
    owned_files.open_folder(tmp_path)
    assert mode(tmp_path) == 0o2755


def test_secrets_are_for_one_alone(tmp_path):
    owned_files.put_private(tmp_path / "x", "x")
    assert mode(tmp_path / "x") == 0o600


def test_what_root_makes_belongs_to_whom_the_folder_belongs(tmp_path):
    if os.geteuid():
        pytest.skip("only root can give a file away")
    os.chown(tmp_path, 4321, 4322)
    folder = tmp_path / "a" / "b"
    owned_files.make_folder(folder)
    owned_files.put_shared(folder / "x.yml", "x")
    owned_files.put_private(folder / "x", "x")
    owned_files.put_private(folder / "read", "x", reader=4444)
    assert {owner(one) for one in (folder.parent, folder, folder / "x.yml", folder / "x")} == {(4321, 4322)}
    assert owner(folder / "read")[0] == 4444


def test_what_root_writes_anew_belongs_to_whom_it_did(tmp_path):
    if os.geteuid():
        pytest.skip("only root can give a file away")
    for put in (owned_files.put_private, owned_files.put_shared):
        put(tmp_path / "x", "old")
        os.chown(tmp_path / "x", 4323, 4324)
        put(tmp_path / "x", "new")
        assert owner(tmp_path / "x") == (4323, 4324)


def test_a_file_where_a_folder_is_needed_is_named(tmp_path):
    (tmp_path / "a").write_text("x", encoding="utf-8")
    with pytest.raises(StorageError, match="is a file where a folder is needed"):
        owned_files.make_folder(tmp_path / "a" / "b")
