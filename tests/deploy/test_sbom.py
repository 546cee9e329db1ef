"""sbom.sh where Docker only pretends: what each image consists of, and no half list."""

from __future__ import annotations

import json

import pytest
from tests.deploy.pretended_machine import run

pytestmark = pytest.mark.deploy


def test_what_each_image_consists_of_is_written_and_counted(machine):
    done = run(machine, "sh", "sbom.sh", "bills")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (machine / "bills").iterdir()} == {
        f"{image}.cdx.json" for image in ("airflow", "mlflow", "features", "status")
    }
    assert len(json.loads((machine / "bills" / "status.cdx.json").read_text())["components"]) == 2
    assert done.stdout.count("2 parts") == 4


@pytest.mark.parametrize(
    ("environment", "why"),
    [({"NO_IMAGE": "1"}, "no such image"), ({"OLD_IMAGE": "1"}, "could not be asked")],
)
def test_an_image_that_cannot_be_asked_takes_no_older_list_with_it(machine, environment, why):
    older = machine / "sbom" / "airflow.cdx.json"
    older.parent.mkdir()
    older.write_text("older")
    done = run(machine, "sh", "sbom.sh", **environment)
    assert done.returncode == 1
    assert why in done.stderr
    assert "build" in done.stderr
    assert older.read_text() == "older"


def test_an_image_that_this_server_leaves_out_is_skipped_and_said(machine):
    done = run(machine, "sh", "sbom.sh", IMAGES="airflow status")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (machine / "sbom").iterdir()} == {"airflow.cdx.json", "status.cdx.json"}
    skipped = [line for line in done.stdout.splitlines() if "skipped: left out" in line]
    assert [line.partition(":")[0] for line in skipped] == ["airfoil/mlflow", "airfoil/features"]


def test_a_folder_is_one_of_who_calls(machine):
    project = machine.parents[1]
    done = run(project, "sh", "deploy/compose/sbom.sh", "bills")
    assert done.returncode == 0, done.stderr
    assert (project / "bills" / "airflow.cdx.json").is_file()
    assert not (machine / "bills").exists()
    done = run(project, "sh", "deploy/compose/sbom.sh", str(project / "others"))
    assert (project / "others" / "status.cdx.json").is_file(), done.stderr


def test_help_is_given_from_elsewhere_too(machine):
    done = run(machine.parents[1], "sh", "deploy/compose/sbom.sh", "--help")
    assert (done.returncode, "sh sbom.sh FOLDER" in done.stdout) == (0, True), done.stderr
