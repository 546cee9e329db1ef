"""The units that `airfoil deploy systemd` writes, before systemd's own eyes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from airfoil.settings import load
from airfoil.stack.deploy import units
from airfoil.stack.project import Project

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"),
]
# What `systemd-analyze security` calls it: 0 is a unit that can do nothing, 100 one that can do everything.
MOST_EXPOSURE = 30
DOCKER_UNIT = "[Unit]\nDescription=Docker\n[Service]\nExecStart=/bin/true\n"


@pytest.fixture
def written(tmp_path):
    """Both units of a project whose path needs quotes, and a docker.service for them to find."""
    project = Project(tmp_path / "a shop of 100%")
    project.root.mkdir()
    project.toml.write_text('[project]\nname = "shop"\n', encoding="utf-8")
    settings = load(project.root, {})
    owner = units.Owner.of(project.root)
    texts = {
        units.EMBEDDED: units.embedded(project, settings, owner, None),
        units.COMPOSE: units.compose(settings, project.root, owner, "/bin/true"),
    }
    folder = tmp_path / "units"
    folder.mkdir()
    (folder / "docker.service").write_text(DOCKER_UNIT, encoding="utf-8")
    for stack, text in texts.items():
        (folder / units.name_of(settings, stack)).write_text(text, encoding="utf-8")
    return folder


def analyze(folder, *arguments):
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:", "SYSTEMD_LOG_LEVEL": "warning"}
    said = subprocess.run(
        ["systemd-analyze", *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return said.returncode, said.stdout + said.stderr


@pytest.mark.parametrize("name", ["airfoil-shop.service", "airfoil-shop-compose.service"])
def test_systemd_reads_every_line(written, name):
    code, said = analyze(written, "verify", "--man=no", f"./{name}")
    assert [line for line in said.splitlines() if name in line] == []
    assert code == 0, said


def test_systemd_would_have_found_a_fault(written):
    path = written / "airfoil-shop.service"
    path.write_text(
        path.read_text().replace("ProtectSystem=strict", "ProtectSystem=mostly"), encoding="utf-8"
    )
    assert "Failed to parse" in analyze(written, "verify", "--man=no", f"./{path.name}")[1]


@pytest.mark.parametrize("name", ["airfoil-shop.service", "airfoil-shop-compose.service"])
def test_a_unit_can_do_little_beyond_its_work(written, name):
    code, said = analyze(
        written, "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSURE}", f"./{name}"
    )
    found = re.search(r"Overall exposure level for \S+: (\S+)", said)
    assert found, f"this systemd has no offline check: {said[-300:]}"
    assert code == 0, found[0]
