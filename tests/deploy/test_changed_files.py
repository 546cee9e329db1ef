"""After another rendering Compose itself says which containers it would replace: those whose files have changed.

Compose keeps a hash of each service's configuration in its container; another hash at `up` means another container.
"""

from __future__ import annotations

import shutil

import pytest
from tests.deploy import engine

from airfoil.settings import load
from airfoil.stack.deploy import compose, shipped
from airfoil.stack.project import Project

pytestmark = pytest.mark.deploy


@pytest.fixture
def shop(tmp_path):
    """A project, and the files of a release as they are shipped."""
    root = tmp_path / "shop"
    (root / "features").mkdir(parents=True)
    (root / "features" / "feature_store.yaml").write_text("project: shop\n", encoding="utf-8")
    (root / "airfoil.toml").write_text('[project]\nname = "shop"\n', encoding="utf-8")
    shutil.copytree(shipped.folder(), tmp_path / "deploy")
    return root


def hashes(root):
    """Render as `airfoil deploy compose` does; service -> what Compose compares."""
    folder = root / "deploy" / "compose"
    rendering = compose.rendered(Project(root), load(root, {}), folder, {}, root.parent / "deploy")
    compose.write(rendering, folder)
    said = engine.Compose(folder)("config", "--hash", "*")
    return dict(line.split() for line in said.splitlines())


def replaced(before, after):
    return {name for name in before if before[name] != after[name]}


def test_exactly_the_containers_whose_files_have_changed_are_replaced(shop):
    first = hashes(shop)
    assert {"proxy", "prometheus", "s3", "airflow-worker"} <= set(first)
    assert replaced(first, hashes(shop)) == set(), "nothing has changed"
    for name in ("compose/Caddyfile", "monitoring/rules/platform.yml"):
        path = shop.parent / "deploy" / name
        path.write_text(f"{path.read_text(encoding='utf-8')}\n# A later release.\n", encoding="utf-8")
    second = hashes(shop)
    assert replaced(first, second) == {"proxy", "prometheus"}
    (shop / "features" / "feature_store.yaml").write_text("project: other\n", encoding="utf-8")
    third = replaced(second, hashes(shop))
    assert {"airflow-worker", "airflow-scheduler", "maintenance", "feature-server"} <= third
    assert third & {"postgres", "redis", "s3", "mlflow", "proxy", "prometheus", "status"} == set()
