"""The worker of maintenance reads the two DAG files of the package, whatever the project holds under the same names."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

from airfoil.provider import policy
from airfoil.runtime.container import own_dags

pytestmark = pytest.mark.unit

GIT = [
    {
        "name": "shop",
        "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
        "kwargs": {"tracking_ref": "main"},
    },
    {"name": "dags-folder", "classpath": "x.Y", "kwargs": {}},
]


def test_the_policy_names_the_same_dags():
    assert own_dags.DAG_IDS == policy.OF_MAINTENANCE


def test_two_files_are_there_and_no_other_and_no_plugin(tmp_path):
    environment = {}
    own_dags.own_dags(environment, tmp_path / "own")
    dags = tmp_path / "own" / "dags"
    assert sorted(path.stem for path in dags.iterdir()) == sorted(own_dags.DAG_IDS)
    assert (dags / "platform_backup.py").read_bytes() == (
        own_dags.source() / "platform_backup.py"
    ).read_bytes()
    assert stat.S_IMODE(dags.stat().st_mode) == 0o700
    assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == str(dags)
    assert list((tmp_path / "own" / "plugins").iterdir()) == []
    (dags / "platform_backup.py").write_text("raise SystemExit", encoding="utf-8")
    own_dags.own_dags(environment, tmp_path / "own")
    assert "SystemExit" not in (dags / "platform_backup.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "names"), [("", ["dags-folder"]), (json.dumps(GIT), ["shop", "dags-folder"])]
)
def test_every_bundle_of_the_server_lies_there(tmp_path, given, names):
    environment = {own_dags.BUNDLES: given}
    own_dags.own_dags(environment, tmp_path / "own")
    found = json.loads(environment[own_dags.BUNDLES])
    assert [one["name"] for one in found] == names
    assert {one["kwargs"]["path"] for one in found} == {str(tmp_path / "own" / "dags")}
    assert {one["classpath"].rpartition(".")[2] for one in found} == {"LocalDagBundle"}


def test_a_wheel_carries_them(tmp_path):
    carried = tmp_path / "airfoil" / "templates" / "dags"
    carried.mkdir(parents=True)
    assert own_dags.source(tmp_path / "airfoil") == carried


def test_a_file_of_the_project_is_not_run_by_airflow_under_these_settings(tmp_path):
    """What a task process does: ask Airflow where the bundle lies, with a commit of git in hand, and read its files."""
    project = tmp_path / "project"
    project.mkdir()
    mark = tmp_path / "stolen"
    (project / "platform_backup.py").write_text(f"open({str(mark)!r}, 'w')", encoding="utf-8")
    environment = {own_dags.BUNDLES: json.dumps(GIT), "AIRFLOW__CORE__DAGS_FOLDER": str(project)}
    own_dags.own_dags(environment, tmp_path / "own")
    code = (
        "from airflow.dag_processing.bundles.manager import DagBundlesManager\n"
        "from airflow.dag_processing.dagbag import BundleDagBag\n"
        "bundle = DagBundlesManager().get_bundle('shop', version='0123abc')\n"
        "bundle.initialize()\n"
        "bag = BundleDagBag(bundle_path=bundle.path, bundle_name=bundle.name, dag_folder=str(bundle.path))\n"
        "print(sorted(bag.dags), bag.import_errors)\n"
    )
    inherited = {**os.environ, **environment, "AIRFLOW_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=inherited, capture_output=True, text=True, check=False
    )
    assert "['database_cleanup', 'platform_backup'] {}" in done.stdout, done.stderr[-2000:]
    assert not mark.exists()
