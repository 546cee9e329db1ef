"""Putting a backup back: into nothing, beside what is there, and not over it."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from tests.backup_shop import back_up, objects_of, put_back, rows_of, spoil

from airfoil.errors import (
    ConfigurationError,
    NeighbourError,
    NotFoundError,
    SecretsError,
    ServiceRefusedError,
    StorageError,
)
from airfoil.stack import services, versions
from airfoil.stack.backup import manifest, restoration
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.process import STACK_MARK
from airfoil.stack.project import Project
from airfoil.stack.versions import Versions

pytestmark = pytest.mark.unit


@pytest.fixture
def made(shop, place):
    return back_up(shop, place)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_into_nothing_comes_everything(shop, place, made, tmp_path):
    done = put_back(place, made, tmp_path / "new place")
    there = Project(tmp_path / "new place")
    assert there.toml.read_text() == shop.toml.read_text()
    assert (there.root / "dags/first_dag.py").read_text() == "# a DAG\n"
    assert there.secrets.read_bytes() == shop.secrets.read_bytes()
    assert there.passwords.read_bytes() == shop.passwords.read_bytes()
    assert contents(there.artifacts) == contents(shop.artifacts)
    assert rows_of(there.airflow_database, "select * from dag_run") == rows_of(
        shop.airflow_database, "select * from dag_run"
    )
    assert rows_of(there.state / "feast_online.db", "select key from rows") == [(b"\x00\xff",)]
    assert versions.last_run(there) == Versions("0.0.1", "3.0.0", "3.0.0")
    assert done.files == 3
    assert done.databases["airflow"] == 8
    assert (done.kept, done.aside, done.notes) == ((), (), ())
    private = [there.state, there.secrets, there.airflow_database, there.artifacts]
    assert [path.stat().st_mode & 0o077 for path in private] == [0, 0, 0, 0]
    assert sorted(path.name for path in there.root.iterdir()) == [
        ".airfoil",
        "airfoil.toml",
        "dags",
        "features",
    ]


def test_a_checkout_keeps_its_files_and_is_told_which_differ(place, made, tmp_path):
    root = tmp_path / "checkout"
    (root / "dags").mkdir(parents=True)
    (root / "airfoil.toml").write_text("# newer\n")
    (root / "dags/first_dag.py").write_text("# newer\n")
    done = put_back(place, made, root)
    assert (root / "dags/first_dag.py").read_text() == "# newer\n"
    assert done.kept == ("airfoil.toml", "dags/first_dag.py")
    assert (root / "features/feature_store.yaml").exists()
    assert root.stat().st_mode & 0o055, "and it is not closed to others"


def test_a_project_that_holds_something_is_refused_and_left_as_it_is(shop, place, made):
    before = contents(shop.root)
    with pytest.raises(ConfigurationError, match="a restore replaces them") as told:
        put_back(place, made, shop.root)
    assert "--overwrite" in told.value.next_move
    assert contents(shop.root) == before


def test_even_without_its_settings(shop, place, made):
    shop.toml.unlink()
    with pytest.raises(ConfigurationError, match="holds secrets"):
        put_back(place, made, shop.root)
    assert not shop.toml.exists()


def test_told_to_overwrite_it_moves_aside_and_deletes_nothing(shop, place, made):
    (shop.state / "snapshots").mkdir()
    (shop.artifacts / "later.txt").write_text("made after the backup")
    done = put_back(place, made, shop.root, overwrite=True)
    aside = shop.root / ".airfoil.replaced-20261122T150000Z"
    assert done.aside == (str(aside),)
    assert (aside / "mlflow/artifacts/later.txt").exists()
    assert not (shop.artifacts / "later.txt").exists()
    assert (shop.state / "snapshots").is_dir(), "they belong to this machine"


@pytest.mark.parametrize("part", ["airflow", "artifacts", "secrets", "mlflow"])
def test_a_damaged_backup_changes_nothing(shop, place, made, part):
    spoil(objects_of(made, place)[part])
    before = contents(shop.root)
    with pytest.raises((StorageError, SecretsError)):
        put_back(place, made, shop.root, overwrite=True)
    assert contents(shop.root) == before
    assert not (shop.root / ".airfoil.restoring").exists()


def test_nor_does_it_leave_anything_of_a_new_project(place, made, tmp_path):
    spoil(objects_of(made, place)["mlflow"])
    with pytest.raises(StorageError, match="MLflow's database is damaged"):
        put_back(place, made, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "checkout/dags").mkdir(parents=True)
    (tmp_path / "checkout/airfoil.toml").write_text("")
    with pytest.raises(StorageError):
        put_back(place, made, tmp_path / "checkout")
    assert contents(tmp_path / "checkout") == {"airfoil.toml": b""}


def test_a_wrong_passphrase_changes_nothing(place, made, tmp_path):
    with pytest.raises(SecretsError):
        put_back(place, made, tmp_path / "new", passphrase="the wrong passphrase")
    assert not (tmp_path / "new").exists()


def test_what_a_killed_restore_left_is_no_hindrance(place, made, tmp_path):
    root = tmp_path / "new"
    (root / ".airfoil.restoring/airflow").mkdir(parents=True)
    (root / ".airfoil.restoring/airflow/airflow.db").write_bytes(b"half")
    put_back(place, made, root)
    assert rows_of(Project(root).airflow_database, "select count(*) from dag_run") == [(3,)]


def test_databases_and_artifacts_elsewhere_go_elsewhere(place, made, tmp_path):
    root = tmp_path / "new"
    root.mkdir()
    (root / "airfoil.toml").write_text(
        f'[mlflow]\ndatabase = "sqlite:///{tmp_path}/data/ml.db"\nartifacts = "{tmp_path}/data/files"\n'
    )
    put_back(place, made, root)
    assert rows_of(tmp_path / "data/ml.db", "select count(*) from runs") == [(3,)]
    assert (tmp_path / "data/files/1/r1/artifacts/ä.txt").read_text() == "an artifact"
    with pytest.raises(ConfigurationError):
        put_back(place, made, root)
    done = put_back(place, made, root, overwrite=True)
    assert len(done.aside) == 3
    assert (tmp_path / "data/ml.db.replaced-20261122T150000Z").exists()


def test_artifacts_go_to_a_bucket_that_the_settings_name(place, made, tmp_path):
    root = tmp_path / "new"
    root.mkdir()
    (root / "airfoil.toml").write_text('[mlflow]\nartifacts = "s3://bucket/some"\n')
    bucket = FolderPlace(tmp_path / "bucket", durable=False)
    put_back(place, made, root, buckets={"s3://bucket/some": bucket})
    assert "1/r1/artifacts/ä.txt" in {item.name for item in bucket.items()}
    other = tmp_path / "other"
    other.mkdir()
    (other / "airfoil.toml").write_text((root / "airfoil.toml").read_text())
    with pytest.raises(ConfigurationError, match="s3://bucket/some holds artifacts"):
        put_back(place, made, other, buckets={"s3://bucket/some": bucket})


class Counted(FolderPlace):
    """A bucket that counts how often it was listed."""

    listed = 0

    def items(self, prefix=""):
        self.listed += 1
        return super().items(prefix)


def test_what_the_settings_name_is_asked_once_whether_it_is_empty(place, made, tmp_path):
    root = tmp_path / "new"
    root.mkdir()
    (root / "airfoil.toml").write_text('[mlflow]\nartifacts = "s3://bucket/some"\n')
    bucket = Counted(tmp_path / "bucket", durable=False)
    put_back(place, made, root, buckets={"s3://bucket/some": bucket})
    assert bucket.listed == 2, "once to refuse it, once to see what it lacks"


def test_what_only_the_backups_own_files_name_is_asked_too(place, made, tmp_path):
    """The place of Feast's registry stands in feature_store.yaml, which comes with the backup."""
    root = tmp_path / "new"
    (root / ".airfoil").mkdir(parents=True)
    (root / "airfoil.toml").write_text("")
    registry = root / ".airfoil/feast_registry.sqlite"
    registry.write_bytes(b"somebody's")
    with pytest.raises(ConfigurationError, match="a restore replaces them"):
        put_back(place, made, root)
    assert registry.read_bytes() == b"somebody's"
    assert not (root / "features/feature_store.yaml").exists()


