"""Docker's own tools on a server's files: what they ask a registry for, and what a build is sent.

The engine only pretends, so that nothing is fetched, built or started; Compose and docker are the real ones.
"""

from __future__ import annotations

import os
import shutil

import pytest
from tests.deploy import engine
from tests.deploy.pretended_engine import pretending

from airfoil.settings import load
from airfoil.stack.deploy import admission, compose, env_file
from airfoil.stack.project import Project

pytestmark = pytest.mark.deploy

OURS = "airfoil/"
REGISTRY = "registry.example.com:5000/ml"
IN_REGISTRY = {
    f"{name}_IMAGE": f"{REGISTRY}/{name.lower()}:1" for name in ("AIRFLOW", "MLFLOW", "FEATURES", "STATUS")
}


def server(root, inside="deploy/compose", toml="", **variables):
    """Write a server's files, and once more after a person has changed .env."""
    (root / "features").mkdir(parents=True, exist_ok=True)
    (root / "features" / "feature_store.yaml").write_text("project: shop\n", encoding="utf-8")
    (root / "airfoil.toml").write_text(f'[project]\nname = "shop"\n{toml}', encoding="utf-8")
    target = root / inside
    for _ in range(2):
        compose.write(compose.rendered(Project(root), load(root, {}), target, {}), target)
        file = target / env_file.NAME
        values = env_file.values(file.read_text(encoding="utf-8")) | variables
        file.write_text(env_file.rendered(file.read_text(encoding="utf-8"), values), encoding="utf-8")
    return target


def asked(tmp_path, folder, *words, has):
    """Run Compose; what it asked the engine for."""
    with pretending(tmp_path / "engine", has) as pretended:
        environment = {"DOCKER_HOST": pretended.address, "BUILDX_CONFIG": str(tmp_path)}
        done = engine.Compose(folder, environment).run(*words, check=False, timeout=120)
    assert pretended.looked_for, done.stderr[-1000:]
    return pretended, done.stdout + done.stderr


def others(name):
    return not name.startswith((OURS, REGISTRY))


def test_a_server_without_images_builds_ours_and_asks_nobody_for_them(tmp_path):
    pretended, said = asked(tmp_path, server(tmp_path / "shop"), "up", "--detach", has=others)
    assert [one for one in pretended.fetched if one.startswith(OURS)] == [], said
    assert pretended.builds, said


def test_newer_images_are_fetched_of_others_alone(tmp_path):
    pretended, said = asked(tmp_path, server(tmp_path / "shop"), "pull", has=lambda _: False)
    assert pretended.fetched, said
    assert [one for one in pretended.fetched if one.startswith(OURS)] == [], said


def test_without_images_and_without_a_build_nobody_is_asked_either(tmp_path):
    folder = server(tmp_path / "shop")
    pretended, said = asked(tmp_path, folder, "up", "--detach", "--no-build", has=others)
    assert (pretended.fetched, pretended.builds) == ([], 0), said


def test_images_in_a_registry_of_yours_are_fetched(tmp_path):
    folder = server(tmp_path / "shop", **IN_REGISTRY)
    pretended, said = asked(tmp_path, folder, "up", "--detach", "--no-build", has=others)
    assert set(pretended.fetched) <= set(IN_REGISTRY.values()), said
    assert pretended.fetched, said


@pytest.mark.parametrize(("variables", "fetched"), [({}, []), (IN_REGISTRY, [f"{REGISTRY}/airflow:1"])])
def test_a_worker_on_another_host_asks_for_an_image_where_its_name_says_of_whom(tmp_path, variables, fetched):
    root = tmp_path / "shop"
    folder = server(root, **PUBLIC, **variables)
    admitted = admission.admit(Project(root), load(root, {}), folder, {}, name="far-1")
    words = ("--file", admitted.file.name, "up", "--detach")
    pretended, said = asked(tmp_path, folder, *words, has=others)
    assert pretended.fetched == fetched, said
    assert pretended.looked_for == {admitted.image}, said


PUBLIC = {"AIRFOIL_HOST": "ml.example.com", "AIRFOIL_TLS": "automatic", "AIRFOIL_TLS_EMAIL": "a@example.com"}
SECRETS = {
    f"{{server}}/{name}"
    for name in (
        ".env",
        ".env.before-restore",
        "setup.json",
        "mine.yaml",
        "compose.override.yaml",
        "worker-far-1.yaml",
        "workers/workers.json",
        "tls/tls.key",
        "tls/bundle.p12",
        "ca.crt",
        "sbom/airflow.cdx.json",
    )
}
CODE = {"airfoil.toml", "flows/daily.py", "plug/ins/mine.py", "store [1]/feature_store.yaml", "src/shop/a.py"}
BUILT_WITH = {
    f"{{server}}/{name}" for name in ("constraints.txt", "images/airflow.txt", "wheels/airfoil.whl")
}
STRANGERS = {"dags/old.py", "flows/.env", "flows/__pycache__/daily.pyc", "notes.txt", ".airfoil/secrets.json"}


@pytest.mark.parametrize("inside", ["deploy/compose", "server", "ops/one server"])
def test_a_build_is_sent_the_projects_folders_by_their_names_and_no_secret(tmp_path, inside):
    root = tmp_path / "shop"
    toml = '[airflow]\ndags = "flows"\nplugins = "plug/ins"\n[feast]\nrepo = "store [1]"\n'
    folder = server(root, inside, toml)
    wanted = {name.format(server=inside) for name in CODE | BUILT_WITH}
    secret = {name.format(server=inside) for name in SECRETS | STRANGERS}
    for name in wanted | secret:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    # By the builder without BuildKit, which takes the list of a folder alone; both read it with the same library.
    shutil.copy(folder / "Dockerfile.dockerignore", root / ".dockerignore")
    with pretending(tmp_path / "engine", others) as pretended:
        environment = {**os.environ, "DOCKER_HOST": pretended.address, "DOCKER_BUILDKIT": "0"}
        words = ("build", "--file", str(folder / "Dockerfile"), str(root))
        done = engine.run(engine.docker_binary(), *words, check=False, env=environment, timeout=120)
    if not pretended.sent:
        engine.missing(f"this docker sends no files without BuildKit: {done.stderr[-300:]}")
    assert wanted <= pretended.sent, wanted - pretended.sent
    assert secret & pretended.sent == set()
