"""`airfoil backup schedule`: what it asks for, what it writes, what it says."""

from __future__ import annotations

import tomllib

import pytest

pytestmark = pytest.mark.unit


@pytest.fixture
def passphrase(tmp_path):
    file = tmp_path / "passphrase"
    file.write_text("words that nobody guesses\n")
    file.chmod(0o600)
    return str(file)


def backup_of(project):
    return tomllib.loads(project.toml.read_text(encoding="utf-8")).get("backup", {})


def test_nothing_is_scheduled_at_first(airfoil, project):
    assert "airfoil backup schedule --at 01:30" in airfoil("backup", "schedule").out
    assert airfoil("backup", "schedule", "--json").json()["schedule"] == ""
    assert backup_of(project) == {}


def test_a_time_is_kept_with_all_that_it_needs(airfoil, project, passphrase):
    done = airfoil(
        "backup", "schedule", "--at", "1:05", "--passphrase-file", passphrase, "--to", "s3://kept/shop"
    )
    assert done.code == 0, done.err
    assert backup_of(project) == {
        "schedule": "5 1 * * *",
        "passphrase_file": passphrase,
        "place": "s3://kept/shop",
    }
    assert "platform_backup" in (project.dags / "platform_backup.py").read_text(encoding="utf-8")
    assert "Next: airfoil up" in done.out
    assert "into s3://kept/shop" in airfoil("backup", "schedule").out


def test_a_dag_of_ones_own_stays(airfoil, project, passphrase):
    (project.dags / "platform_backup.py").write_text("# mine\n")
    assert airfoil("backup", "schedule", "--at", "23:59", "--passphrase-file", passphrase).code == 0
    assert (project.dags / "platform_backup.py").read_text() == "# mine\n"


def test_without_a_passphrase_in_a_file_nothing_is_changed(airfoil, project, tmp_path):
    done = airfoil("backup", "schedule", "--at", "01:30")
    assert done.code == 1
    assert "--passphrase-file FILE" in done.err
    short = tmp_path / "short"
    short.write_text("abc")
    assert airfoil("backup", "schedule", "--at", "01:30", "--passphrase-file", str(short)).code == 1
    assert backup_of(project) == {}


def test_off_leaves_the_rest(airfoil, project, passphrase):
    airfoil("backup", "schedule", "--at", "01:30", "--passphrase-file", passphrase)
    assert "No backup is taken by itself" in airfoil("backup", "schedule", "--off").out
    assert backup_of(project) == {"passphrase_file": passphrase}


@pytest.mark.parametrize(
    "words", [["--at", "25:00"], ["--at", "noon"], ["--off", "--at", "01:30"], ["--to", "x"]]
)
def test_what_makes_no_sense_is_a_wrong_command_line(airfoil, project, words):
    assert airfoil("backup", "schedule", *words).code == 2
    assert backup_of(project) == {}
