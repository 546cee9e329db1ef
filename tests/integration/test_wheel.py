"""What people install: the wheel alone is the provider; with its tested versions the platform is what was tested."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.integration.provider_only import uv

from airfoil.stack.packages import constraints
from airfoil.stack.packages.uv import Uv

pytestmark = pytest.mark.integration


def test_the_platform_resolves_to_what_was_tested(wheel, tested, tmp_path):
    asked = tmp_path / "requirements.in"
    asked.write_text(f"airfoil[stack] @ {wheel.as_uri()}\n")

    said = uv(
        *("pip", "compile", str(asked), "--no-header", "--no-annotate", "--constraints", str(tested)),
        *("--python", sys.executable),
        folder=tmp_path,
    )

    found = [Requirement(line) for line in said.splitlines() if not line.startswith("airfoil")]
    pins = constraints.pins()
    assert len(found) > 150
    strays = [
        str(one)
        for one in found
        if str(one.specifier).removeprefix("==") not in pins.get(canonicalize_name(one.name), ())
    ]
    assert strays == []


def test_without_the_stack_the_wheel_is_the_provider_and_says_how_to_get_the_rest(wheel, tested, tmp_path):
    environment = tmp_path / "venv"
    Uv.find(tmp_path).make_environment(environment)
    python = str(environment / "bin" / "python")
    uv("pip", "install", "--python", python, "--constraints", str(tested), str(wheel), folder=tmp_path)

    def airfoil(*arguments: str, inside: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(environment / "bin" / "airfoil"), *arguments],
            cwd=inside,
            env={"PATH": os.defpath, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert airfoil("init", "shop").returncode == 0
    for command in (("up",), ("add", "cowsay")):
        done = airfoil(*command, inside=tmp_path / "shop")
        assert done.returncode == 1
        assert done.stderr == (
            "Error: The platform's libraries are not installed (mlflow).\n"
            "Install them: `pip install 'airfoil[stack]' -c \"$(airfoil version --constraints)\"`.\n"
        )
    place = airfoil("version", "--constraints").stdout.strip()
    assert Path(place).read_bytes() == tested.read_bytes()
