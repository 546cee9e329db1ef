"""Which uv is started, with what, and what becomes of its complaints: over a program that writes down what it gets."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from airfoil.errors import ConfigurationError, NeighbourError
from airfoil.stack.packages import constraints
from airfoil.stack.packages.uv import Uv

pytestmark = pytest.mark.unit

PROGRAM = """#!{python}
import json, os, sys
from pathlib import Path
given = sys.stdin.read()
note = {{"arguments": sys.argv[1:], "given": given, "cwd": os.getcwd(),
        "environment": {{name: os.environ.get(name) for name in ("UV_HTTP_RETRIES", "VIRTUAL_ENV", "UV_INDEX")}}}}
if "--output-file" in sys.argv:
    found = Path(sys.argv[sys.argv.index("--output-file") + 1])
    note["known"] = found.read_text()
    found.write_text("cowsay==6.1\\n")
Path({note!r}).write_text(json.dumps(note))
if {code}:
    sys.stderr.write("error: boom\\n")
sys.exit({code})
"""


@pytest.fixture
def program(tmp_path):
    def write(code: int = 0) -> Uv:
        path = tmp_path / "uv program"
        path.write_text(PROGRAM.format(python=sys.executable, note=str(tmp_path / "note.json"), code=code))
        path.chmod(0o755)
        return Uv(str(path), tmp_path)

    return write


@pytest.fixture
def note(tmp_path):
    return lambda: json.loads((tmp_path / "note.json").read_text())


def test_what_is_locked_beside_the_platform_is_bound_to_its_versions(program, note, tmp_path, monkeypatch):
    monkeypatch.setenv("UV_INDEX", "https://mine")
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere")

    text = program().lock(
        ["cowsay", "a>1"], oldest_python="3.12", beside_platform=True, known="cowsay==6.0\n"
    )

    said = note()
    assert text == "cowsay==6.1\n"
    assert said["arguments"][:6] == ["--quiet", "--color", "never", "pip", "compile", "-"]
    assert {"--universal", "--generate-hashes", "--no-annotate"} <= set(said["arguments"])
    assert said["arguments"][said["arguments"].index("--constraints") + 1] == str(constraints.PATH)
    assert said["arguments"][said["arguments"].index("--python-version") + 1] == "3.12"
    assert (said["given"], said["known"], said["cwd"]) == ("cowsay\na>1", "cowsay==6.0\n", str(tmp_path))
    assert said["environment"] == {"UV_HTTP_RETRIES": "1", "VIRTUAL_ENV": None, "UV_INDEX": "https://mine"}


def test_what_is_locked_apart_is_bound_to_nothing(program, note):
    program().lock(["cowsay"], oldest_python="3.11", beside_platform=False)
    assert "--constraints" not in note()["arguments"]


def test_an_installation_adds_nothing_of_its_own(program, note, tmp_path):
    program().install(tmp_path / "airfoil.lock", "/py")
    assert note()["arguments"][3:] == [
        *("pip", "install", "--python", "/py", "--no-deps", "--requirements", str(tmp_path / "airfoil.lock"))
    ]


def test_a_refusal_becomes_one_of_our_errors(program, tmp_path):
    with pytest.raises(NeighbourError, match="uv could not do it: boom"):
        program(code=2).uninstall(["a"], "/py")


def test_a_program_that_does_not_start_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be started"):
        Uv(str(tmp_path / "nothing"), tmp_path).uninstall(["a"], "/py")


def test_the_one_that_came_with_us_is_preferred(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/uv")
    assert Uv.find(tmp_path).program == "/usr/bin/uv"
    (tmp_path / "uv").touch()
    assert Uv.find(tmp_path).program == str(tmp_path / "uv")
    (tmp_path / "uv").unlink()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ConfigurationError, match="is not here"):
        Uv.find(tmp_path)
