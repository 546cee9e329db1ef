"""The helper of `run --here` with real Airflow: on an empty disk, beside PostgreSQL, and its Execution API."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.integration

FERNET = "M2J4c1pXdGxrUW1nVnB4a0x0b2NqZ2VHc1R1cWlWeGY="


def in_a_helper(tmp_path, source, program):
    """Run lines in a process that stands where the helper stands; what it printed."""
    prelude = f"""
        import os, sys
        from pathlib import Path
        from airfoil.runtime.here import server
        file, source = Path({str(tmp_path / "copy.db")!r}), {source!r}
        has_history = server.prepare_database(source, file)
        os.environ[server.URL_VARIABLE] = f"sqlite:///{{file}}"
        if not has_history:
            server.fill_database(source)
        helper = server.Helper(file)
        def ask(location):
            values = {{"method": "GET", "url": "http://x" + location, "headers": [], "body": b""}}
            status, _, body = helper.answer("http", values)
            return status, body.decode()
    """
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__FERNET_KEY": FERNET,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(prelude) + textwrap.dedent(program)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "with all its versions" not in done.stderr, "the short way to the Execution API is closed"
    return done.stdout.splitlines()


def test_nothing_to_copy_is_an_empty_database_that_works(tmp_path):
    said = in_a_helper(
        tmp_path,
        f"sqlite:///{tmp_path}/never-made.db",
        """
        print(has_history, ask("/variables/nothing")[0], ask("/connections/nothing")[0])
        from airflow.models.pool import Pool
        print(helper._session.query(Pool).count())
        """,
    )

    assert said[-2:] == ["False 404 404", "1"]


def test_what_tasks_ask_for_by_name_comes_from_a_database_server(tmp_path, postgres):
    database = "here"
    postgres.execute(f"create database {database}")
    url = postgres.url(database)
    made = f"""
        from sqlalchemy import create_engine
        from airflow.models import import_all_models
        from airflow.models.base import Base
        from airflow.models.variable import Variable
        from airflow.models.pool import Pool
        from sqlalchemy.orm import Session
        import_all_models()
        engine = create_engine({url!r})
        names = ("connection", "variable", "slot_pool", "team")
        Base.metadata.create_all(engine, tables=[Base.metadata.tables[name] for name in names])
        with Session(engine) as session:
            session.add(Variable("price", "größe 7"))
            session.add(Pool(pool="gpu", slots=1, description="", include_deferred=False))
            session.commit()
    """
    in_a_helper(tmp_path, f"sqlite:///{tmp_path}/never-made.db", made)
    second = tmp_path / "second"
    second.mkdir()

    said = in_a_helper(
        second,
        url,
        """
        print(ask("/variables/price"))
        from airflow.models.pool import Pool
        print(sorted(row.pool for row in helper._session.query(Pool)))
        """,
    )

    assert "größe 7" in said[-2]
    assert said[-1] == "['default_pool', 'gpu']"