@pytest.mark.parametrize("newer", [b"AN artifact", b"an artifact that has grown"], ids=["same size", "grown"])
def test_what_a_bucket_has_is_never_lost(place, made, tmp_path, newer):
    root = tmp_path / "new"
    root.mkdir()
    (root / "airfoil.toml").write_text('[mlflow]\nartifacts = "s3://bucket/some/"\n')
    bucket = FolderPlace(tmp_path / "bucket", durable=False)
    bucket.put("later.txt", io.BytesIO(b"made after the backup"))
    bucket.put("1/r1/artifacts/ä.txt", io.BytesIO(b"an artifact"))
    options = {"buckets": {"s3://bucket/some/": bucket}, "overwrite": True}
    done = put_back(place, made, root, **options)
    assert len(list(bucket.items())) == 4
    assert done.aside == ()
    bucket.put("1/r1/artifacts/ä.txt", io.BytesIO(newer))
    done = put_back(place, made, root, **options)
    aside = "replaced-20261122T150000Z"
    assert done.aside[0] == f"s3://bucket/some/{aside}"
    found = contents(bucket.root)
    assert found["1/r1/artifacts/ä.txt"] == b"an artifact"
    assert found[f"{aside}/1/r1/artifacts/ä.txt"] == newer
    assert found["later.txt"] == b"made after the backup"
    assert len(found) == 5


