"""The kind of backup that a server takes, without its containers: PostgreSQL, S3, and a project that is made of links.

Taken, tried out, put into empty databases and another bucket, equal by digest; one bit planted in a part is found.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from tests.backup_shop import PASSPHRASE, examine, objects_of, restored_tables, spoil
from tests.integration.database_job import DATABASES, PASSWORDS, DatabaseJob, refuse_without_client
from tests.integration.servers import run_postgres
from tests.older_server import words

from airfoil.clients.bucket import Bucket
from airfoil.runtime.container import maintenance
from airfoil.stack.backup import catalogue, fetching
from airfoil.stack.backup.objects import Objects
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.backup.trees import files_of
from airfoil.stack.deploy import feature_file

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

STORED = Path(words.__file__).parent
PARTS = ("airflow", "artifacts", "feast_registry", "mlflow", "mlflow_auth", "project", "secrets")
FILES = {
    "1/model/MLmodel": b"flavors: {}\n",
    "1/model/weights.bin": os.urandom(300_000),
    "1/chart ä.png": b"chart",
}

UNDER_WAY = """
update task_instance set state = 'queued', external_executor_id = 'a message of then'
where id = (select min(id::text)::uuid from task_instance)
"""
"""A task that waited for a worker when the backup was taken."""


def make_server(job, store, home):
    """An empty server: its databases and bucket, and the project of its worker `maintenance`."""
    image = home.with_name(f"{home.name}-image")
    (image / "dags").mkdir(parents=True)
    (image / "dags/older_dag.py").write_text("# a DAG\n")
    (image / "features").mkdir()
    (image / "features/feature_store.yaml").write_text(feature_file.rendered("project: shop\n", "features"))
    assert job("1.0.0").returncode == 0
    bucket = store.new_bucket()
    keys = {"FERNET_KEY": words.FERNET_KEY, "MLFLOW_ADMIN_PASSWORD": words.ADMIN[1]}
    maintenance.make_project(home, image, keys)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFOIL_")},
        **store.environment,
        "AIRFOIL_AIRFLOW_DATABASE": job.url("airflow"),
        "AIRFOIL_MLFLOW_DATABASE": job.url("mlflow"),
        "AIRFOIL_MLFLOW_AUTH_DATABASE": job.url("mlflow_auth"),
        "AIRFOIL_MLFLOW_ARTIFACTS": f"s3://{bucket}",
        "AIRFOIL_BACKUP_PASSPHRASE": PASSPHRASE,
        "FEAST_REGISTRY_URL": job.url("feast", "+psycopg"),
        "FEAST_REDIS": "redis:6379",
    }

    def airfoil(*command):
        argv = [sys.executable, "-m", "airfoil", "--project", home, *command]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)

    return SimpleNamespace(
        home=home,
        airfoil=airfoil,
        airflow=job.url("airflow"),
        bucket=Bucket(f"s3://{bucket}", store.environment),
    )


def said(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def two_servers(tmp_path_factory):
    """The databases of two servers."""
    refuse_without_client()
    folder = tmp_path_factory.mktemp("volumes")
    for first in run_postgres():
        for second in run_postgres():
            yield DatabaseJob(first, folder / "first"), DatabaseJob(second, folder / "second")


@pytest.fixture(scope="module")
def shop(two_servers, object_store, tmp_path_factory):
    """A server with something in every part, its backup, and an empty one."""
    root = tmp_path_factory.mktemp("servers")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in object_store.environment.items():
            patch.setenv(name, value)
        full, empty = (
            make_server(job, object_store, root / name)
            for job, name in zip(two_servers, ("full", "empty"), strict=True)
        )
        for database in DATABASES:
            two_servers[0].load(database, STORED / f"{database}.sql.gz")
        with psycopg.connect(two_servers[0].url("airflow")) as connection:
            done = connection.execute(UNDER_WAY)
            assert done.rowcount == 1
        for name, content in FILES.items():
            full.bucket.put(name, io.BytesIO(content))
        place = FolderPlace(root / "backups")
        name = said(full.airfoil("backup", "create", "--to", str(place.root), "--json"))["backup"]["name"]
        yield SimpleNamespace(full=full, empty=empty, place=place, made=catalogue.named(place, name))


def test_each_part_is_in_it_and_can_be_restored(shop):
    found = said(shop.full.airfoil("backup", "verify", "--from", str(shop.place.root), "--json"))
    outcomes = {one["part"]: one["outcome"] for one in found["findings"]}
    assert {part: outcomes[part] for part in PARTS} == dict.fromkeys(PARTS, "ok")
    assert (outcomes["connections"], outcomes["logins"]) == ("ok", "ok"), "opened with the keys of .env"
    assert {one.kind for one in shop.made.databases} == {"postgresql"}
    assert shop.made.counts["dag runs"] == len(words.STATES)
    text = json.dumps(shop.made.to_json())
    assert not [secret for secret in (*PASSWORDS.values(), words.FERNET_KEY) if secret in text]


@pytest.mark.parametrize("part", PARTS)
def test_one_bit_that_is_planted_in_a_part_is_found_and_named(shop, tmp_path, part):
    path = objects_of(shop.made, shop.place)[part]
    spoil(path)
    try:
        found = examine(shop.place, shop.made, tmp_path / "scratch")
    finally:
        spoil(path)  # the same bit once more
    failed = {name for name, one in found.items() if one.outcome == "failed"}
    # What is counted in a database that cannot be laid out cannot be right either.
    assert failed == {part} | ({"counts"} if part in {"airflow", "mlflow"} else set())


def test_each_single_artifact_is_looked_at(shop, tmp_path):
    (tree,) = [one for one in shop.made.trees if one.part == "artifacts"]
    files = files_of(tree, Objects(shop.place))
    assert {one.path for one in files} == set(FILES)
    for file in files:
        path = shop.place.root / "objects" / file.object[:2] / file.object
        spoil(path)
        try:
            found = examine(shop.place, shop.made, tmp_path / file.object)["artifacts"]
        finally:
            spoil(path)
        assert (found.outcome, file.path in found.detail) == ("failed", True), found


def test_a_manifest_that_was_changed_is_found(shop):
    path = shop.place.root / "backups" / f"{shop.made.name}.json"
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b'"dag runs": ', b'"dag runs": 1', 1))
    try:
        done = shop.full.airfoil("backup", "verify", "--from", str(shop.place.root))
    finally:
        path.write_bytes(kept)
    assert done.returncode == 1
    assert "is damaged: it was changed after it was written" in done.stderr


def test_it_comes_back_on_another_server_equal_by_digest(shop, tmp_path):
    command = (
        "backup",
        "restore",
        "--from",
        str(shop.place.root),
        "--without-files",
        "--overwrite",
        "--json",
    )
    done = said(shop.empty.airfoil(*command))
    assert done["files"] == len(FILES)
    again = said(shop.empty.airfoil("backup", "create", "--to", str(shop.empty.home / "again"), "--json"))
    second = catalogue.named(FolderPlace(shop.empty.home / "again"), again["backup"]["name"])
    for copy in shop.made.databases:
        wanted = restored_tables(shop.place, shop.made, copy.part, tmp_path)
        assert dict(second.database(copy.part).tables) == wanted, copy.part
    # What was under way is so still, and has no message that a scheduler would ask Redis about.
    with psycopg.connect(shop.empty.airflow) as connection:
        found = connection.execute("select external_executor_id from task_instance where state = 'queued'")
        assert found.fetchall() == [(None,)]
    assert second.counts == shop.made.counts
    for name, content in FILES.items():
        with shop.empty.bucket.open(name) as stream:
            assert stream.read() == content


def test_one_that_lies_in_s3_is_fetched_whole(shop, object_store, tmp_path):
    address = f"s3://{object_store.new_bucket()}/some folder"
    name = said(shop.full.airfoil("backup", "create", "--to", address, "--json"))["backup"]["name"]
    there, here = Bucket(address, object_store.environment), FolderPlace(tmp_path / "here")
    made = catalogue.named(there, name)
    fetching.fetch(made, Objects(there), here)
    assert catalogue.named(here, name) == made
    found = examine(here, made, tmp_path / "scratch")
    assert {one.outcome for one in found.values()} <= {"ok", "skipped"}, found
