"""What the scripts of a server share, and verify.sh, where Docker only pretends: what they read, and what they say."""

from __future__ import annotations

import subprocess

import pytest
from tests.deploy.pretended_machine import answering, ask, deeds, run, set_value

from airfoil.stack.deploy import env_file, shipped

pytestmark = pytest.mark.deploy


@pytest.mark.parametrize("script", ["install.sh", "verify.sh", "sbom.sh"])
def test_an_unknown_option_is_wrong_usage(machine, script):
    done = run(machine, "sh", script, "--quick")
    assert (done.returncode, "--quick is no option" in done.stderr) == (2, True)


@pytest.mark.parametrize("script", ["install.sh", "verify.sh", "sbom.sh"])
def test_help_tells_the_options(machine, script):
    done = run(machine, "sh", script, "--help")
    assert done.returncode == 0
    assert "sh " + script in done.stdout


def test_where_there_is_no_server_nothing_is_tried_out(machine):
    (machine / ".env").unlink()
    done = run(machine, "sh", "verify.sh")
    assert (done.returncode, done.stdout) == (1, "")
    assert ".env is missing. `sh install.sh` makes one." in done.stderr


@pytest.mark.parametrize(
    "value", ["plain", "a b", "it's", "a$b", 'a "b"', "a$$b", "a\\b", "ends \\", 'it\'s "$$" \\"']
)
def test_values_are_read_from_the_file_as_they_are_meant(machine, value):
    set_value(machine, "ALERT_MAIL_FROM", env_file.written(value))
    assert ask(machine, "value_of ALERT_MAIL_FROM") == value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("AIRFOIL_HOST=ml.example.com   # the one name", "ml.example.com"),
        ("AIRFOIL_HOST=ml.example.com \t ", "ml.example.com"),
        ("  export AIRFOIL_HOST = ml.example.com", "ml.example.com"),
        ("AIRFOIL_HOST='ml.example.com' # the one name", "ml.example.com"),
        ('AIRFOIL_HOST="ml.example.com"  ', "ml.example.com"),
        ('AIRFOIL_HOST="a \\"b\\" \\$1 $$2"#c', 'a "b" $1 $2'),
        ("AIRFOIL_HOST='it\\'s $$' # it's", "it's $$"),
        ("AIRFOIL_HOST=a#b", "a#b"),
        ("AIRFOIL_HOST=", ""),
        ("AIRFOIL_HOST=one\nAIRFOIL_HOST=two\nAIRFOIL_HOSTS=three", "two"),
    ],
)
def test_values_that_a_person_wrote_are_read_without_what_does_not_belong_to_them(tmp_path, line, value):
    (tmp_path / ".env").write_text(f"{line}\n", encoding="utf-8")
    script = f". {shipped.folder() / 'compose' / 'steps.sh'}; value_of AIRFOIL_HOST"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"{value}\n"


@pytest.mark.parametrize(
    ("containers", "state"),
    [
        ("", "absent"),
        ("healthy", "healthy"),
        ("healthy,starting", "starting"),
        ("healthy,exited_1,starting", "exited 1"),
        ("healthy,running", "running"),
    ],
)
def test_a_service_is_as_well_as_its_worst_container(machine, containers, state):
    assert ask(machine, "state_of airflow-worker", CONTAINERS=containers) == state


def test_waiting_ends_with_the_last_words_of_what_is_not_well(machine):
    done = run(machine, "sh", "-c", ". ./steps.sh; wait_for mlflow", CONTAINERS="starting", WAIT_SECONDS="0")
    assert done.returncode == 1
    assert "mlflow is starting after 0 s." in done.stderr


@pytest.mark.parametrize(
    ("workers_outside", "answered", "how"),
    [("false", "404", "ok"), ("false", "200", "FAILED"), ("true", "200", "ok"), ("true", "404", "FAILED")],
)
def test_the_execution_api_is_open_to_the_outside_where_workers_are_there_and_nowhere_else(
    machine, workers_outside, answered, how
):
    answering(machine)
    set_value(machine, "EDGE_WORKERS", workers_outside)
    done = run(machine, "sh", "verify.sh", "--pages", EXECUTION=answered)
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("Execution API from outside")]
    assert row.split()[4] == how, done.stdout


@pytest.mark.parametrize(
    ("tls", "place", "trusted"),
    [
        ("internal", "ca.crt", "ca.crt"),
        ("automatic", "ca.crt", ""),
        ("automatic", "tls/ca.crt", ""),
        ("own", "ca.crt", ""),
        ("own", "tls/ca.crt", "./tls/ca.crt"),
    ],
)
def test_an_authority_is_trusted_only_where_it_is_that_of_this_server(machine, tls, place, trusted):
    answering(machine)
    set_value(machine, "AIRFOIL_TLS", tls)
    (machine / place).write_text("an authority", encoding="utf-8")
    done = run(machine, "sh", "verify.sh", "--pages", EXECUTION="404")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(deeds(machine)) == ({f"trusted {trusted}"} if trusted else set())
