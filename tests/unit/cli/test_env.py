"""`airfoil env`: what it prints is read by the shells themselves, and a terminal shows no password."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from airfoil.cli import console
from airfoil.cli.env import for_dotenv, for_fish, for_sh
from airfoil.stack import secrets

pytestmark = pytest.mark.unit

NASTY = ["plain", "a b", "it's", 'a "b" $HOME `id`', "back\\slash", "ä ü", "semi;colon #x", ""]


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
@pytest.mark.parametrize("value", NASTY)
def test_a_shell_reads_what_was_meant(shell, value):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    say = for_fish if shell == "fish" else for_sh
    script = f"{say('AIRFOIL_TEST_X', value)}\nprintenv AIRFOIL_TEST_X"
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == value + "\n"


@pytest.mark.parametrize("value", [*NASTY, "two\nlines"])
def test_a_dotenv_file_is_read_as_it_was_meant(tmp_path, value):
    from dotenv import dotenv_values

    (tmp_path / ".env").write_text(for_dotenv("X", value) + "\n", encoding="utf-8")
    assert dotenv_values(tmp_path / ".env", interpolate=False)["X"] == value


def test_eval_of_the_whole_output(airfoil, project):
    outcome = airfoil("env")
    assert outcome.code == 0
    assert outcome.err == "The platform is not running: these are the addresses of its last start.\n"
    script = 'eval "$(cat)"; printf %s "$AIRFLOW_API_PASSWORD|$MLFLOW_TRACKING_URI|$PYTHONPATH"'
    done = subprocess.run(["sh", "-c", script], input=outcome.out, capture_output=True, text=True, check=True)
    password = secrets.load(project).admin_password
    assert done.stdout == f"{password}|http://127.0.0.1:5000|{project.sources}"


def test_json_and_dotenv_and_fish(airfoil, project):
    found = airfoil("env", "--json").json()
    assert found["secrets"] == ["AIRFLOW_API_PASSWORD"]
    assert found["variables"]["AIRFLOW_API_PASSWORD"] == secrets.load(project).admin_password
    assert "\nMLFLOW_TRACKING_URI='http://127.0.0.1:5000'\n" in airfoil("env", "--dotenv").out
    assert "\nset -gx MLFLOW_TRACKING_URI 'http://127.0.0.1:5000'\n" in airfoil("env", "--fish").out
    assert airfoil("env", "--fish", "--json").code == 2


def test_a_terminal_shows_passwords_only_when_asked(airfoil, project, monkeypatch):
    monkeypatch.setattr(console, "is_terminal", lambda *_: True)
    password = secrets.load(project).admin_password
    for form in ((), ("--json",), ("--dotenv",), ("--fish",)):
        assert password not in airfoil("env", *form).out
        assert password in airfoil("env", *form, "--secrets").out
    assert "# AIRFLOW_API_PASSWORD is not shown on a terminal; add --secrets" in airfoil("env").out
    json.loads(airfoil("env", "--json").out)


def test_before_the_first_start(airfoil, project):
    project.secrets.unlink()
    outcome = airfoil("env")
    assert (outcome.code, outcome.out) == (1, "")
    assert "Nothing was ever started" in outcome.err
