"""Folders for copies on their way."""

from __future__ import annotations

import pytest

from airfoil.stack.backup import scratch

pytestmark = pytest.mark.unit


def test_it_is_private_and_goes_with_the_block(tmp_path):
    with scratch.folder(tmp_path / "new") as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "copy").write_text("x")
    assert list((tmp_path / "new").iterdir()) == []


def test_what_the_killed_left_goes_and_what_is_in_use_stays(tmp_path):
    left = tmp_path / ".backup-left"
    left.mkdir()
    (left / "copy").write_text("x")
    with scratch.folder(tmp_path) as one:
        assert not left.exists()
        with scratch.folder(tmp_path) as two:
            assert one.is_dir()
            assert one != two
        assert one.is_dir()


def test_it_goes_when_the_block_fails(tmp_path):
    with pytest.raises(RuntimeError), scratch.folder(tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
