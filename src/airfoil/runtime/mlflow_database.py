"""MLflow's database before the server opens it: provably usable, built complete, brought to this release's schema.

Kill-safe like `setup`: a SQLite database is built or upgraded under a temporary name and moved into place when it is
whole. Run as a program it does this and then becomes MLflow's own, plain command. Ends with code 78 (75 when trying
again may help) and one line that starts with "airfoil:" when a person has to decide.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from airfoil.errors import redact
from airfoil.runtime import sqlite_file
from airfoil.runtime.applied import Applied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EXIT_CONFIGURATION = 78
EXIT_UNAVAILABLE = 75
_SQLITE = "sqlite:///"
_CONNECT_TIMEOUT_SECONDS = 10
_REPLACE = "Move it away and run `airfoil up` again, or restore a backup in its place."


def make_ready(url: str, applied_file: Path) -> None:
    """Prove, build or upgrade the database; one that is as it was left costs next to nothing."""
    revision = prove(url)
    applied = Applied(applied_file)
    if applied.get("database") == {"release": _release(), "revision": revision} and revision is not None:
        return
    if revision is None:
        build(url)
    else:
        upgrade(url, revision)
    if reached := prove(url):
        applied.remember("database", {"release": _release(), "revision": reached})


def prove(url: str) -> str | None:
    """Return the schema revision, None where nothing is yet; MLflow says what is wrong after 100 s, in 200 lines."""
    if url.startswith(_SQLITE):
        path = _file(url)
        return _prove_file(path) if path.exists() and path.stat().st_size else None
    return _prove_server(url)


def _prove_file(path: Path) -> str | None:
    import sqlite3

    try:
        revision, filled = sqlite_file.revision_of(path)
    except sqlite3.OperationalError as error:
        _give_up(f"{path} cannot be used: {error}.", EXIT_UNAVAILABLE)
    except sqlite3.DatabaseError as error:
        _give_up(f"{path} is not a usable SQLite database ({error}). {_REPLACE}")
    if revision is None and filled:
        _give_up(f"{path} is half-migrated: it has tables but no schema version. {_REPLACE}")
    return revision


def _prove_server(url: str) -> str | None:
    import sqlalchemy as sql
    from sqlalchemy.exc import SQLAlchemyError

    shown = redact(url)
    try:
        engine = sql.create_engine(
            url, poolclass=sql.NullPool, connect_args={"connect_timeout": _CONNECT_TIMEOUT_SECONDS}
        )
        tables = set(sql.inspect(engine).get_table_names())
        if "alembic_version" not in tables:
            if tables:
                _give_up(f"{shown} is half-migrated: it has tables but no schema version. {_REPLACE}")
            return None
        with engine.connect() as connection:
            return str(connection.execute(sql.text("select version_num from alembic_version")).scalar())
    except ModuleNotFoundError as error:
        _give_up(
            f"{shown} needs the module {error.name}; install it with `uv pip install 'airfoil[postgres]'`."
        )
    except (SQLAlchemyError, OSError) as error:
        reason = redact(str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip("."))
        _give_up(f"MLflow's database {shown} cannot be used: {reason}.", EXIT_UNAVAILABLE)


def build(url: str) -> None:
    """Build a new SQLite database aside; a first start that is killed leaves only what the next one removes.

    On a server MLflow builds its tables itself, in one transaction.
    """
    if not url.startswith(_SQLITE):
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path = _file(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _whole_or_nothing(path, "built") as fresh:
        store = SqlAlchemyStore(f"{_SQLITE}{fresh}", "mlflow-artifacts:/")
        store.engine.dispose()


def upgrade(url: str, revision: str) -> None:
    """Bring the schema to this release's; a newer one is refused. On a server it is one transaction."""
    heads = _heads_above(revision)
    if heads is None:
        _give_up(
            f"MLflow's database {redact(url.removeprefix(_SQLITE))} is at schema revision {revision}, which MLflow "
            f"{_release()} does not know: a newer MLflow has written it. Install that one."
        )
    if revision in heads:
        return
    print(f"upgrading MLflow's database from schema revision {revision}", file=sys.stderr, flush=True)
    if not url.startswith(_SQLITE):
        run_upgrade(url)
        return
    path = _file(url)
    with _whole_or_nothing(path, "upgraded") as fresh:
        sqlite_file.copy(path, fresh)
        run_upgrade(f"{_SQLITE}{fresh}")
        sqlite_file.fold(fresh)


@contextmanager
def _whole_or_nothing(path: Path, done: str) -> Iterator[Path]:
    try:
        with sqlite_file.aside(path) as fresh:
            yield fresh
    except sqlite_file.DiskFullError:
        _give_up(f"the disk is full, and {path} could not be {done}; free some space, nothing is lost.")


def run_upgrade(url: str) -> None:
    """`mlflow db upgrade`, in this process: an address with a password must not stand in an argument list."""
    from mlflow.db import commands

    commands.main(["upgrade", url], standalone_mode=False)


def _heads_above(revision: str) -> Sequence[str] | None:
    """Return the newest revisions of the installed MLflow, or None when it does not know this one."""
    from importlib.util import find_spec

    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    found = find_spec("mlflow")
    if found is None or not found.submodule_search_locations:
        return None
    scripts = ScriptDirectory(str(Path(found.submodule_search_locations[0], "store", "db_migrations")))
    try:
        scripts.get_revision(revision)
    except CommandError:
        return None
    return scripts.get_heads()


def _release() -> str:
    from importlib import metadata

    return metadata.version("mlflow")


def _file(url: str) -> Path:
    return Path(url.removeprefix(_SQLITE).partition("?")[0])


def _give_up(sentence: str, code: int = EXIT_CONFIGURATION) -> NoReturn:
    print(f"airfoil: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(code)


def main() -> None:
    """Entry point: `--applied FILE`, then what stands behind `mlflow`; the address is in MLflow's own variable."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.mlflow_database", description=__doc__)
    parser.add_argument("--applied", type=Path, required=True)
    given, plain = parser.parse_known_args()
    make_ready(os.environ["MLFLOW_BACKEND_STORE_URI"], given.applied)
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", *plain])  # noqa: S606 - our own Python, no shell


if __name__ == "__main__":
    main()
