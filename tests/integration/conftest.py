"""The servers that integration tests share: started when the first test asks, ended with the last."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.airflow_home import AirflowHome
from tests.integration.provider_only import build_wheel, versions_in
from tests.integration.servers import ObjectStore, Postgres, run_object_store, run_postgres
from tests.integration.shops import Shop, make_python
from tests.integration.wheels import PackageIndex


@pytest.fixture(scope="module", autouse=True)
def _leftovers_collected(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where a file allows the warnings of libraries, what they leave open goes before the next file begins."""
    yield
    if any(mark.args[0] in {"default", "ignore"} for mark in request.node.iter_markers("filterwarnings")):
        gc.collect()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of our own."""
    yield from run_postgres()


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """An S3 store of our own."""
    yield from run_object_store()


@pytest.fixture(scope="session")
def migrated_airflow(tmp_path_factory: pytest.TempPathFactory) -> AirflowHome:
    """A set-up Airflow on SQLite; tests that change it take a copy."""
    home = AirflowHome(tmp_path_factory.mktemp("airflow") / "home")
    home.run_well()
    return home


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def tested(wheel: Path) -> Path:
    """The file of tested versions, as it is in the wheel."""
    return versions_in(wheel)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PackageIndex]:
    """Packages: `parcel` in two versions, `van` that carries the older one, `relic` that needs an old pydantic."""
    found = PackageIndex(tmp_path / "index")
    found.offer("zz-parcel", "1.0")
    found.offer("zz-van", "1.5", requires=["zz-parcel<2"])
    found.offer("zz-relic", "0.3", requires=["pydantic<2"])
    found.offer("zz-museum", "1.0", requires=["zz-relic"])
    found.offer("zz-plugin", "1.0", entry_points="[airflow.plugins]\nzz = zz_plugin:Nothing\n")
    with found.served():
        yield found


@pytest.fixture
def shop(tmp_path: Path, index: PackageIndex) -> Shop:
    root = tmp_path / "größe 1"
    root.mkdir()
    (root / "airfoil.toml").write_text('[project]\nname = "shop"\n')
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = Shop(root, make_python(tmp_path / "venv"), {"PATH": path, **index.environment()})
    found.name()
    return found