class Locked(FolderPlace):
    """A store that lets nobody read."""

    def open(self, name):
        raise ServiceRefusedError(f"{name} is not for you.")


def test_a_bucket_is_compared_before_the_first_database_is_touched(place, made, tmp_path, monkeypatch):
    root = tmp_path / "new"
    root.mkdir()
    (root / "airfoil.toml").write_text('[mlflow]\nartifacts = "s3://bucket/some"\n')
    bucket = Locked(tmp_path / "bucket", durable=False)
    bucket.put("1/r1/artifacts/ä.txt", io.BytesIO(b"AN artifact"))
    restored = []
    monkeypatch.setattr(restoration.Restoration, "_database", lambda *given: restored.append(given))
    with pytest.raises(ServiceRefusedError):
        put_back(place, made, root, buckets={"s3://bucket/some": bucket}, overwrite=True)
    assert restored == []
    assert contents(bucket.root) == {"1/r1/artifacts/ä.txt": b"AN artifact"}


def test_what_the_settings_have_no_place_for_is_said(place, made, tmp_path):
    root = tmp_path / "new"
    root.mkdir()
    (root / "airfoil.toml").write_text('[mlflow]\nurl = "https://mlflow.example.com"\n')
    done = put_back(place, made, root)
    assert done.notes == ("MLflow's database has no place here; the settings name another.",)
    assert done.files == 0


@pytest.mark.parametrize("part", ["airfoil", "airflow", "mlflow"])
def test_what_a_newer_release_wrote_is_refused(made, part):
    newer = made.model_copy(update={"versions": {**made.versions, part: "99.0"}})
    with pytest.raises(ConfigurationError, match=f"made by {part} 99.0, which is newer") as told:
        restoration.refuse_newer(newer)
    assert "==99.0" in told.value.next_move


def test_a_schema_that_is_not_known_is_refused(made):
    kept = made.database("airflow").model_copy(update={"revision": "f" * 12})
    with pytest.raises(ConfigurationError, match="is at schema revision ffffffffffff"):
        restoration.refuse_newer(manifest.sealed(made.model_copy(update={"databases": (kept,)})))


def test_a_running_platform_is_not_replaced(place, made, tmp_path):
    root = tmp_path / "new"
    root.mkdir()
    mark = {STACK_MARK: services.stack_id(Project(root))}
    service = subprocess.Popen(
        [sys.executable, "-c", "print(1, flush=True); input()"],
        env=os.environ | mark,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        service.stdout.readline()
        with pytest.raises(NeighbourError, match="Processes of the platform run"):
            put_back(place, made, root)
    finally:
        service.communicate(b"\n")
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_tasks_that_were_queued_come_to_a_server_without_their_messages(
    shop, place, tmp_path, monkeypatch, kind
):
    """Redis knows how those ended after the backup; a scheduler that asks it would fail them."""
    with closing(sqlite3.connect(shop.airflow_database)) as database, database:
        database.executescript(
            "alter table task_instance add column state; alter table task_instance add column external_executor_id;"
            "update task_instance set state = 'queued', external_executor_id = 'm-1' where id = 'a';"
            "update task_instance set state = 'success', external_executor_id = 'm-2' where id = 'b';"
        )
    made = back_up(shop, place)
    copy = made.database("airflow").model_copy(update={"kind": kind})
    made = made.model_copy(update={"databases": (copy,), "trees": ()})
    came = []

    def restore(scratch, *_):
        came.extend(rows_of(scratch, "select id, state, external_executor_id from task_instance"))
        return len(came)

    monkeypatch.setattr(restoration.postgres, "is_empty", lambda url: True)
    monkeypatch.setattr(restoration.postgres, "restore", lambda scratch, url, aside: restore(scratch))
    monkeypatch.setattr(restoration, "_move", lambda copy, scratch, url, aside: restore(scratch))
    root = tmp_path / "new"
    root.mkdir()
    (root / "airfoil.toml").write_text('[airflow]\ndatabase = "postgresql://airflow@db/airflow"\n')
    put_back(place, made, root, project_files=False)
    assert came == [("a", "queued", None), ("b", "success", "m-2")]


def test_postgres_rows_do_not_become_an_sqlite_file(made, place, tmp_path):
    kept = made.database("airflow").model_copy(update={"kind": "postgresql"})
    with pytest.raises(ConfigurationError, match="cannot become an SQLite file"):
        put_back(place, made.model_copy(update={"databases": (kept,)}), tmp_path / "new")


def test_a_backup_that_lost_a_content_is_told(made, place, tmp_path):
    objects_of(made, place)["mlflow"].unlink()
    with pytest.raises((StorageError, NotFoundError), match="MLflow's database is missing"):
        put_back(place, made, tmp_path / "new")
