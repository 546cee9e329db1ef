"""Packages on a running platform: seen by the next task, after a replacement by the next `up`, and kept apart."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tests.integration.wheels import PackageIndex
from tests.sizes import full_only

from airfoil.stack.packages.uv import Uv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.system.platforms import Platform

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

DAG = """
import json
from airflow.sdk import dag, task
from airfoil import profile

@dag(dag_id="parcels", schedule=None)
def parcels():
    @task
    def beside():
        import zz_parcel
        return zz_parcel.VERSION

    @task.external_python(**profile("apart"))
    def apart():
        import sys, pydantic, zz_relic
        from zz_shop.features import VALUE
        return [zz_relic.VERSION, pydantic.VERSION, VALUE]

    @task
    def note(*seen):
        with open({result!r}, "a") as file:
            file.write(json.dumps(seen) + "\\n")

    note(beside(), apart())

parcels()
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PackageIndex]:
    """Give a package that fits, one that does not, and take what was installed away in the end."""
    found = PackageIndex(tmp_path / "index")
    found.offer("zz-parcel", "1.0")
    found.offer("zz-relic", "0.3", requires=["pydantic<2"])
    found.offer("pydantic", "1.10")
    try:
        with found.served():
            yield found
    finally:
        program = Uv.find(tmp_path).program
        subprocess.run(
            [program, "pip", "uninstall", "-q", "--python", sys.executable, "zz-parcel"], check=True
        )


def ran(platform: Platform) -> list[object]:
    """Run the DAG; what its tasks saw."""
    done = platform.run("run", "parcels")
    assert done.code == 0, done.said
    return json.loads((platform.root / "seen.jsonl").read_text().splitlines()[-1])


def added(platform: Platform, *arguments: str) -> str:
    done = platform.run("add", *arguments)
    assert done.code == 0, done.said
    print(f"add {' '.join(arguments)}: {done.seconds:.1f} s")
    return done.out


@full_only
def test_packages_reach_a_running_platform(new_platform, index):
    platform = new_platform
    platform.environment.update(index.environment())
    text = platform.project.toml.read_text()
    platform.project.toml.write_text(f'{text}\n[profiles.apart]\nenvironment = "relics"\n')
    (platform.root / "src" / "zz_shop").mkdir(parents=True)
    (platform.root / "src" / "zz_shop" / "features.py").write_text("VALUE = 'ours'\n")
    (platform.project.dags / "parcels.py").write_text(DAG.format(result=str(platform.root / "seen.jsonl")))
    platform.up()
    pids = platform.pids()

    assert added(platform, "zz-parcel") == "Added zz-parcel 1.0.\n"
    added(platform, "--environment", "relics", "zz-relic")
    assert ran(platform) == ["1.0", ["0.3", "1.10", "ours"]]
    assert platform.pids() == pids, "what is new needs no restart"

    nothing = [platform.run("up").seconds for _ in range(3)]
    assert platform.pids() == pids
    plain = min(nothing)
    for lock in (platform.project.lock_file(), platform.project.lock_file("relics")):
        lock.rename(lock.with_suffix(".away"))
    without = min(platform.run("up").seconds for _ in range(3))
    for lock in (platform.project.lock_file(), platform.project.lock_file("relics")):
        lock.with_suffix(".away").rename(lock)
    print(f"`up` with nothing to do: {plain:.2f} s, without locks {without:.2f} s")
    assert plain - without < 0.5, "what is in line costs a look"

    index.offer("zz-parcel", "2.0")
    said = added(platform, "zz-parcel>=2")
    assert said.endswith("The running platform has the old packages loaded; `airfoil up` starts it anew.\n")
    platform.up()
    assert not set(platform.pids().values()) & set(pids.values())
    assert ran(platform)[0] == "2.0"

    added(platform, "--remove", "zz-parcel")
    began = time.monotonic()
    failed = platform.run("run", "parcels")
    assert failed.code == 1, failed.said
    assert "No module named 'zz_parcel'" in failed.said
    print(f"the missing package was told after {time.monotonic() - began:.1f} s")
