"""Digests of files: another one for the services that mount what changed, the same for all others."""

from __future__ import annotations

import shutil

import pytest

from airfoil.stack.deploy import mounted_files, shipped

pytestmark = pytest.mark.unit


@pytest.fixture
def deploy(tmp_path):
    return shutil.copytree(shipped.folder(), tmp_path / "deploy")


def changed(deploy, change):
    """The services whose digest is another one after a change."""
    before = mounted_files.digests(deploy)
    change()
    after = mounted_files.digests(deploy)
    assert set(before) == set(after)
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("compose/Caddyfile", {"proxy"}),
        ("compose/s3.sh", {"s3"}),
        ("monitoring/statsd.yml", {"statsd-exporter"}),
        ("monitoring/prometheus.yml", {"prometheus"}),
        ("monitoring/rules/platform.yml", {"prometheus"}),
        ("monitoring/alertmanager.sh", {"alertmanager"}),
        ("monitoring/grafana/datasources.yml", {"grafana"}),
        ("monitoring/dashboards/airfoil-server.json", set()),  # Grafana looks by itself
        ("compose/postgres.sh", set()),  # of a job
        ("compose/verify.sh", set()),
    ],
)
def test_a_changed_file_is_seen_by_those_that_mount_it(deploy, name, services):
    path = deploy / name
    path.parent.mkdir(parents=True, exist_ok=True)

    def change():
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(f"{text}\n", encoding="utf-8")

    assert changed(deploy, change) == services


def test_a_file_that_is_only_written_again_is_the_same(deploy):
    path = deploy / "compose" / "Caddyfile"

    def again():
        text = path.read_bytes()
        path.unlink()
        path.write_bytes(text)

    assert changed(deploy, again) == set()


def test_a_rule_that_is_renamed_or_new_is_seen(deploy):
    rules = deploy / "monitoring" / "rules"
    assert changed(deploy, lambda: (rules / "models.yml").rename(rules / "mine.yml")) == {"prometheus"}
    assert changed(deploy, lambda: (rules / "new.yml").write_text("groups: []\n")) == {"prometheus"}


def test_what_is_written_for_one_server_is_seen(deploy, tmp_path):
    plain = mounted_files.digests(deploy)
    assert set(plain) == set(mounted_files.SHIPPED)
    first = mounted_files.digests(deploy, "project: shop\n")
    second = mounted_files.digests(deploy, "project: mine\n")
    assert set(first) - set(plain) == set(mounted_files.FEATURE_READERS)
    assert {name for name in first if first[name] != second[name]} == set(mounted_files.FEATURE_READERS)
    authority = tmp_path / "ca.pem"
    assert mounted_files.digests(deploy, "", authority) == plain, "it is not there yet"
    authority.write_text("one", encoding="utf-8")
    one = mounted_files.digests(deploy, "", authority)
    authority.write_text("two", encoding="utf-8")
    two = mounted_files.digests(deploy, "", authority)
    assert {name for name in two if one.get(name) != two[name]} == {mounted_files.AUTHORITY_READER}
