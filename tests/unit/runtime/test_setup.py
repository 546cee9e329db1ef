"""The care around a migration: what is refused, what is kept, what a kill leaves. Airflow's own part is a stand-in."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from airfoil.runtime import setup
from airfoil.runtime.applied import Applied
from airfoil.runtime.sqlite_file import revision_of

pytestmark = pytest.mark.unit

RELEASE = "3.3.2"
refuse_unknown = setup.refuse_unknown
NEWEST = "bbb222"


class World:
    """A SQLite database and an Airflow whose migration writes one table and its revision."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "Datenbank ü %41" / "airflow.db"
        self.path.parent.mkdir()
        self.applied_file = folder / "applied.json"
        self.url = f"sqlite:///{self.path}"
        self.used = self.url
        self.commands: list[str] = []
        self.fails: BaseException | None = None
        self.reaches: str | None = NEWEST

    @property
    def applied(self) -> Applied:
        return Applied(self.applied_file)

    def use(self, url: str) -> None:
        self.used = url

    def airflow(self, *arguments: str) -> None:
        self.commands.append(" ".join(arguments))
        if arguments != ("db", "migrate"):
            return
        target = Path(self.used.removeprefix("sqlite:///"))
        make(target, revision=None)
        if self.fails:
            raise self.fails
        if self.reaches:
            make(target, revision=self.reaches)

    def migrate(self) -> None:
        setup.migrate_sqlite(self.url, self.path, self.applied, RELEASE)

    def files(self) -> set[str]:
        """All but the two files that SQLite keeps beside a database that is merely read."""
        beside = {"airflow.db-wal", "airflow.db-shm"}
        return {path.name for path in self.path.parent.iterdir()} - beside

    def content(self) -> dict[str, tuple[int, int, bytes]]:
        paths = [self.path.with_name(name) for name in self.files()]
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def make(path: Path, *, revision: str | None, rows: int = 0) -> None:
    """Write a database as Airflow leaves it: tables, and a revision unless it is half-migrated."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("pragma journal_mode = wal")
        database.execute("create table if not exists dag (id integer)")
        database.executemany("insert into dag values (?)", [(number,) for number in range(rows)])
        if revision:
            database.execute("create table if not exists alembic_version (version_num text)")
            database.execute("delete from alembic_version")
            database.execute("insert into alembic_version values (?)", (revision,))


def rows_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("select count(*) from dag").fetchone()[0])


@pytest.fixture
def world(tmp_path, monkeypatch) -> Iterator[World]:
    made = World(tmp_path)
    monkeypatch.setattr(setup, "airflow", made.airflow)
    monkeypatch.setattr(setup, "use_database", made.use)
    monkeypatch.setattr(setup, "refuse_unknown", lambda *_: None)
    return made


def refused(world: World, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the sentence; nothing may have been touched."""
    before = world.content()
    with pytest.raises(SystemExit) as end:
        world.migrate()
    assert end.value.code == setup.EXIT_CONFIGURATION
    assert world.content() == before
    assert world.commands == []
    said = capsys.readouterr().err
    assert said.startswith("airfoil: ")
    assert said.count("\n") == 1
    return said


# -- a new database


@pytest.mark.parametrize("exists", [False, True])
def test_a_new_database_is_built_aside_and_moved_into_place(world, exists):
    if exists:
        world.path.touch()
    world.migrate()
    assert world.files() == {"airflow.db"}
    assert revision_of(world.path) == (NEWEST, True)
    assert world.path.stat().st_mode & 0o777 == 0o600
    assert world.used == world.url, "Airflow is pointed back at the real one"
    assert world.applied.get("database") == {"release": RELEASE, "revision": NEWEST}


def test_what_a_killed_build_left_is_removed_first(world):
    for suffix in ("", "-wal", "-shm", "-journal"):
        world.path.with_name(f"airflow.db.new{suffix}").write_bytes(b"half")
    world.migrate()
    assert world.files() == {"airflow.db"}
    assert revision_of(world.path)[0] == NEWEST


