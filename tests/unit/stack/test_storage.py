"""Private files: whole or not at all, and one sentence for each refusal of the disk."""

import errno
import os
from pathlib import Path

import pytest

from airfoil.errors import StorageError
from airfoil.stack.storage import make_private_folder, storage_error, user_name, write_private, write_shared

pytestmark = pytest.mark.unit


def fail_with(code: int):
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def test_a_file_is_written_with_mode_0600_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        write_private(tmp_path / "ä b.json", "größe\r\n")
    finally:
        os.umask(before)
    assert (tmp_path / "ä b.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ä b.json").read_bytes() == "größe\r\n".encode()
    assert len(list(tmp_path.iterdir())) == 1


def test_an_open_file_is_replaced_by_a_closed_one(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_keeps_the_old_text_and_leaves_nothing_behind(tmp_path, monkeypatch, step):
    path = tmp_path / "x"
    write_private(path, "old")
    owner = os if step == "fsync" else Path
    monkeypatch.setattr(owner, step, fail_with(errno.ENOSPC))
    with pytest.raises(StorageError, match=r"The disk is full \(\d+ MiB free\): .*/x could not be written\."):
        write_private(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_text_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_private(tmp_path / "x", "\ud800")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(StorageError, match="is a folder where a file is needed"):
        write_private(tmp_path / "x", "text")
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]


def test_a_missing_folder(tmp_path):
    with pytest.raises(StorageError, match="does not exist any more"):
        write_private(tmp_path / "absent" / "x", "text")


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(StorageError, match="is too long"):
        make_private_folder(tmp_path / ("x" * 300))


def test_permission_denied_names_the_nearest_thing_and_how_to_open_it(tmp_path):
    error = storage_error(tmp_path / "a" / "b", PermissionError(errno.EACCES, "Permission denied"))
    assert str(error) == f"The permissions of {tmp_path} forbid to use it."
    assert error.next_move == f"`chmod -R u+rwX '{tmp_path}'`"


def test_permission_denied_by_a_folder_of_another_user(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 54321)
    error = storage_error(tmp_path / "a", PermissionError(errno.EACCES, "Permission denied"))
    assert f"{tmp_path} belongs to " in str(error)
    assert error.next_move.startswith("`sudo chown -R ")


def test_an_unknown_user_is_called_by_number():
    assert user_name(0) == "root"
    assert user_name(3999999999) == "3999999999"


def test_an_error_without_number_or_text_still_makes_a_sentence():
    assert str(storage_error(Path("/x"), OSError())) == "/x could not be used: OSError."


def test_a_shared_file_keeps_its_mode_and_the_link_that_leads_to_it(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o664)
    (tmp_path / "link").symlink_to("real")

    write_shared(tmp_path / "link", "größe\r\n")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == "größe\r\n".encode()
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o664
    assert len(list(tmp_path.iterdir())) == 2


def test_a_shared_file_that_could_not_be_written_is_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("old")
    monkeypatch.setattr(Path, "replace", fail_with(errno.ENOSPC))

    with pytest.raises(StorageError, match="disk is full"):
        write_shared(tmp_path / "file", "new")

    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
