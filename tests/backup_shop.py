"""A small project to back up: databases that look like Airflow's and MLflow's, artifacts, code, secrets."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from airfoil.settings import load
from airfoil.stack import secrets
from airfoil.stack.backup import sqlite_copies
from airfoil.stack.backup.creation import Creation
from airfoil.stack.backup.manifest import Manifest, TableFacts
from airfoil.stack.backup.objects import Objects
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.backup.restoration import Restoration
from airfoil.stack.backup.sealing import Cost
from airfoil.stack.backup.verification import Finding, Verification
from airfoil.stack.project import Project

PASSPHRASE = "five words that are unrelated"
CHEAP = Cost(n=2**4)
MODEL = "1/models/m-1/artifacts"
FEATURES = """project: shop
registry: {registry_type: sql, path: "sqlite:///../.airfoil/feast_registry.sqlite"}
online_store: {type: sqlite, path: ../.airfoil/feast_online.db}
"""
AIRFLOW = """
create table connection (conn_id text, password text, is_encrypted boolean, extra text, is_extra_encrypted boolean);
create table variable (key text, val text, is_encrypted boolean);
create table dag_run (id integer primary key, dag_id text);
create table task_instance (id text, dag_id text);
insert into dag_run (dag_id) values ('first_dag'), ('first_dag'), ('second_dag');
insert into task_instance values ('a', 'first_dag'), ('b', 'first_dag');
"""
MLFLOW = """
create table experiments (experiment_id integer primary key, name text);
create table runs (run_uuid text primary key, experiment_id integer, artifact_uri text);
create table registered_models (name text);
create table model_versions (name text, version integer, creation_time integer, source text, storage_location text,
                             status text);
create table registered_model_aliases (name text, alias text, version integer);
create table logged_models (model_id text, artifact_location text);
insert into experiments values (1, 'wine'), (2, 'airfoil-ledger');
insert into runs values ('r1', 1, 'mlflow-artifacts:/1/r1/artifacts'), ('l1', 2, ''), ('l2', 2, '');
insert into registered_models values ('wine');
insert into model_versions values ('wine', 1, 10, 'models:/m-1', 'mlflow-artifacts:/1/models/m-1/artifacts', 'READY');
insert into registered_model_aliases values ('wine', 'champion', 1);
insert into logged_models values ('m-1', 'mlflow-artifacts:/1/models/m-1/artifacts');
"""
_FORGET = """
update task_instance set external_executor_id = null where state in ('queued', 'running', 'restarting')
"""
PARTS = {
    "airflow",
    "mlflow",
    "feast_registry",
    "feast_online",
    "artifacts",
    "project",
    "secrets",
    "connections",
}


def make_database(path: Path, script: str, **rows: list[tuple[Any, ...]]) -> None:
    """Make a database as a running service has it open: with a write-ahead log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("pragma journal_mode = wal")
        database.executescript(script)
        for table, found in rows.items():
            marks = ", ".join("?" for _ in found[0])
            statement = f"insert into {table} values ({marks})"  # noqa: S608 - a test's own table
            database.executemany(statement, found)


def make_shop(root: Path) -> Project:
    """A project with something in every part."""
    project = Project(root)
    for folder in ("dags", "src/shop", "features"):
        (root / folder).mkdir(parents=True)
    project.toml.write_text('[project]\nname = "shop"\n', encoding="utf-8")
    (root / "dags/first_dag.py").write_text("# a DAG\n")
    (root / "features/feature_store.yaml").write_text(FEATURES)
    (root / "features/.gitignore").write_text("data/\n")
    project.prepare()
    key = secrets.ensure(project).fernet_key
    hidden = Fernet(key).encrypt(b"letters").decode()
    make_database(
        project.airflow_database,
        AIRFLOW,
        connection=[("shop_db", hidden, 1, None, 0), ("plain", "", 0, "", 0)],
        variable=[("threshold", hidden, 1)],
    )
    make_database(project.mlflow_database, MLFLOW)
    make_database(
        project.state / "feast_registry.sqlite", "create table entities (name text)", entities=[("user",)]
    )
    make_database(project.state / "feast_online.db", "create table rows (key blob)", rows=[(b"\x00\xff",)])
    for name, text in {
        f"{MODEL}/MLmodel": "flavors: {}\n",
        f"{MODEL}/model.bin": "weights",
        "1/r1/artifacts/ä.txt": "an artifact",
    }.items():
        path = project.artifacts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    project.versions.write_text(json.dumps({"airfoil": "0.0.1", "airflow": "3.0.0", "mlflow": "3.0.0"}))
    return project


def back_up(project: Project, place: FolderPlace, **options: Any) -> Manifest:
    """Take a backup."""
    given = {"passphrase": PASSPHRASE, "cost": CHEAP, **options}
    return Creation(project, load(project.root, {}), place, **given).run()


def examine(place: Any, manifest: Manifest, scratch: Path, **options: Any) -> dict[str, Finding]:
    """Try a backup out; findings by part."""
    scratch.mkdir(parents=True, exist_ok=True)
    given = {"passphrase": PASSPHRASE, "trial": lambda _: {"rows": 1, "predictions": [0]}, **options}
    found = Verification(manifest, Objects(place), scratch=scratch, **given).run()
    return {one.part: one for one in found}


def put_back(place: Any, manifest: Manifest, root: Path, **options: Any) -> Any:
    """Restore a backup into a folder."""
    buckets = options.pop("buckets", {})
    given = {
        "passphrase": PASSPHRASE,
        "load": lambda folder: load(folder, {}),
        "bucket": lambda address: buckets[address],
        "stamp": "20261122T150000Z",
        **options,
    }
    return Restoration(manifest, Objects(place), root=root, **given).run()


def restored_tables(place: Any, manifest: Manifest, part: str, scratch: Path) -> dict[str, TableFacts]:
    """Rows and digests that a database has to have once it is restored: those of the backup.

    But for messages of tasks under way, which a restore forgets. They are forgotten here by SQL of our own, so that
    every other value of these rows, and every other row, is held against the backup's.
    """
    copy = manifest.database(part)
    assert copy is not None
    path = scratch / f"{part}.db"
    Objects(place).fetch(copy.stored, path, part)
    assert sqlite_copies.facts(path) == dict(copy.tables)
    if part == "airflow":
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(_FORGET)
    return sqlite_copies.facts(path)


def rows_of(path: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query of an SQLite file gives."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def objects_of(manifest: Manifest, place: FolderPlace) -> dict[str, Path]:
    """One content of each part of a backup, as the file that it lies in."""
    from airfoil.stack.backup.trees import files_of

    found = {one.part: one.stored.object for one in manifest.databases} | {"secrets": manifest.secrets.object}
    for tree in manifest.trees:
        found[tree.part] = files_of(tree, Objects(place))[0].object
    return {part: place.root / "objects" / digest[:2] / digest for part, digest in found.items()}


def spoil(path: Path) -> None:
    """Turn one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
