"""A new scheduler closes the rows of those that were killed, in Airflow's real table, and nobody else's."""

from __future__ import annotations

import socket

import pytest

pytestmark = pytest.mark.integration


def test_only_running_schedulers_of_this_host_are_closed(migrated_airflow, tmp_path):
    home = migrated_airflow.copied_to(tmp_path / "home")
    here = socket.gethostname()
    rows = [
        ("SchedulerJob", "running", here, "failed"),
        ("SchedulerJob", "running", here, "failed"),
        ("SchedulerJob", "success", here, "success"),
        ("SchedulerJob", "running", "elsewhere", "running"),
        ("TriggererJob", "running", here, "running"),
    ]
    for kind, state, host, _ in rows:
        home.rows(f"insert into job (job_type, state, hostname) values ('{kind}', '{state}', '{host}')")  # noqa: S608
    say = "from airfoil.runtime.succession import declare_predecessors_dead as d; print(d())"
    assert home.python(say) == "2"
    assert home.rows("select state from job order by id") == [(after,) for *_, after in rows]
    assert home.python(say) == "0"
