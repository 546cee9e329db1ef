"""The job postgres-init of a server on a real PostgreSQL: roles, databases, the dump before an upgrade, no way down."""

from __future__ import annotations

import os
import shutil
import subprocess

import psycopg
import pytest
from tests.integration.database_job import DATABASES, PASSWORDS, DatabaseJob, as_role, refuse_without_client
from tests.integration.servers import run_postgres

pytestmark = pytest.mark.integration


@pytest.fixture
def server():
    """A server of its own: what is made here are its roles and databases by name."""
    refuse_without_client()
    yield from run_postgres()


@pytest.fixture
def job(server, tmp_path):
    """Run the job for a version of Airfoil, with the volume of backups in a folder."""
    return DatabaseJob(server, tmp_path / "backups")


def test_each_database_has_its_own_role_and_nobody_else_comes_in(job, server):
    done = job("1.0.0")
    assert done.returncode == 0, done.stderr
    for name, password in zip(DATABASES, PASSWORDS.values(), strict=False):
        with as_role(server, name, name, password) as connection:
            connection.execute("create table t (a int)")
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            as_role(server, "feast" if name == "airflow" else "airflow", name, _password(name))
    with as_role(server, "metrics", "postgres", PASSWORDS["METRICS_DATABASE_PASSWORD"]) as connection:
        assert connection.execute("select count(*) from pg_stat_activity where query is not null").fetchone()


def _password(other_than: str) -> str:
    role = "FEAST" if other_than == "airflow" else "AIRFLOW"
    return PASSWORDS[f"{role}_DATABASE_PASSWORD"]


def test_a_second_time_keeps_what_is_there_and_passwords_follow_the_file(job, server):
    job("1.0.0")
    with as_role(server, "mlflow", "mlflow", PASSWORDS["MLFLOW_DATABASE_PASSWORD"]) as connection:
        connection.execute("create table runs as select 7 as id")
    done = job("1.0.0", MLFLOW_DATABASE_PASSWORD="it's another")
    assert done.returncode == 0, done.stderr
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        as_role(server, "mlflow", "mlflow", PASSWORDS["MLFLOW_DATABASE_PASSWORD"])
    with as_role(server, "mlflow", "mlflow", "it's%20another") as connection:
        assert connection.execute("select id from runs").fetchone() == (7,)