def test_a_new_database_has_been_given_nothing_yet(world):
    world.applied.remember("connections", "digest")
    world.migrate()
    assert world.applied.get("connections") is None


@pytest.mark.parametrize("failure", [RuntimeError("no"), SystemExit(1), KeyboardInterrupt()])
def test_a_build_that_fails_leaves_nothing_and_the_next_one_works(world, failure):
    world.fails = failure
    with pytest.raises(type(failure)):
        world.migrate()
    assert world.files() == set()
    world.fails = None
    world.migrate()
    assert world.files() == {"airflow.db"}


def test_a_full_disk_is_said_in_one_sentence(world, monkeypatch, capsys):
    world.fails = sqlite3.OperationalError("database or disk is full")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=100))
    with pytest.raises(SystemExit):
        world.migrate()
    assert "the disk is full" in capsys.readouterr().err


def test_a_migration_that_reaches_no_revision_is_not_moved_into_place(world, capsys):
    world.reaches = None
    with pytest.raises(SystemExit):
        world.migrate()
    assert not world.path.exists()
    assert "ended without a schema version" in capsys.readouterr().err


# -- a database that is there


def test_a_second_run_touches_nothing(world):
    world.migrate()
    before = world.content(), world.applied_file.stat().st_mtime_ns
    world.commands.clear()
    world.migrate()
    assert world.commands == []
    assert (world.content(), world.applied_file.stat().st_mtime_ns) == before


def test_a_new_release_with_the_same_schema_leaves_the_live_file_alone(world):
    make(world.path, revision=NEWEST, rows=3)
    before = world.content()
    world.applied.remember("database", {"release": "3.3.1", "revision": NEWEST})
    world.applied.remember("connections", "digest")
    world.migrate()
    assert world.content() == before
    assert world.applied.get("database") == {"release": RELEASE, "revision": NEWEST}
    assert world.applied.get("connections") == "digest"


def test_an_older_schema_is_migrated_on_a_copy(world):
    make(world.path, revision="aaa111", rows=1000)
    world.migrate()
    assert revision_of(world.path)[0] == NEWEST
    assert rows_of(world.path) == 1000
    assert world.files() == {"airflow.db"}, "the copy from before is a snapshot, which `up` makes"


def test_a_schema_of_a_newer_airflow_is_refused(world, capsys, monkeypatch):
    make(world.path, revision="ccc333", rows=3)
    monkeypatch.setattr(
        setup, "refuse_unknown", refuse_unknown
    )  # the real one, with the real Airflow's revisions
    said = refused(world, capsys)
    assert "is at schema revision ccc333, which Airflow 3.3.2 does not know" in said


def test_a_schema_of_this_airflow_is_not(capsys):
    """The first revision that Airflow still knows: of 2.6.2."""
    refuse_unknown("4bc4d934e2bc", "here", RELEASE)
    assert "airfoil:" not in capsys.readouterr().err


def test_rows_that_are_still_in_the_write_ahead_log_come_along(world):
    with closing(sqlite3.connect(world.path)) as writer:
        make(world.path, revision="aaa111")
        writer.execute("insert into dag values (1)")
        writer.commit()
        assert world.path.with_name("airflow.db-wal").stat().st_size
        world.migrate()
    assert rows_of(world.path) == 1


def test_a_migration_that_fails_leaves_the_old_database_as_it_was(world):
    make(world.path, revision="aaa111", rows=3)
    world.fails = RuntimeError("no")
    with pytest.raises(RuntimeError):
        world.migrate()
    assert revision_of(world.path) == ("aaa111", True)
    assert rows_of(world.path) == 3
    assert world.files() == {"airflow.db"}


def test_a_half_migrated_database_is_for_a_person(world, capsys):
    make(world.path, revision=None, rows=3)
    said = refused(world, capsys)
    assert "half-migrated: it has tables but no schema version" in said
    assert "Move it away and run `airfoil up` again" in said


