"""install.sh where Docker only pretends: which files it writes, for which release, and by whose airfoil."""

from __future__ import annotations

import pytest
from tests.deploy.pretended_machine import (
    OURS,
    answering,
    as_checkout,
    ask,
    deeds,
    run,
    set_value,
    written_server,
)

import airfoil

pytestmark = pytest.mark.deploy


def test_another_release_is_built_and_started_as_itself_so_that_its_databases_are_dumped(machine):
    secret = ask(machine, "value_of FERNET_KEY")
    set_value(machine, "AIRFOIL_TAG", "0.0.9")
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS)
    assert "no server here" in done.stderr, done.stdout + done.stderr
    assert deeds(machine) == [f"built as {airfoil.__version__}", f"started as {airfoil.__version__}"]
    assert f".env was written by Airfoil 0.0.9, and this is {airfoil.__version__}" in done.stdout
    assert ask(machine, "value_of FERNET_KEY") == secret
    assert ask(machine, "value_of HTTPS_PORT") == "127.0.0.1:2"


def test_another_start_of_the_same_release_keeps_what_the_shell_of_the_rendering_said(machine):
    written_server(machine.parents[1], "deploy/compose", AIRFOIL_ALERTS_WEBHOOK="https://chat.example.com/1")
    before = {path: path.read_bytes() for path in machine.rglob("*") if path.is_file()}
    assert b"chat.example.com" in before[machine / "setup.json"]
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS)
    assert deeds(machine)[-1] == f"started as {airfoil.__version__}", done.stdout + done.stderr
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("name", ["setup.json", "compose.override.yaml"])
def test_a_file_that_is_not_there_is_written(machine, name):
    (machine / name).unlink()
    refused = run(machine, "sh", "install.sh", "--check", AIRFOIL=OURS)
    assert (refused.returncode, f"Not written yet: {name}." in refused.stderr) == (1, True)
    run(machine, "sh", "install.sh", AIRFOIL=OURS)
    assert (machine / name).is_file()


@pytest.mark.parametrize(("shell", "note"), [({}, True), ({"AIRFOIL_ALERTS_WEBHOOK": "https://c/1"}, False)])
def test_another_release_in_a_shell_without_the_passwords_of_alerts_is_told(machine, shell, note):
    written_server(machine.parents[1], "deploy/compose", AIRFOIL_ALERTS_WEBHOOK="https://c/1")
    set_value(machine, "AIRFOIL_TAG", "0.0.9")
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS, **shell)
    assert ("alerts take another way than before" in done.stdout) == note, done.stdout + done.stderr


def test_the_image_is_given_settings_of_the_shell_and_an_authority_outside_the_project(machine, tmp_path):
    authority = tmp_path / "pki" / "ca.pem"
    authority.parent.mkdir()
    authority.touch()
    as_checkout(machine, "9.9.9")
    set_value(machine, "LOGIN_CA_FILE", str(authority))
    shell = {"AIRFOIL_ALERTS_WEBHOOK": "https://chat.example.com/secret"}
    done = run(machine, "sh", "install.sh", IMAGE_RELEASE="9.9.9", **shell)
    rendered = deeds(machine)[1]
    assert "--env AIRFOIL_ALERTS_WEBHOOK " in rendered, done.stderr
    assert "secret" not in rendered
    assert f"--volume {authority}:{authority}:ro " in rendered


@pytest.mark.parametrize("named", ["", "/nowhere/ca.pem"])
def test_an_authority_that_is_not_there_is_not_mounted(machine, named):
    # Docker would make a folder of that name.
    as_checkout(machine, "9.9.9")
    set_value(machine, "LOGIN_CA_FILE", named)
    run(machine, "sh", "install.sh", IMAGE_RELEASE="9.9.9")
    assert deeds(machine)[1].count("--volume") == 1


def test_a_server_right_below_its_project_is_written_and_built_out_of_it(machine):
    root = machine.parents[1]
    folder = written_server(root, "server")
    set_value(folder, "AIRFOIL_TAG", "0.0.9")
    done = run(folder, "sh", "install.sh", AIRFOIL=OURS)
    assert deeds(folder)[-1] == f"started as {airfoil.__version__}", done.stdout + done.stderr
    as_checkout(folder, "9.9.9")
    (folder / "deeds").unlink()
    run(folder, "sh", "install.sh", IMAGE_RELEASE="9.9.9")
    built, rendered, *_ = deeds(folder)
    assert built.endswith(f" {root}")
    assert f"--volume {root}:{root} --workdir {root} " in rendered
    assert rendered.endswith(f"airfoil deploy compose {folder}")


