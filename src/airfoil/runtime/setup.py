"""Gets Airflow's database ready, once per version, and puts connections, variables and pools into it.

Kill-safe: a SQLite database is built or upgraded under a temporary name and moved into place when complete, so no
half-migrated file can arise here. Idempotent: what was applied is remembered beside the database, and a second run
that finds everything as remembered touches nothing. Ends with code 78 and one line that starts with "airfoil:" when
a person has to decide.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from airfoil.runtime import sqlite_file
from airfoil.runtime.applied import Applied

if TYPE_CHECKING:
    from collections.abc import Mapping

EXIT_CONFIGURATION = 78
_SQLITE = "sqlite:///"


def airflow(*arguments: str) -> None:
    """Run an `airflow` command in this process."""
    from airflow.__main__ import main as airflow_main

    before, sys.argv = sys.argv, ["airflow", *arguments]
    try:
        airflow_main()
    except SystemExit as end:
        if end.code not in (None, 0):
            _give_up(f"`airflow {' '.join(arguments[:2])}` failed ({end.code}); see the lines above.")
    finally:
        sys.argv = before


def use_database(url: str) -> None:
    """Point Airflow's ORM at this database."""
    from airflow import settings

    os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = url
    settings.dispose_orm(do_log=False)
    settings.configure_vars()
    settings.configure_orm()


def migrate_sqlite(url: str, path: Path, applied: Applied, release: str) -> None:
    """Bring a SQLite database to this release's schema, leaving the old file untouched until the new one is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    revision = _revision_or_refusal(path)
    if revision is None:
        applied.forget()
    elif applied.get("database") == {"release": release, "revision": revision}:
        return
    if revision is not None:
        refuse_unknown(revision, str(path), release)
    try:
        with sqlite_file.aside(path) as fresh:
            reached = _build(url, path, fresh, revision)
            if reached is None:
                _give_up("the migration ended without a schema version; see the lines above.")
            if reached == revision:  # nothing to change: the live file stays
                sqlite_file.remove(fresh)
    except sqlite_file.DiskFullError:
        _give_up(f"the disk is full, and {path} could not be built; free some space, nothing is lost.")
    applied.remember("database", {"release": release, "revision": reached})


def _revision_or_refusal(path: Path) -> str | None:
    """The revision of the live file, None when there is nothing in it; what only a person can mend ends the process."""
    if not path.exists() or not path.stat().st_size:
        return None
    try:
        revision, filled = sqlite_file.revision_of(path)
    except sqlite3.DatabaseError as error:
        _give_up(
            f"{path} is not a usable SQLite database ({error}). Move it away, then run `airfoil up` again."
        )
    if revision is None and filled:
        _give_up(
            f"{path} is half-migrated: it has tables but no schema version. "
            f"Move it away and run `airfoil up` again, or restore a backup in its place."
        )
    return revision


def _build(url: str, path: Path, fresh: Path, revision: str | None) -> str | None:
    """Migrate a copy of the database (or build a new one) in `fresh`; the revision it reached."""
    if revision is not None:
        sqlite_file.copy(path, fresh)
    use_database(f"{_SQLITE}{fresh}")
    airflow("db", "migrate")
    use_database(url)
    sqlite_file.fold(fresh)
    reached, _ = sqlite_file.revision_of(fresh)
    return reached


def refuse_unknown(revision: str, place: str, release: str) -> None:
    """A revision that this Airflow does not know was written by a newer one: end before anything is touched."""
    from airflow import migrations
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        ScriptDirectory(str(Path(next(iter(migrations.__path__))))).get_revision(revision)
    except CommandError:
        _give_up(
            f"{place} is at schema revision {revision}, which Airflow {release} does not know: "
            f"a newer Airflow has written it. Install that one, or restore a snapshot from .airfoil/snapshots."
        )


def migrate_server(applied: Applied, release: str) -> None:
    """Bring a database on a server to this release's schema; Airflow locks it against a second migration."""
    from airflow import settings
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    engine = settings.engine
    if engine is None:
        _give_up("Airflow has no database engine; see the lines above.")

    def revision() -> str | None:
        with engine.connect() as connection:
            return connection.execute(text("select version_num from alembic_version")).scalar()

    try:
        engine.connect().close()
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip(".")
        _give_up(f"Airflow's database {engine.url.render_as_string()} cannot be used: {reason}.")
    found = None
    try:
        found = revision()
    except SQLAlchemyError:
        print("the database is new; migrating", file=sys.stderr)
        applied.forget()
    if found and applied.get("database") == {"release": release, "revision": found}:
        return
    if found:
        refuse_unknown(found, engine.url.render_as_string(), release)
    airflow("db", "migrate")
    applied.remember("database", {"release": release, "revision": revision()})


def fill(connections: Path, variables: Path, applied: Applied) -> None:
    """Put what follows from the settings into the database; remember what gave way to a person's change."""
    kept = fill_database(json.loads(connections.read_text()), json.loads(variables.read_text()))
    if applied.get("kept") != kept:
        applied.remember("kept", kept)


def fill_database(connections: Mapping[str, Any], variables: Mapping[str, str]) -> list[str]:
    """Put connections and variables into the database; return the names that gave way to a person's change."""
    from cryptography.fernet import InvalidToken

    from airfoil.runtime import managed_connections

    try:
        return managed_connections.apply(connections, variables)
    except InvalidToken:
        _give_up(
            "Airflow's database holds connections that another key has encrypted. Put back the secrets "
            "(.airfoil/secrets.json, or FERNET_KEY in a server's .env) that belong to it, or set another database."
        )


def import_pools(given: dict[str, Any], folder: Path, applied: Applied) -> None:
    """Import each pool that is not as it was when it was imported last.

    One by one, because a user may have changed another pool in the web interface since.
    """
    remembered = applied.get("pools")
    known = remembered if isinstance(remembered, dict) else {}
    changed = {name: pool for name, pool in given.items() if known.get(name) != pool}
    if changed:
        file = folder / "pools.json"
        file.write_text(json.dumps(changed), encoding="utf-8")
        airflow("pools", "import", str(file))
        file.unlink()
    if given != known:
        # A pool that is not asked for any more is forgotten and stays in Airflow: tasks may still name it.
        applied.remember("pools", given)


def _give_up(sentence: str) -> NoReturn:
    print(f"airfoil: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(EXIT_CONFIGURATION)


def main() -> None:
    """Entry point: three files and the pools as JSON; the rest is Airflow's own configuration."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.setup", description=__doc__)
    for name in ("applied", "connections", "variables"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--pools", type=json.loads, default={})
    given = parser.parse_args()
    from airflow import __version__ as release
    from airflow.configuration import conf

    url = conf.get("database", "sql_alchemy_conn")
    applied = Applied(given.applied)
    applied.belong_to(url)
    try:
        use_database(url)
    except ModuleNotFoundError as error:
        scheme = url.partition(":")[0]
        _give_up(
            f"{scheme} needs the module {error.name}; install it with `uv pip install 'airfoil[postgres]'`."
        )
    if url.startswith(_SQLITE):
        migrate_sqlite(url, Path(url.removeprefix(_SQLITE).partition("?")[0]), applied, release)
    else:
        migrate_server(applied, release)
    fill(given.connections, given.variables, applied)
    import_pools(given.pools, given.applied.parent, applied)


if __name__ == "__main__":
    main()