def test_an_empty_table_of_revisions_is_half_migrated_too(world, capsys):
    make(world.path, revision="x")
    with closing(sqlite3.connect(world.path)) as database, database:
        database.execute("delete from alembic_version")
    assert "half-migrated" in refused(world, capsys)


@pytest.mark.parametrize(
    "content", [b"not a database, but some text\n" * 100, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_file_that_is_no_database_is_for_a_person(world, capsys, content):
    world.path.write_bytes(content)
    assert "is not a usable SQLite database" in refused(world, capsys)


# -- what was applied


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '"x"', "[1, 2]"])
def test_a_damaged_memory_is_no_memory(tmp_path, text):
    (tmp_path / "applied.json").write_text(text)
    made = Applied(tmp_path / "applied.json")
    assert made.get("database") is None
    made.remember("a", 1)
    assert json.loads((tmp_path / "applied.json").read_text()) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["applied.json"]


def test_what_was_done_to_another_database_is_forgotten(tmp_path):
    made = Applied(tmp_path / "applied.json")
    made.remember("pools", {"gpu": 1})  # by a release that did not know to whom it belonged
    made.belong_to("postgresql://u:s3cret@h/a")
    assert made.get("pools") == {"gpu": 1}
    made.belong_to("postgresql://u:s3cret@h/a")
    assert made.get("pools") == {"gpu": 1}
    made.belong_to("postgresql://u:s3cret@h/b")
    assert made.get("pools") is None
    assert "s3cret" not in (tmp_path / "applied.json").read_text()


def test_each_pool_is_imported_once_and_alone_when_it_changes(world, tmp_path, monkeypatch):
    imported = []

    def airflow(*arguments: str) -> None:
        assert arguments[:2] == ("pools", "import")
        imported.append(json.loads(Path(arguments[2]).read_text()))

    monkeypatch.setattr(setup, "airflow", airflow)
    gpu, api = {"slots": 1, "description": ""}, {"slots": 3, "description": "ä"}
    for pools in ({}, {"gpu": gpu}, {"gpu": gpu}, {"gpu": gpu, "api": api}, {"api": api | {"slots": 4}}, {}):
        setup.import_pools(pools, tmp_path, Applied(world.applied_file))
    assert imported == [{"gpu": gpu}, {"api": api}, {"api": api | {"slots": 4}}]
    assert not (tmp_path / "pools.json").exists()
    assert world.applied.get("pools") == {}


@pytest.mark.parametrize("remembered", [None, [], "x", {"gpu": 3}])
def test_pools_are_imported_when_what_is_remembered_makes_no_sense(world, tmp_path, remembered):
    world.applied.remember("pools", remembered)
    setup.import_pools({"gpu": {"slots": 1, "description": ""}}, tmp_path, world.applied)
    assert world.commands == [f"pools import {tmp_path / 'pools.json'}"]


# -- running airflow's command line in here


@pytest.mark.parametrize(
    ("code", "gives_up"), [(None, False), (0, False), (1, True), ("no such connection", True)]
)
def test_an_airflow_command_that_fails_is_said_in_one_line(monkeypatch, capsys, code, gives_up):
    import sys
    from types import ModuleType

    seen: list[list[str]] = []
    main = ModuleType("airflow.__main__")

    def run() -> None:
        seen.append(sys.argv)
        raise SystemExit(code)

    main.main = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow", ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.__main__", main)
    before = sys.argv
    if gives_up:
        with pytest.raises(SystemExit) as end:
            setup.airflow("db", "migrate", "--secret")
        assert end.value.code == setup.EXIT_CONFIGURATION
        assert f"`airflow db migrate` failed ({code})" in capsys.readouterr().err
    else:
        setup.airflow("db", "migrate", "--secret")
    assert seen == [["airflow", "db", "migrate", "--secret"]]
    assert sys.argv is before