def test_a_folder_without_a_project_is_named(machine):
    (machine.parents[1] / "airfoil.toml").unlink()
    (machine / "setup.json").unlink()
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS)
    assert (done.returncode, "There is no airfoil.toml" in done.stderr) == (1, True)


def test_without_an_airfoil_of_this_release_that_of_its_image_writes_the_files(machine):
    as_checkout(machine, "9.9.9")
    set_value(machine, "PYTHON_IMAGE", "registry.example.com/python:3.12")
    done = run(machine, "sh", "install.sh", IMAGE_RELEASE="9.9.9")
    built, rendered, *rest = deeds(machine)
    assert "--target airflow" in built, done.stderr
    assert "--build-arg PYTHON_IMAGE=registry.example.com/python:3.12" in built
    assert rendered.endswith(f"airfoil/airflow:first airfoil deploy compose {machine}")
    assert rest == ["built as 9.9.9", "started as 9.9.9"]


def test_without_a_checkout_the_image_is_of_the_version_that_wrote_the_files(machine):
    set_value(machine, "AIRFOIL_TAG", "0.0.9")
    script = ". ./steps.sh; find_root; airfoil= release=; render"
    done = run(machine, "sh", "-c", script, IMAGE_RELEASE="0.0.9")
    assert done.returncode == 0, done.stderr
    assert "--build-arg AIRFOIL_REQUIREMENT=airfoil==0.0.9" in deeds(machine)[0]


def test_images_that_are_there_write_the_files_too(machine):
    as_checkout(machine, "9.9.9")
    done = run(machine, "sh", "install.sh", "--no-build", IMAGE_RELEASE="9.9.9")
    assert "airfoil/airflow:9.9.9 airfoil deploy compose" in deeds(machine)[0], done.stderr
    assert deeds(machine)[1:] == ["started as 9.9.9"]
    (machine / "setup.json").unlink()
    done = run(machine, "sh", "install.sh", "--no-build", NO_IMAGE="1")
    assert (done.returncode, "nor the image airfoil/airflow:9.9.9" in done.stderr) == (1, True)


def test_an_airfoil_of_another_release_than_the_checkout_is_refused(machine):
    as_checkout(machine, "9.9.9")
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS)
    assert done.returncode == 1
    assert f"is Airfoil {airfoil.__version__}, and this is a checkout of 9.9.9" in done.stderr
    assert deeds(machine) == []


@pytest.mark.parametrize(("tls", "stays"), [("internal", True), ("automatic", False), ("own", False)])
def test_an_authority_stays_only_as_long_as_the_server_has_its_own(machine, tls, stays):
    answering(machine)
    set_value(machine, "AIRFOIL_TLS", tls)
    (machine / "ca.crt").write_text("of before", encoding="utf-8")
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS, SERVER_STARTS="1", EXECUTION="404")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (machine / "ca.crt").exists() == stays
    assert not stays or (machine / "ca.crt").read_text(encoding="utf-8") == "of the proxy\n"
    told = f"{tls}, a public one"
    assert (told in done.stdout) == (not stays), done.stdout


def test_without_building_an_image_that_is_not_there_is_named_before_anything_is_started(machine):
    done = run(machine, "sh", "install.sh", "--no-build", AIRFOIL=OURS, NO_IMAGE="1")
    assert done.returncode == 1
    assert f"There is no image airfoil/airflow:{airfoil.__version__} on this machine." in done.stderr
    assert "leave out --no-build" in done.stderr
    assert deeds(machine) == []
    none_of_ours = run(machine, "sh", "install.sh", "--no-build", AIRFOIL=OURS, NO_IMAGE="1", IMAGES=" ")
    assert "no server here" in none_of_ours.stderr, "it went on to the start"


def test_what_env_no_longer_asks_for_is_stopped_and_nothing_else(machine):
    there = {"SERVICES_THERE": "postgres mlflow mlflow-old s3", "SERVICES": "postgres mlflow s3"}
    run(
        machine,
        "sh",
        "install.sh",
        "--no-build",
        AIRFOIL=OURS,
        SERVER_STARTS="1",
        CONTAINERS="healthy",
        **there,
    )
    assert [one for one in deeds(machine) if " rm " in one] == ["docker compose rm --stop --force mlflow-old"]


def test_where_all_that_is_there_is_asked_for_nothing_is_stopped(machine):
    there = {"SERVICES_THERE": "postgres s3", "SERVICES": "postgres s3"}
    run(
        machine,
        "sh",
        "install.sh",
        "--no-build",
        AIRFOIL=OURS,
        SERVER_STARTS="1",
        CONTAINERS="healthy",
        **there,
    )
    assert "started as" in " ".join(deeds(machine))
    assert not [one for one in deeds(machine) if " rm " in one]
