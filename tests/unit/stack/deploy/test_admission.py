"""A worker of another host is let in and out: the list, the switch in .env, the file that only its owner reads."""

from __future__ import annotations

import json
import os
import stat

import pytest

from airfoil.errors import AirfoilError, ConfigurationError
from airfoil.settings import load
from airfoil.stack.deploy import admission, compose, env_file
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "airfoil.toml").write_text('[project]\nname = "shop"\n', encoding="utf-8")
    project = Project(tmp_path)
    target = tmp_path / "deploy" / "compose"
    compose.write(compose.rendered(project, load(tmp_path, {}), target, {}), target)
    change(target, AIRFOIL_HOST="ml.example.com")
    (target / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n", encoding="utf-8")
    return project


def target_of(project):
    return project.root / "deploy" / "compose"


def change(target, **changes):
    text = (target / ".env").read_text(encoding="utf-8")
    (target / ".env").write_text(env_file.rendered(text, env_file.values(text) | changes), encoding="utf-8")


def values(target):
    return env_file.values((target / ".env").read_text(encoding="utf-8"))


def admit(project, name="far-1", **options):
    return admission.admit(project, load(project.root, {}), target_of(project), {}, name=name, **options)


def known(project):
    return json.loads((target_of(project) / "workers" / "workers.json").read_text(encoding="utf-8"))


def test_the_first_one_opens_the_server_and_the_next_finds_it_open(shop):
    before = values(target_of(shop))
    first = admit(shop)
    assert first.is_first
    after = values(target_of(shop))
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"EDGE_WORKERS", "EDGE_EXECUTOR", "AIRFOIL_URL", "AIRFOIL_HOSTS", "AIRFOIL_MLFLOW_URL"}
    assert after["EDGE_EXECUTOR"] == ",EdgeExecutor:airfoil.runtime.edge_executor.EdgeExecutor"
    assert not admit(shop, "far-2").is_first
    assert sorted(known(shop)) == ["far-1", "far-2"]


def test_the_file_is_its_owner_s_alone_and_what_the_server_reads_is_for_all(shop):
    found = admit(shop)
    assert found.file == target_of(shop) / "worker-far-1.yaml"
    assert stat.S_IMODE(found.file.stat().st_mode) == 0o600
    assert "BEGIN CERTIFICATE" in found.file.read_text(encoding="utf-8")
    for name in ("keys.json", "workers.json"):
        assert stat.S_IMODE((target_of(shop) / "workers" / name).stat().st_mode) & 0o044 == 0o044
    assert stat.S_IMODE((target_of(shop) / ".env").stat().st_mode) == 0o600


def test_containers_read_the_list_whatever_the_umask_is(shop):
    before = os.umask(0o077)
    try:
        admit(shop)
    finally:
        os.umask(before)
    workers = target_of(shop) / "workers"
    assert stat.S_IMODE(workers.stat().st_mode) & 0o055 == 0o055
    assert stat.S_IMODE((workers / "workers.json").stat().st_mode) & 0o044 == 0o044


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_what_root_writes_belongs_to_whose_the_server_is(shop):
    os.chown(target_of(shop), 4711, 4711)
    found = admit(shop)
    assert found.file.stat().st_uid == 4711
    assert stat.S_IMODE(found.file.stat().st_mode) == 0o600


def test_a_second_file_for_the_same_name_ends_the_first(shop):
    first, text = admit(shop), known(shop)
    second = admit(shop)
    assert first.file == second.file
    assert known(shop)["far-1"]["token"] != text["far-1"]["token"]


def test_one_that_is_dismissed_is_on_no_list_and_leaves_no_file(shop):
    found = admit(shop)
    admission.dismiss(target_of(shop), "far-1")
    assert known(shop) == {}
    assert not found.file.exists()
    with pytest.raises(ConfigurationError, match="No worker"):
        admission.dismiss(target_of(shop), "far-1")


