"""Where shipped deployment files lie."""

from __future__ import annotations

import pytest

from airfoil.errors import InternalError
from airfoil.stack.deploy import shipped

pytestmark = pytest.mark.unit


def test_a_wheel_has_them_in_the_package(tmp_path):
    ours = tmp_path / "package/templates/deploy/systemd"
    theirs = tmp_path / "checkout/deploy/systemd"
    for folder in (ours, theirs):
        folder.mkdir(parents=True)
    assert shipped.folder("systemd", tmp_path / "package", tmp_path / "checkout") == ours


def test_a_checkout_has_them_at_its_root(tmp_path):
    theirs = tmp_path / "checkout/deploy/systemd"
    theirs.mkdir(parents=True)
    assert shipped.folder("systemd", tmp_path / "package", tmp_path / "checkout") == theirs


def test_this_installation_has_them():
    assert (shipped.folder("systemd") / "embedded.service").is_file()
    assert (shipped.folder() / "systemd").is_dir()


def test_one_that_is_missing_is_our_fault(tmp_path):
    with pytest.raises(InternalError, match="lacks its files for systemd"):
        shipped.folder("systemd", tmp_path, tmp_path)
