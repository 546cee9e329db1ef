"""Claims: exclusive while held, gone afterwards, and no way to harm anybody through the shared folder."""

import os
from pathlib import Path

import pytest

from airfoil.stack.port_claims import PortClaims, shared_folder

pytestmark = pytest.mark.unit


def test_a_claim_excludes_others_until_it_is_given_back(tmp_path):
    ours, theirs = PortClaims(tmp_path / "c"), PortClaims(tmp_path / "c")
    assert ours.take(8080)
    assert ours.take(8080)
    assert not theirs.take(8080)
    assert theirs.take(8081)
    ours.give_back(8080)
    assert theirs.take(8080)
    ours.release()
    assert (tmp_path / "c").exists()
    theirs.release()
    assert not (tmp_path / "c").exists()


def test_giving_back_what_was_never_taken(tmp_path):
    claims = PortClaims(tmp_path / "c")
    claims.give_back(8080)
    assert claims.take(8080)


def test_the_file_of_a_killed_holder_claims_nothing(tmp_path):
    folder = tmp_path / "c"
    folder.mkdir(mode=0o700)
    (folder / "8080.lock").touch()
    assert PortClaims(folder).take(8080)


def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path):
    (tmp_path / "file").touch()
    assert PortClaims(tmp_path / "file" / "c").take(8080)
    assert PortClaims(tmp_path / "file").take(8080)


def test_links_and_open_folders_of_others_are_not_used(tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(victim)
    claims = PortClaims(tmp_path / "link")
    assert claims.take(8080)
    claims.release()
    assert victim.stat().st_mode & 0o777 == 0o755
    assert list(victim.iterdir()) == []
    victim.chmod(0o777)
    assert PortClaims(victim).take(8080)
    assert list(victim.iterdir()) == []


def test_a_link_in_place_of_a_lock_is_not_followed(tmp_path):
    folder = tmp_path / "c"
    folder.mkdir(mode=0o700)
    (folder / "8080.lock").symlink_to(tmp_path / "victim")
    assert PortClaims(folder).take(8080)
    assert not (tmp_path / "victim").exists()


def test_every_user_has_a_folder_of_his_own(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert shared_folder().name == "airfoil-ports-4711"
    assert isinstance(shared_folder(), Path)
