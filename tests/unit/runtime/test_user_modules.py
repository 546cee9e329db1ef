"""Which modules are forgotten before a fork, with real files, real imports and real forks."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

from airfoil.runtime import user_modules

pytestmark = pytest.mark.unit


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A folder with a package, a package without an __init__, and a lonely module."""
    for path in ("zz_shop/__init__.py", "zz_shop/features.py", "zz_bare/part.py", "zz_alone.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("zz_")]:
        del sys.modules[name]


def test_what_lies_in_the_folder_is_forgotten_with_all_below_it(source):
    for name in ("zz_shop.features", "zz_bare.part", "zz_alone"):
        importlib.import_module(name)

    forgotten = user_modules.forget([str(source)])

    assert set(forgotten) == {"zz_shop", "zz_shop.features", "zz_bare", "zz_bare.part", "zz_alone"}
    assert not set(forgotten) & set(sys.modules)


def test_a_module_of_the_same_name_from_elsewhere_is_kept(source):
    (source / "json").mkdir()
    (source / "os.py").touch()
    kept = sys.modules["json"], sys.modules["os"]

    assert user_modules.forget([str(source)]) == []
    assert (sys.modules["json"], sys.modules["os"]) == kept


def test_a_folder_that_does_not_exist_holds_nothing(tmp_path):
    assert user_modules.forget([str(tmp_path / "nowhere")]) == []


def test_a_link_to_the_folder_is_the_folder(source, tmp_path_factory):
    link = tmp_path_factory.mktemp("links") / "src"
    link.symlink_to(source)
    importlib.import_module("zz_shop")

    assert user_modules.forget([os.path.realpath(link)]) == ["zz_shop"]


FORKS = """
import os, sys
from pathlib import Path
from airfoil.runtime.user_modules import forget_before_forks

source = Path(sys.argv[1])
sys.path.insert(0, str(source))
forget_before_forks(os.pathsep.join([str(source), ""]))
import zz_shop.features as held

(source / "zz_shop/features.py").write_text("VALUE = 'edited'\\n")

def in_a_fork(what):
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, what().encode())
        os._exit(0)
    os.waitpid(child, 0)
    return os.read(reader, 100).decode()

def seen():
    import zz_shop.features
    return str(zz_shop.features.VALUE)

def seen_below():
    import zz_shop.features
    Path(source, "zz_shop/features.py").write_text("VALUE = 'edited twice'\\n")
    return in_a_fork(seen)

print(held.VALUE, in_a_fork(seen), in_a_fork(seen_below), sep=", ")
"""


def test_a_child_sees_what_was_saved_last_and_so_does_a_child_of_it(source):
    said = subprocess.run(
        [sys.executable, "-c", FORKS, str(source)], capture_output=True, text=True, check=False
    )

    assert (said.stdout, said.stderr) == ("1, edited, edited twice\n", "")


def test_without_folders_forks_are_left_alone(monkeypatch):
    asked = []
    monkeypatch.setattr(os, "register_at_fork", lambda **given: asked.append(given))

    user_modules.forget_before_forks("")
    assert asked == []
    user_modules.forget_before_forks("/nowhere")
    assert len(asked) == 1