def test_queues_are_those_that_the_server_sends_there(shop):
    change(target_of(shop), EDGE_QUEUES="edge,gpu")
    assert admit(shop).queues == ("edge", "gpu")
    assert admit(shop, queues=["gpu"]).queues == ("gpu",)
    with pytest.raises(ConfigurationError, match='"ml" is not one of those') as error:
        admit(shop, queues=["ml"])
    assert "edge, gpu" in error.value.in_full


@pytest.mark.parametrize(
    ("changes", "options", "why"),
    [
        ({"EDGE_QUEUES": "ml"}, {}, "EDGE_QUEUES in .env names ml"),
        ({"AIRFOIL_PARTS": "nothing"}, {}, "AIRFOIL_PARTS in .env"),
        (
            {"EDGE_SIGNING_KEY": "short-but-long-enough-0123456789"},
            {},
            "EDGE_SIGNING_KEY in .env is not a key",
        ),
        ({}, {"name": "Far"}, "cannot be the name of a worker"),
    ],
)
def test_what_is_refused_leaves_everything_as_it_was(shop, changes, options, why):
    change(target_of(shop), **changes)
    before = {path: path.read_bytes() for path in target_of(shop).rglob("*") if path.is_file()}
    with pytest.raises(AirfoilError, match=why):
        admit(shop, **options)
    assert {path: path.read_bytes() for path in target_of(shop).rglob("*") if path.is_file()} == before


def test_a_switch_that_somebody_has_set_by_hand_is_the_first_time_too(shop):
    change(target_of(shop), EDGE_WORKERS="true")
    assert admit(shop).is_first
    assert values(target_of(shop))["EDGE_EXECUTOR"]
    assert not admit(shop).is_first


def test_a_shell_that_says_something_else_of_alerts_is_told(shop):
    shell = {"AIRFOIL_ALERTS_WEBHOOK": "https://chat.example.com/1"}
    told = load(shop.root, shell)
    compose.write(compose.rendered(shop, told, target_of(shop), shell), target_of(shop))
    again = admission.admit(shop, told, target_of(shop), shell, name="far-1")
    assert not again.changes_alerts
    assert admit(shop).changes_alerts
    assert not admit(shop).changes_alerts


def test_a_server_that_only_this_machine_reaches_is_told(shop):
    change(target_of(shop), AIRFOIL_HOST="localhost")
    with pytest.raises(ConfigurationError, match="cannot reach localhost"):
        admit(shop)


def test_without_the_authority_nothing_is_written(shop):
    (target_of(shop) / "ca.crt").unlink()
    with pytest.raises(ConfigurationError, match=r"ca\.crt"):
        admit(shop)
    assert values(target_of(shop))["EDGE_WORKERS"] == "false"
    change(target_of(shop), AIRFOIL_TLS="own")
    assert "AIRFOIL_AUTHORITY: ''" in admit(shop).file.read_text(encoding="utf-8")


def test_an_authority_of_another_setting_is_not_given_to_a_worker(shop):
    change(target_of(shop), AIRFOIL_TLS="automatic", AIRFOIL_TLS_EMAIL="ada@example.com")
    assert "AIRFOIL_AUTHORITY: ''" in admit(shop).file.read_text(encoding="utf-8")
    change(target_of(shop), AIRFOIL_TLS="own")
    (target_of(shop) / "tls" / "ca.crt").write_text("who signed our own\n", encoding="utf-8")
    assert "who signed our own" in admit(shop).file.read_text(encoding="utf-8")


def test_where_there_is_no_server_it_is_said(shop):
    with pytest.raises(ConfigurationError, match="There is no server"):
        admission.admit(shop, load(shop.root, {}), shop.root / "elsewhere", {}, name="a")


def test_a_server_of_an_older_release_gets_the_variables(shop):
    file = target_of(shop) / ".env"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith("EDGE_")), encoding="utf-8"
    )
    assert admit(shop).queues == ("edge",)
    assert values(target_of(shop))["EDGE_WORKERS"] == "true"
