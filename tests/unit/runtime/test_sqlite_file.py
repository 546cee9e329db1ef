"""SQLite databases as files: nothing that was committed may be lost on the way."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from tests.sqlite_faults import make_half_written

from airfoil.runtime import sqlite_file

pytestmark = pytest.mark.unit


def make(path, value):
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("pragma journal_mode = wal")
        made.execute("create table notes (text)")
        made.execute("insert into notes values (?)", (value,))


def read(path):
    with closing(sqlite3.connect(path)) as database:
        return [text for (text,) in database.execute("select text from notes")]


WRITE_AND_DIE = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("insert into notes values ('in the log')")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def crashed(tmp_path):
    """A database whose last word waits in the write-ahead log, because its writer was killed."""
    path = tmp_path / "a b%41 ü.db"
    make(path, "old")
    done = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0
    return path


def test_a_copy_holds_what_waits_in_the_log(crashed, tmp_path):
    sqlite_file.copy(crashed, tmp_path / "copy.db")
    assert read(tmp_path / "copy.db") == ["old", "in the log"]


def test_a_replacement_that_is_cut_off_loses_nothing(crashed, tmp_path, monkeypatch):
    """Killed after the old log went and before the new file came, the old database must hold all."""
    fresh = tmp_path / "fresh.db"
    make(fresh, "new")
    monkeypatch.setattr(type(fresh), "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        sqlite_file.put_in_place(fresh, crashed)
    assert read(crashed) == ["old", "in the log"]


def test_the_old_log_is_not_played_into_the_new_file(crashed, tmp_path):
    fresh = tmp_path / "fresh.db"
    make(fresh, "new")
    sqlite_file.put_in_place(fresh, crashed)
    assert read(crashed) == ["new"]
    assert crashed.stat().st_mode & 0o777 == 0o600
    assert not fresh.exists()


def test_the_revision_of_a_file(tmp_path):
    path = tmp_path / "x.db"
    make(path, "old")
    assert sqlite_file.revision_of(path) == (None, True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table alembic_version (version_num text)")
    assert sqlite_file.revision_of(path) == (None, True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("insert into alembic_version values ('abc')")
    assert sqlite_file.revision_of(path) == ("abc", True)


BUILD_AND_WAIT = """
import pathlib, sqlite3, sys, time
from tests.sqlite_faults import make_half_written

from airfoil.runtime import sqlite_file
with sqlite_file.aside(pathlib.Path(sys.argv[1])) as fresh:
    sqlite3.connect(fresh).execute("pragma journal_mode = wal").execute("create table half (text)")
    print("building", flush=True)
    time.sleep(60)
"""


def test_one_that_is_asked_to_end_while_it_builds_leaves_nothing(tmp_path):
    """`down` during the first start: what was begun is not left lying about."""
    path = tmp_path / "live.db"
    make(path, "old")
    builder = subprocess.Popen([sys.executable, "-c", BUILD_AND_WAIT, str(path)], stdout=subprocess.PIPE)
    with builder:
        assert builder.stdout.readline() == b"building\n"
        builder.terminate()
        assert builder.wait(60) == -signal.SIGTERM, "it ends as it would have without us"
    assert [one.name for one in tmp_path.iterdir()] == ["live.db"]
    assert read(path) == ["old"]


def test_what_fails_leaves_the_live_one_and_what_is_whole_takes_its_place(tmp_path):
    path = tmp_path / "live.db"
    make(path, "old")
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit), sqlite_file.aside(path) as fresh:
        make(fresh, "half")
        raise SystemExit(1)
    assert read(path) == ["old"]
    with sqlite_file.aside(path) as fresh:
        assert not fresh.exists()
        make(fresh, "new")
    assert read(path) == ["new"]
    with sqlite_file.aside(path) as fresh:
        make(fresh, "the same")
        sqlite_file.remove(fresh)
    assert read(path) == ["new"]
    assert [one.name for one in tmp_path.iterdir()] == ["live.db"]
    assert signal.getsignal(signal.SIGTERM) is handler


def test_half_a_transaction_of_a_killed_writer_is_taken_back(tmp_path):
    """A killed MLflow leaves this: it has no write-ahead log."""
    path = tmp_path / "mlflow ü.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("create table alembic_version (version_num text)")
        made.execute("insert into alembic_version values ('a1')")
    make_half_written(path)
    assert sqlite_file.revision_of(path) == ("a1", False)
    assert not path.with_name(f"{path.name}-journal").exists()
