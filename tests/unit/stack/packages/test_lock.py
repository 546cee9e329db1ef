"""Lock files: what they say, what they were made from, and what of them is installed."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata

import pytest

from airfoil.errors import ProjectError
from airfoil.stack.packages import constraints
from airfoil.stack.packages.lock import Installed, Lock, Row
from airfoil.stack.packages.manifest import Manifest

pytestmark = pytest.mark.unit

RESOLVED = """\
cowsay==6.1 \\
    --hash=sha256:274b
my-lib @ https://example.org/my_lib-1.0-py3-none-any.whl \\
    --hash=sha256:1111
numpy==2.4.6 ; python_full_version < '3.0' \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
numpy==2.5.5 ; python_full_version >= '3.0' \\
    --hash=sha256:cccc
Py_Thing==1.0+cpu
"""


@pytest.fixture
def manifest(tmp_path):
    return Manifest(tmp_path / "pyproject.toml", '[project]\nname = "x"\ndependencies = ["b>1", "a"]\n')


def test_every_row_is_read():
    rows = Lock(RESOLVED).rows()

    assert [(row.name, row.version) for row in rows] == [
        ("cowsay", "6.1"),
        ("my-lib", ""),
        ("numpy", "2.4.6"),
        ("numpy", "2.5.5"),
        ("py-thing", "1.0+cpu"),
    ]
    assert rows[1].url == "https://example.org/my_lib-1.0-py3-none-any.whl"
    assert [row.is_for_us for row in rows] == [True, True, False, True, True]
    assert str(rows[0]) == "cowsay 6.1"
    assert Lock(RESOLVED).versions()["numpy"] == "2.4.6"


def test_preferences_are_versions_alone():
    assert Lock(RESOLVED).preferences().splitlines() == [
        "cowsay==6.1",
        "numpy==2.4.6 ; python_full_version < '3.0'",
        "numpy==2.5.5 ; python_full_version >= '3.0'",
        "py-thing==1.0+cpu",
    ]
    assert Lock("{}\n;;\n==\n").preferences() == ""


def test_a_lock_knows_what_it_was_made_from(manifest, monkeypatch):
    lock = Lock.of(RESOLVED, manifest, None)

    assert lock.fits(manifest, None)
    assert lock.fits(replace(manifest, text=manifest.text.replace('"b>1", "a"', "'a',\n 'b > 1'")), None)
    assert not lock.fits(replace(manifest, text=manifest.text.replace("b>1", "b>2")), None)
    assert not lock.fits(replace(manifest, text=manifest.text + 'requires-python = ">=3.13"\n'), None)
    assert not lock.fits(manifest, "old")
    assert not Lock(RESOLVED).fits(manifest, None)
    monkeypatch.setattr(constraints, "text", lambda: "numpy==3\n")
    assert not lock.fits(manifest, None), "another release of Airfoil has other tested versions"


def test_an_environment_does_not_depend_on_the_platforms_versions(manifest, monkeypatch):
    apart = replace(manifest, text=manifest.text + '[tool.airfoil.environments]\nold = ["c"]\n')
    lock = Lock.of("c==1\n", apart, "old")
    monkeypatch.setattr(constraints, "text", lambda: "numpy==3\n")
    assert lock.fits(apart, "old")


def test_there_may_be_none_and_a_broken_one_is_named(tmp_path):
    path = tmp_path / "airfoil.lock"
    assert Lock.read(path) is None
    path.write_text("<<<<<<< HEAD\n")
    with pytest.raises(ProjectError, match="unfinished merge"):
        Lock.read(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ProjectError, match="not UTF-8"):
        Lock.read(path)


def test_what_is_installed_is_told_without_opening_anything(tmp_path):
    for name in ("cowsay-6.1.dist-info", "Py_Thing-1.0+cpu.dist-info", "other-1.0.egg-info"):
        (tmp_path / name).mkdir()

    installed = Installed([str(tmp_path), str(tmp_path / "nowhere")])

    assert installed(Row("cowsay", "6.1", "", ""))
    assert installed(Row("py-thing", "1.0+cpu", "", ""))
    assert not installed(Row("cowsay", "6.2", "", ""))
    assert not installed(Row("zz-nothing", "1", "", ""))


def test_what_this_python_has_is_found():
    assert Installed()(Row("pytest", metadata.version("pytest"), "", ""))
    missing = Lock(
        f"pytest=={metadata.version('pytest')}\nzz-nothing==1\nzz-else==1 ; sys_platform == 'zz'\n"
    ).missing(Installed())
    assert [row.name for row in missing] == ["zz-nothing"]


def test_a_package_from_an_address_is_told_by_its_address():
    assert not Installed()(Row("pytest", "", "https://example.org/pytest.whl", ""))
