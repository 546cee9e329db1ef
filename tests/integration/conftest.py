"""The servers that integration tests share: started when the first test asks, ended with the last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.integration.airflow_home import AirflowHome
from tests.integration.servers import ObjectStore, Postgres, run_object_store, run_postgres


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
