"""Makes the tables of one tool in an empty database, or brings a copy of its database to this release.

`python -m airfoil.runtime.schema PART` with the address in AIRFOIL_SCHEMA_URL, for a restore into another kind of
database. Whatever it does is done by the tool itself. Must not touch rows.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "AIRFOIL_SCHEMA_URL"
_SQLITE = "sqlite:///"


def airflow(url: str) -> None:
    """`airflow db migrate`."""
    os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = url
    from airfoil.runtime import setup

    setup.use_database(url)
    setup.airflow("db", "migrate")


def mlflow(url: str) -> None:
    """Build what is empty, upgrade what is not."""
    from airfoil.runtime import mlflow_database

    revision = mlflow_database.prove(url)
    if revision is not None:
        mlflow_database.run_upgrade(url)
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(url, "mlflow-artifacts:/").engine.dispose()


def mlflow_auth(url: str) -> None:
    """MLflow's own migration of its logins."""
    import sqlalchemy
    from mlflow.server.auth.db.utils import migrate_if_needed

    engine = sqlalchemy.create_engine(url)
    migrate_if_needed(engine, "head")
    engine.dispose()


def feast_registry(url: str) -> None:
    """The tables of Feast's SQL registry, which have no versions."""
    import sqlalchemy
    from feast.infra.registry.sql import metadata

    engine = sqlalchemy.create_engine(url)
    metadata.create_all(engine)
    engine.dispose()


PARTS: dict[str, Callable[[str], None]] = {
    function.__name__: function for function in (airflow, mlflow, mlflow_auth, feast_registry)
}


def main() -> None:
    """Entry point: one part; the address never stands in an argument list."""
    PARTS[sys.argv[1]](os.environ[VARIABLE])


if __name__ == "__main__":
    main()
