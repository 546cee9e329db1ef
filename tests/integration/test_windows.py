"""Native Windows, faked: no fcntl, no pwd, no os.geteuid. Every command must say what to do, in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from airfoil.cli.app import SECTIONS

pytestmark = pytest.mark.integration

FAKE = """
import os, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {"fcntl", "pwd", "grp", "termios", "resource", "psutil"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in ("fcntl", "pwd", "grp", "termios", "resource"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
sys.platform = "win32"
for name in ("geteuid", "getuid", "fork", "setsid", "getsid", "O_CLOEXEC"):
    if hasattr(os, name):
        delattr(os, name)
"""
WAYS = {
    "the command": "from airfoil.cli import main; sys.argv = ['airfoil', *ARGUMENTS]; main()",
    "the module": "sys.argv = ['airfoil', *ARGUMENTS]; import runpy; runpy.run_module('airfoil', run_name='__main__')",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "command", [name for names in SECTIONS.values() for name in names] + ["--version", ""]
)
def test_every_command_names_wsl2_in_one_sentence(tmp_path, command, way):
    code = f"{FAKE}\nARGUMENTS = {command.split()!r}\n{WAYS[way]}"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert "WSL2" in done.stderr
    assert list(tmp_path.iterdir()) == []