def test_a_later_version_finds_the_state_of_the_one_before_dumped(job, server, tmp_path):
    job("1.9.0")
    with as_role(server, "airflow", "airflow", PASSWORDS["AIRFLOW_DATABASE_PASSWORD"]) as connection:
        connection.execute("create table dag as select 'as it was' as id")
    done = job("1.10.0")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "backups" / "before-1.10.0"
    assert (folder / "complete").read_text() == "1.9.0\n"
    assert {path.name for path in folder.glob("*.dump")} == {f"{name}.dump" for name in DATABASES}
    listed = subprocess.run(
        ["pg_restore", "--data-only", "--file=-", folder / "airflow.dump"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "as it was" in listed.stdout
    written = (folder / "airflow.dump").stat().st_mtime_ns
    assert job("1.10.0").returncode == 0
    assert (folder / "airflow.dump").stat().st_mtime_ns == written, "dumped once, not at every start"


def test_there_is_no_way_down(job, server):
    job("1.10.0")
    done = job("1.9.0")
    assert done.returncode == 78
    assert "the databases are of Airfoil 1.10.0, and this is 1.9.0" in done.stderr
    assert "postgres-init back before-1.10.0" in done.stderr
    assert job("1.10.0").returncode == 0


def test_a_restore_may_put_an_older_version_there_and_nothing_else_until_it_is_done(job):
    job("1.10.0")
    begun = job("1.9.0", AIRFOIL_RESTORING="begun")
    assert begun.returncode == 0, begun.stderr
    assert job("1.9.0").returncode == 78, "a restore that failed has lowered nothing"
    assert job("1.9.0", AIRFOIL_RESTORING="done").returncode == 0
    assert job("1.9.0").returncode == 0


def fill(server, words):
    """Give each database a table with one word, as its own role does."""
    for name in DATABASES:
        with as_role(server, name, name, PASSWORDS[f"{name.upper()}_DATABASE_PASSWORD"]) as connection:
            connection.execute("drop table if exists t")
            connection.execute("create table t (id int generated always as identity primary key, word text)")
            connection.execute("insert into t (word) values (%s)", (f"{words} in {name}",))


def held(server, suffix=""):
    found = [server.execute("select word from t", f"{name}{suffix}") for name in DATABASES]
    return {rows[0][0] for rows in found}


def said_in_each(words):
    return {f"{words} in {name}" for name in DATABASES}


def test_the_way_back_to_before_a_version_and_up_again(job, server, tmp_path):
    job("1.9.0")
    fill(server, "old")
    job("1.10.0")
    fill(server, "new")
    done = job("1.10.0", "back", "before-1.10.0")
    assert done.returncode == 0, done.stderr
    assert held(server) == said_in_each("old")
    with as_role(server, "mlflow", "mlflow", PASSWORDS["MLFLOW_DATABASE_PASSWORD"]) as connection:
        connection.execute("alter table t add column more int")  # it is the role's own again
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        as_role(server, "feast", "airflow", PASSWORDS["FEAST_DATABASE_PASSWORD"])
    names = {name for (name,) in server.execute("select datname from pg_database")}
    (aside,) = {name.removeprefix("airflow") for name in names if name.startswith("airflow_replaced_")}
    assert held(server, aside) == said_in_each("new"), "what was there is there still"
    assert not [name for name in names if name.endswith("_coming")]
    assert job("1.9.0").returncode == 0
    fill(server, "newer")
    assert job("1.10.0").returncode == 0
    first, second = sorted(path.name for path in (tmp_path / "backups").glob("before-*"))
    assert (first, second.startswith("before-1.10.0.")) == ("before-1.10.0", True), "dumped anew"
    fill(server, "newest")
    assert job("1.10.0", "back", "before-1.10.0").returncode == 0
    assert held(server) == said_in_each("newer")


def test_tasks_under_way_at_the_dump_begin_anew(job, server):
    job("1.9.0")
    fill(server, "old")
    states = ("queued", "restarting", "running", "success", "deferred")
    with as_role(server, "airflow", "airflow", PASSWORDS["AIRFLOW_DATABASE_PASSWORD"]) as connection:
        connection.execute("create table task_instance (state text, external_executor_id varchar(250))")
        for state in states:
            connection.execute("insert into task_instance values (%s, 'a message')", (state,))
    job("1.10.0")
    done = job("1.10.0", "back", "before-1.10.0")
    assert done.returncode == 0, done.stderr
    found = dict(server.execute("select state, external_executor_id from task_instance", "airflow"))
    assert found == dict.fromkeys(states[:3]) | dict.fromkeys(states[3:], "a message")


OF_A_LATER_RELEASE = """\
#!/bin/sh
# As that of PostgreSQL 17 or later: a setting more, which a server of before does not know.
case "$*" in *--dbname*) echo 'unrecognized configuration parameter "transaction_timeout"' >&2; exit 1 ;; esac
"$PG_RESTORE" "$@" > "$0.out" || exit
sed 's/^SET client_encoding/SET transaction_timeout = 0;\\n&/' "$0.out"
exit "$ENDS"
"""


def test_a_server_that_is_older_than_the_client(job, server, tmp_path):
    job("1.9.0")
    fill(server, "old")
    with as_role(server, "mlflow", "mlflow", PASSWORDS["MLFLOW_DATABASE_PASSWORD"]) as connection:
        connection.execute("create table said as select 'SET transaction_timeout = 0;' as line")
    job("1.10.0")
    later = tmp_path / "later"
    later.mkdir()
    (later / "pg_restore").write_text(OF_A_LATER_RELEASE)
    (later / "pg_restore").chmod(0o755)
    changes = {"PATH": f"{later}:{os.environ['PATH']}", "PG_RESTORE": shutil.which("pg_restore")}
    fill(server, "new")
    assert job("1.10.0", "back", "before-1.10.0", **changes, ENDS="1").returncode == 1
    assert held(server) == said_in_each("new"), "what it said before it failed is not taken for all"
    done = job("1.10.0", "back", "before-1.10.0", **changes, ENDS="0")
    assert done.returncode == 0, done.stderr
    assert held(server) == said_in_each("old")
    assert server.execute("select line from said", "mlflow") == [("SET transaction_timeout = 0;",)]


def test_an_administrator_who_may_make_roles_and_databases_is_enough(job, server):
    """One that POSTGRES_URL names; since PostgreSQL 16 who makes a role may not act as it before that is given."""
    server.execute("create role chief login createdb createrole password 'chief-k7XqPw'")
    chief = {"PGUSER": "chief", "PGPASSWORD": "chief-k7XqPw"}
    for version in ("1.9.0", "1.9.0", "1.10.0"):
        done = job(version, **chief)
        assert done.returncode == 0, done.stderr
        assert "NOTICE" not in done.stderr
        fill(server, version)
    done = job("1.10.0", "back", "before-1.10.0", **chief)
    assert done.returncode == 0, done.stderr
    assert held(server) == said_in_each("1.9.0")


def test_a_damaged_dump_changes_nothing(job, server, tmp_path):
    job("1.9.0")
    fill(server, "old")
    with as_role(server, "feast", "feast", PASSWORDS["FEAST_DATABASE_PASSWORD"]) as connection:
        connection.execute("insert into t (word) select md5(n::text) from generate_series(1, 20000) n")
    job("1.10.0")
    fill(server, "new")
    dump = tmp_path / "backups" / "before-1.10.0" / "feast.dump"
    dump.write_bytes(dump.read_bytes()[:-200])
    done = job("1.10.0", "back", "before-1.10.0")
    assert (done.returncode, "feast.dump cannot be put back; nothing has changed" in done.stderr) == (1, True)
    assert held(server) == said_in_each("new")
    assert job("1.9.0").returncode == 78
    assert job("1.10.0").returncode == 0


def test_the_way_back_says_what_is_in_its_way(job, server):
    job("1.9.0")
    job("1.10.0")
    unknown = job("1.10.0", "back", "before-1.11.0")
    assert (unknown.returncode, "There are: before-1.10.0" in unknown.stderr) == (2, True)
    with as_role(server, "mlflow", "mlflow", PASSWORDS["MLFLOW_DATABASE_PASSWORD"]):
        busy = job("1.10.0", "back", "before-1.10.0")
    assert (busy.returncode, "docker compose stop" in busy.stderr) == (75, True)


def test_the_same_version_needs_no_dump(job, tmp_path):
    job("1.0.0")
    job("1.0.0")
    assert [path.name for path in (tmp_path / "backups").glob("before-*")] == []


def test_the_folder_of_backups_belongs_to_who_takes_them(job, tmp_path):
    volume = tmp_path / "backups"
    volume.mkdir(mode=0o755)
    assert job("1.0.0", BACKUP_PLACE=f"{volume}/nightly").returncode == 0
    found = (volume / "nightly").stat()
    assert (found.st_uid, found.st_mode & 0o777) == (os.getuid(), 0o700)
    assert [path.name for path in volume.iterdir()] == ["nightly"]
    assert job("1.0.0", BACKUP_PLACE="s3://bucket/prefix").returncode == 0
    assert [path.name for path in volume.iterdir()] == ["nightly"]


def test_no_secret_is_told(job):
    done = job("1.0.0")
    for password in PASSWORDS.values():
        assert password not in done.stdout + done.stderr
