"""`airfoil deploy`: files are written, and it is said what to do with them."""

from __future__ import annotations

import pwd

import pytest

pytestmark = pytest.mark.unit


def test_two_units_are_written_and_told_how_to_enable(airfoil, project):
    done = airfoil("deploy", "systemd")
    assert done.code == 0, done.err
    folder = project.root / "deploy/systemd"
    assert {path.name for path in folder.iterdir()} == {
        "airfoil-shop.service",
        "airfoil-shop-compose.service",
    }
    assert "sudo systemctl enable --now airfoil-shop.service" in done.out
    assert "sudo systemctl enable --now airfoil-shop-compose.service" in done.out
    assert str(project.root / "deploy/compose") in (folder / "airfoil-shop-compose.service").read_text()


def test_a_second_time_writes_the_same(airfoil, project, tmp_path):
    kept = tmp_path / "kept"
    assert airfoil("deploy", "systemd", "units", "--compose", str(kept)).code == 0
    first = {path.name: path.read_bytes() for path in (project.root / "units").iterdir()}
    assert airfoil("deploy", "systemd", "units", "--compose", str(kept)).code == 0
    assert {path.name: path.read_bytes() for path in (project.root / "units").iterdir()} == first
    assert f"WorkingDirectory={kept}".encode() in first["airfoil-shop-compose.service"]


def test_backups_in_a_bucket_need_no_folder(airfoil, project):
    project.toml.write_text(
        '[project]\nname = "shop"\n[backup]\nplace = "s3://kept/shop"\n', encoding="utf-8"
    )
    assert airfoil("deploy", "systemd").code == 0
    assert "s3:" not in (project.root / "deploy/systemd/airfoil-shop.service").read_text()


def test_root_is_told_that_a_user_would_be_better(airfoil, project, monkeypatch):
    root = pwd.struct_passwd(("root", "x", 0, 0, "", "/root", "/bin/sh"))
    monkeypatch.setattr("pwd.getpwuid", lambda _: root)
    assert "a user of its own" in airfoil("deploy", "systemd").err


def test_a_server_is_written_and_told_how_to_start(airfoil, project):
    done = airfoil("deploy", "compose")
    assert done.code == 0, done.err
    folder = project.root / "deploy/compose"
    assert (folder / ".env").stat().st_mode & 0o077 == 0
    assert f"Wrote the server's files into {folder}" in done.out
    assert "docker compose build && docker compose up -d" in done.out
    assert "Then https://localhost answers. Log in as admin" in done.out
    assert "is kept" not in done.out


def test_a_server_written_again_keeps_its_secrets(airfoil, project):
    airfoil("deploy", "compose", "ops")
    before = (project.root / "ops/.env").read_bytes()
    done = airfoil("deploy", "compose", "ops")
    assert "What .env said is kept." in done.out
    assert (project.root / "ops/.env").read_bytes() == before
    secret = next(line for line in before.decode().splitlines() if line.startswith("FERNET_KEY="))
    assert secret.partition("=")[2] not in done.out


def test_a_worker_gets_its_file_and_the_way_to_its_host_is_told(airfoil, project, monkeypatch):
    airfoil("deploy", "compose")
    folder = project.root / "deploy/compose"
    text = (folder / ".env").read_text().replace("AIRFOIL_HOST=localhost", "AIRFOIL_HOST=ml.example.com")
    (folder / ".env").write_text(text)
    (folder / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    done = airfoil("deploy", "worker", "far-1", "--concurrency", "2")
    assert done.code == 0, done.err
    assert "docker compose up -d     # lets workers of other hosts in" in done.out
    assert "ssh HOST docker compose -f worker-far-1.yaml up -d" in done.out
    assert (folder / "worker-far-1.yaml").stat().st_mode & 0o077 == 0
    assert "alerts" not in done.err
    assert "lets workers" not in airfoil("deploy", "worker", "far-2").out
    monkeypatch.setenv("AIRFOIL_ALERTS_WEBHOOK", "https://chat.example.com/1")
    assert "alerts take another way than before" in airfoil("deploy", "worker", "far-2").err
    assert "is refused from now on" in airfoil("deploy", "worker", "far-1", "--remove").out
    assert airfoil("deploy", "worker", "far-1", "--remove").code == 1
