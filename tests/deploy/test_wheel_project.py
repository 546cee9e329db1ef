"""A project of somebody who has Airfoil's wheel and no checkout: `airfoil init`, `airfoil deploy compose`, its images.

FULL alone: the images are built a second time. Libraries are this checkout's; Airfoil itself is what the wheel holds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from tests.deploy import compose_server, engine, stand_ins
from tests.sizes import full_only

pytestmark = [pytest.mark.deploy, pytest.mark.alone, pytest.mark.timeout(1800), full_only]

ROOT = Path(__file__).parents[2]
LOOK = """
import importlib.metadata, json, os, sys
import airfoil, shop
print(json.dumps({
    "airfoil": airfoil.__file__, "version": importlib.metadata.version("airfoil"), "shop": shop.__file__,
    "dags": sorted(os.listdir("/opt/airfoil/project/dags")), "user": [os.getuid(), os.getgid()],
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    engine.run(uv, "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT))
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def shop(wheel, tmp_path_factory):
    """A fresh project in which the wheel's commands were typed."""
    unpacked = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFOIL_")}
    environment = kept | {"PYTHONPATH": str(unpacked)}
    place = tmp_path_factory.mktemp("elsewhere")

    def airfoil(*words, cwd):
        argv = [sys.executable, "-m", "airfoil", *words]
        done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

    airfoil("init", "shop", cwd=place)
    airfoil("deploy", "compose", cwd=place / "shop")
    return place / "shop"


@pytest.fixture(scope="module")
def folder(shop, wheel, docker_engine):
    """The server's folder, with the wheel beside the Dockerfile, as one does before Airfoil is on an index."""
    found = shop / "deploy" / "compose"
    (found / "wheels").mkdir()
    shutil.copy(wheel, found / "wheels")
    images = {
        f"{image.upper()}_IMAGE": f"airfoil/{image}:{compose_server.IMAGES_TAG}-wheel"
        for image in compose_server.IMAGES
    }
    compose_server.set_variables(found, images)
    services = yaml.safe_load((found / "compose.override.yaml").read_text(encoding="utf-8"))["services"]
    built = [name for name, service in services.items() if "build" in service]
    more = {"services": {name: {"build": {"network": "host"}} for name in built}}
    (found / compose_server.TEST_FILE).write_text(yaml.safe_dump(more), encoding="utf-8")
    return found


def test_the_files_are_the_wheel_s_and_compose_finds_them_right(folder):
    assert (folder / "constraints.txt").is_file(), "no checkout is there to take it from"
    assert (folder / ".env").stat().st_mode & 0o077 == 0
    compose = compose_server.attached(folder).compose
    assert compose("config", "--quiet") == ""


def test_its_images_hold_the_wheel_and_the_project(folder):
    server = compose_server.attached(folder)
    stand_ins.build(compose_server.PRESENT_PYTHON)
    server.compose("build")
    image = server.variables["AIRFLOW_IMAGE"]
    said = json.loads(engine.docker("run", "--rm", "--network", "none", image, "python", "-c", LOOK))
    assert said["airfoil"].startswith("/opt/airfoil/venv/lib/")
    assert said["version"] == server.variables["AIRFOIL_TAG"]
    assert said["shop"] == "/opt/airfoil/project/src/shop/__init__.py"
    assert "ml_pipeline.py" in said["dags"]
    assert said["user"] == [int(server.variables["AIRFLOW_UID"]), 0]
    for name in ("mlflow", "features", "status"):
        other = server.variables[f"{name.upper()}_IMAGE"]
        code = "import airfoil; print(airfoil.__version__)"
        shown = engine.docker("run", "--rm", "--network", "none", other, "python", "-c", code)
        assert shown == said["version"]
