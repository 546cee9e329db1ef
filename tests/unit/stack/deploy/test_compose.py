"""The files of a server: written once, kept where a person changed them, secret where they must be."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess

import pytest
import yaml

import airfoil
from airfoil.errors import ConfigurationError, ProjectError, SecretsError, SettingsError
from airfoil.settings import load
from airfoil.stack.deploy import compose, env_file, passwords, shipped
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


@pytest.fixture
def shop(tmp_path):
    root = tmp_path / "shop"
    (root / "features").mkdir(parents=True)
    (root / "features" / "feature_store.yaml").write_text("project: shop\n", encoding="utf-8")
    (root / "airfoil.toml").write_text('[project]\nname = "Größe 1"\n', encoding="utf-8")
    return Project(root)


def written(project, environ=None, folder="deploy/compose"):
    target = project.root / folder
    rendering = compose.rendered(project, load(project.root, {}), target, environ or {})
    compose.write(rendering, target)
    return target


def values(target):
    found = env_file.values((target / ".env").read_text(encoding="utf-8"))
    return {name: env_file.spoken(value) for name, value in found.items()}


def test_everything_is_there(shop):
    target = written(shop)
    for name in ("compose.yaml", "Caddyfile", "env.example", "s3.sh", "postgres.sh", "constraints.txt"):
        assert (target / name).is_file(), name
    assert (target / ".." / "monitoring").is_dir()
    assert (target / "tls").is_dir()
    for name in ("dags", "plugins"):
        assert (shop.root / name).is_dir()


def test_secrets_are_made_and_belong_to_their_owner(shop):
    target = written(shop)
    found = values(target)
    made = [found[name] for name in passwords.GENERATORS]
    assert all(made)
    assert len(set(made)) == len(made)
    for name in (".env", "setup.json"):
        assert stat.S_IMODE((target / name).stat().st_mode) == 0o600


def test_no_other_file_holds_a_secret(shop):
    target = written(shop)
    secrets = [values(target)[name] for name in passwords.GENERATORS]
    for path in target.parent.rglob("*"):
        if path.is_file() and path.name not in {".env", "setup.json"}:
            text = path.read_text(encoding="utf-8")
            assert [one for one in secrets if one in text] == [], path


def test_a_second_time_keeps_secrets_and_what_was_changed(shop):
    target = written(shop)
    first = (target / ".env").read_text(encoding="utf-8")
    changed = first.replace("AIRFOIL_HOST=localhost", "AIRFOIL_HOST=ml.example.com") + "MINE='a b'\n"
    (target / ".env").write_text(changed, encoding="utf-8")
    written(shop)
    found, before = values(target), env_file.values(first)
    assert found["AIRFOIL_URL"] == "https://ml.example.com"
    assert found["MINE"] == "a b"
    assert [name for name in passwords.GENERATORS if found[name] != before[name]] == []
    again = (target / ".env").read_text(encoding="utf-8")
    written(shop)
    assert (target / ".env").read_text(encoding="utf-8") == again


def test_root_takes_the_secrets_from_nobody(shop):
    if os.geteuid():
        pytest.skip("only root can give a file away")
    target = written(shop)
    os.chown(target / ".env", 4321, 4322)
    written(shop)
    found = (target / ".env").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (4321, 4322, 0o600)


def test_what_root_writes_is_his_who_has_the_project(shop):
    if os.geteuid():
        pytest.skip("only root can give a file away")
    os.chown(shop.root, 4321, 4322)
    target = written(shop)
    for path in (target / ".env", target / "compose.yaml", target, target / "images", shop.root / "dags"):
        assert (path.stat().st_uid, path.stat().st_gid) == (4321, 4322), path
    assert (target / "setup.json").stat().st_uid == int(values(target)["AIRFLOW_UID"])


def test_containers_can_read_what_they_mount_whatever_the_umask_is(shop):
    before = os.umask(0o077)
    try:
        target = written(shop)
        (target.parent / "monitoring").chmod(0o700)  # as an earlier release has left it
        written(shop)
    finally:
        os.umask(before)
    for path in [target.parent / "monitoring", *target.parent.rglob("*")]:
        wanted = 0o755 if path.is_dir() or path.suffix == ".sh" else 0o644
        if path.name not in {".env", "setup.json"}:
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path


@pytest.mark.parametrize("template", [True, False])
def test_git_add_takes_no_secret(shop, template):
    if shutil.which("git") is None:
        pytest.skip("no git on this machine")
    if template:
        shutil.copy(shipped.PACKAGE / "templates" / "minimal" / ".gitignore", shop.root)
    target = written(shop)
    for name in (".env.before-restore", "worker-berta.yaml", "tls/tls.key", "ca.crt"):
        (target / name).write_text("x", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", shop.root], check=True)
    argv = ["git", "-C", shop.root, "status", "--porcelain", "--untracked-files=all"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    names = {line[3:].removeprefix("deploy/compose/") for line in said.splitlines()}
    assert {"compose.yaml", "env.example", ".gitignore", "constraints.txt"} <= names
    private = (".env", "setup.json", "worker-", "tls", "ca.crt", "workers", "compose.override")
    assert [name for name in names if name.startswith(private)] == []


def test_files_of_a_server_are_not_taken_along_to_another_project(shop, tmp_path):
    deploy = tmp_path / "checkout" / "deploy"
    shutil.copytree(shipped.folder(), deploy)
    for name in (".env.before-restore", "worker-berta.yaml", "ca.crt", "setup.json"):
        (deploy / "compose" / name).write_text("secret", encoding="utf-8")
    target = shop.root / "server"
    rendering = compose.rendered(shop, load(shop.root, {}), target, {}, deploy)
    assert [name for name, text in rendering.shared.items() if text == "secret"] == []


@pytest.mark.parametrize("name", ["Dockerfile", "../monitoring/prometheus.yml", "setup.json"])
def test_files_of_a_person_are_not_overwritten(shop, name):
    theirs = (shop.root / "deploy" / "compose" / name).resolve()
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine", encoding="utf-8")
    with pytest.raises(ProjectError, match=f"{theirs} is there already"):
        written(shop)
    assert theirs.read_text(encoding="utf-8") == "mine"
    assert [one for one in shop.root.rglob("*") if one.is_file() and one.name == ".env"] == []


def test_a_clone_of_a_servers_folder_is_written_anew(shop):
    target = written(shop)
    (target / ".env").unlink()  # as git leaves it out
    (target / "Dockerfile").write_text("of an earlier release", encoding="utf-8")
    written(shop)
    assert (target / "Dockerfile").read_text(encoding="utf-8") != "of an earlier release"


def test_an_env_that_was_there_first_is_taken(shop):
    target = shop.root / "deploy" / "compose"
    target.mkdir(parents=True)
    (target / ".env").write_text("AIRFOIL_HOST=ml.example.com\n", encoding="utf-8")
    assert values(written(shop))["AIRFOIL_URL"] == "https://ml.example.com"


def test_a_dollar_that_compose_would_replace_is_refused_before_anything_is_written(shop):
    target = written(shop)
    with_values(target, BACKUP_PASSPHRASE="correct$horse-battery")
    (target / "Caddyfile").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="BACKUP_PASSPHRASE in") as refused:
        written(shop)
    assert "horse" not in refused.value.in_full
    assert (target / "Caddyfile").read_text(encoding="utf-8") == ""
    with_values(target, BACKUP_PASSPHRASE="correct$$horse-battery")
    written(shop)
    assert values(target)["BACKUP_PASSPHRASE"] == "correct$horse-battery"


def test_comments_and_values_over_several_lines_stay(shop):
    target = written(shop)
    mine = '# ours since May\nPEM="-----BEGIN\nabc=\n-----END"\n# HTTPS_PORT=8443\n'
    text = (target / ".env").read_text(encoding="utf-8").replace("WORKERS=1", "# for the big DAG\nWORKERS=3")
    (target / ".env").write_text(text + mine, encoding="utf-8")
    written(shop)
    found = (target / ".env").read_text(encoding="utf-8")
    assert "\n# for the big DAG\nWORKERS=3\n" in found
    assert '\n# ours since May\nPEM="-----BEGIN\nabc=\n-----END"\n' in found
    assert found.endswith("\n# HTTPS_PORT=8443\n")
    written(shop)
    assert (target / ".env").read_text(encoding="utf-8") == found


def test_comments_of_an_earlier_release_do_not_stay(shop):
    target = written(shop)
    for name in (".env", "env.example"):
        text = (
            (target / name).read_text(encoding="utf-8").replace("# Workers on this machine", "# Our workers")
        )
        (target / name).write_text(text, encoding="utf-8")
    written(shop)
    assert "# Our workers" not in (target / ".env").read_text(encoding="utf-8")


def test_variables_that_a_later_release_adds_are_added(shop):
    target = written(shop)
    text = (target / ".env").read_text(encoding="utf-8")
    old = "\n".join(line for line in text.splitlines() if not line.startswith("MLFLOW_PROXY_SECRET="))
    (target / ".env").write_text(old, encoding="utf-8")
    written(shop)
    assert len(values(target)["MLFLOW_PROXY_SECRET"]) > 30


def test_variables_of_airflows_own_compose_file_are_honoured_the_first_time(shop):
    environ = {
        "_AIRFLOW_WWW_USER_USERNAME": "anne",
        "_AIRFLOW_WWW_USER_PASSWORD": "correct horse battery",
        "AIRFLOW_UID": str(os.getuid() or 1234),
        "AIRFLOW_PROJ_DIR": "/srv/shop",
    }
    target = written(shop, environ)
    found = values(target)
    assert {name: found[name] for name in environ} == environ
    written(shop, {"_AIRFLOW_WWW_USER_PASSWORD": "another horse battery"})
    assert values(target)["_AIRFLOW_WWW_USER_PASSWORD"] == "correct horse battery"


def test_a_password_that_everybody_knows_is_refused_before_anything_is_written(shop):
    with pytest.raises(SecretsError, match="_AIRFLOW_WWW_USER_PASSWORD"):
        written(shop, {"_AIRFLOW_WWW_USER_PASSWORD": "airflow"})
    assert not (shop.root / "deploy").exists()


def with_values(target, **changes):
    """Change values of .env as a person does, who writes them as the file wants them."""
    text = (target / ".env").read_text(encoding="utf-8")
    (target / ".env").write_text(env_file.rendered(text, env_file.values(text) | changes), encoding="utf-8")


ODD = "wJa/lr+XU=tn:F@E#M I?%2F&'\"{}\\\\K$7M,;<>|`!*"


def test_secrets_of_servers_that_exist_survive_with_every_sign_in_them(shop):
    target = written(shop)
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    with_values(
        target,
        S3_URL="https://s3.example.com",
        S3_SECRET_ACCESS_KEY=secret,
        MLFLOW_URL="https://mlflow.example.com",
        MLFLOW_AIRFLOW_PASSWORD=env_file.written(ODD),
    )
    written(shop)
    found = values(target)
    assert found["S3_SECRET_ACCESS_KEY"] == secret
    assert found["MLFLOW_AIRFLOW_PASSWORD"] == ODD
    told = json.loads((target / "setup.json").read_text(encoding="utf-8"))
    assert told["connections"]["mlflow_default"]["password"] == ODD
    again = (target / ".env").read_text(encoding="utf-8")
    written(shop)
    assert (target / ".env").read_text(encoding="utf-8") == again


def test_a_secret_of_our_own_store_still_needs_no_quoting(shop):
    target = written(shop)
    with_values(target, S3_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG")
    with pytest.raises(SecretsError, match="S3_SECRET_ACCESS_KEY in"):
        written(shop)


def test_an_emptied_key_is_not_made_anew(shop):
    target = written(shop)
    text = (target / ".env").read_text(encoding="utf-8")
    (target / ".env").write_text(text.replace(f"FERNET_KEY={values(target)['FERNET_KEY']}", "FERNET_KEY="))
    with pytest.raises(ConfigurationError, match="FERNET_KEY"):
        written(shop)


def test_names_follow_the_project(shop):
    found = values(written(shop))
    assert found["COMPOSE_PROJECT_NAME"] == "gr-e-1"
    assert found["AIRFLOW_PROJ_DIR"] == "../.."
    assert found["AIRFOIL_TAG"] == airfoil.__version__
    assert found["AIRFLOW_UID"] == str(os.getuid() or 50000)


def test_images_are_built_from_the_project_with_this_release(shop):
    target = written(shop, folder="ops/server")
    found = yaml.safe_load((target / "compose.override.yaml").read_text(encoding="utf-8"))
    assert found["services"]["mlflow"]["build"] == {
        "context": "../..",
        "dockerfile": "ops/server/Dockerfile",
        "args": {"DEPLOY_FOLDER": "ops/server", "AIRFOIL_REQUIREMENT": f"airfoil=={airfoil.__version__}"},
    }


def test_a_build_finds_the_project_s_folders_and_the_server_s_wherever_they_are(shop):
    with shop.toml.open("a", encoding="utf-8") as file:
        file.write('[airflow]\ndags = "flows"\n')
    target = written(shop, folder="server")
    seen = (target / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"!flows", "!plugins", "!server/images", "!server/constraints.txt"} <= set(seen)
    assert [line for line in seen if line == "!dags" or "deploy/compose" in line] == []
    found = yaml.safe_load((target / "compose.override.yaml").read_text(encoding="utf-8"))
    assert found["services"]["airflow-init"]["build"]["args"]["DAGS_FOLDER"] == "flows"


def test_in_the_checkout_only_what_is_the_projects_is_written(repository):
    target = shipped.folder("compose")
    rendering = compose.rendered(Project(repository), load(repository, {}), target, {})
    assert set(rendering.shared) == {"compose.override.yaml", "feature_store.yaml", "workers/keys.json"}
    assert set(rendering.private) == {".env", "setup.json"}
    found = yaml.safe_load(rendering.shared["compose.override.yaml"])
    assert found["services"]["status"]["build"]["args"]["AIRFOIL_REQUIREMENT"] == ""


def test_a_project_without_features_needs_no_server_for_them(shop):
    (shop.root / "features" / "feature_store.yaml").unlink()
    target = written(shop)
    assert "features" not in values(target)["COMPOSE_PROFILES"].split(",")
    assert not (target / "feature_store.yaml").exists()


def test_alerts_follow_the_settings_and_are_kept_when_those_say_nothing(shop):
    settings = shop.root / "airfoil.toml"
    plain = settings.read_text(encoding="utf-8")
    settings.write_text(plain + '[alerts]\nmail_to = ["a@example.com"]\nsmtp = "smtp://mail.example.com"\n')
    target = written(shop)
    assert values(target)["ALERT_SMTP_HOST"] == "mail.example.com:25"
    settings.write_text(plain + '[alerts]\nmail_to = ["b@example.com"]\n')
    written(shop)
    assert values(target)["ALERT_MAIL_TO"] == "b@example.com"
    assert values(target)["ALERT_SMTP_HOST"] == "mail.example.com:25"


@pytest.mark.parametrize("folder", ["..", "../elsewhere", "."])
def test_a_folder_out_of_which_nothing_can_be_built_is_refused(shop, folder):
    with pytest.raises(ProjectError, match="not inside the project"):
        compose.rendered(shop, load(shop.root, {}), (shop.root / folder).resolve(), {})


def test_a_user_must_be_a_number(shop):
    with pytest.raises(ConfigurationError, match="AIRFLOW_UID"):
        written(shop, {"AIRFLOW_UID": "anne"})


def test_a_place_of_backups_that_nothing_can_be_written_to_is_refused(shop):
    target = written(shop)
    text = (target / ".env").read_text(encoding="utf-8")
    (target / ".env").write_text(text.replace("BACKUP_PLACE=/backups/platform", "BACKUP_PLACE=/mnt/disk"))
    with pytest.raises(SettingsError, match="BACKUP_PLACE"):
        written(shop)


def test_people_who_get_mail_without_a_server_for_it_are_refused(shop):
    settings = shop.root / "airfoil.toml"
    plain = settings.read_text(encoding="utf-8")
    settings.write_text(plain + '[alerts]\nmail_to = ["a@example.com"]\n')
    with pytest.raises(SettingsError, match="ALERT_SMTP_HOST"):
        written(shop)


def test_a_user_who_could_not_read_what_is_written_for_him_is_refused_unless_root_writes(shop, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ConfigurationError, match="AIRFLOW_UID is 50000, and you are 1000") as refused:
        written(shop, {"AIRFLOW_UID": "50000"})
    assert "AIRFLOW_UID=1000" in refused.value.next_move
    assert not (shop.root / "deploy").exists()
    written(shop, {"AIRFLOW_UID": "1000"})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    rendering = compose.rendered(
        shop, load(shop.root, {}), shop.root / "ops/server", {"AIRFLOW_UID": "50000"}
    )
    assert rendering.reader == 50000


def test_printing_shows_no_secret(shop):
    rendering = compose.rendered(shop, load(shop.root, {}), shop.root / "deploy/compose", {})
    assert json.loads(rendering.private["setup.json"])["connections"]["mlflow_default"][
        "password"
    ] not in repr(rendering)
