"""Servers that exist: no password beside their address, and no setting that is for a server of ours."""

from __future__ import annotations

import pytest

from airfoil.errors import SettingsError
from airfoil.settings import load

pytestmark = pytest.mark.unit

SECRET = "s3cr3t-Passw0rt"


def loaded(tmp_path, text, **variables):
    (tmp_path / "airfoil.toml").write_text(text, encoding="utf-8")
    return load(tmp_path, variables)


def refusal(tmp_path, text, **variables) -> SettingsError:
    with pytest.raises(SettingsError) as error:
        loaded(tmp_path, text, **variables)
    told = f"{error.value} {error.value.next_move} {error.value.details}"
    assert SECRET not in told
    return error.value


@pytest.mark.parametrize("section", ["airflow", "mlflow"])
def test_an_address_and_a_name_are_taken(tmp_path, section):
    settings = loaded(tmp_path, f'[{section}]\nurl = "https://ml.example.com/base/"\nusername = "ann"\n')
    found = getattr(settings, section)
    assert (found.url, found.username) == ("https://ml.example.com/base", "ann")


@pytest.mark.parametrize(
    "login", [f"ann:{SECRET}@", f"{SECRET}@", f":{SECRET}@", f"a:{SECRET}/@", f"ann:p@{SECRET}@"]
)
@pytest.mark.parametrize(("section", "name"), [("airflow", "airflow"), ("mlflow", "mlflow_default")])
def test_a_password_in_an_address_is_refused_with_the_right_place(tmp_path, section, name, login):
    error = refusal(tmp_path, f'[{section}]\n\nurl = "https://{login}ml.example.com"\n')
    assert "airfoil.toml:3: " in error.message or "must be" in error.message
    assert f"`airfoil connections set {name}`" in error.next_move or "must be" in error.message


def test_a_password_in_the_variable_is_refused_too(tmp_path):
    error = refusal(tmp_path, "", AIRFOIL_MLFLOW_URL=f"https://ann:{SECRET}@ml.example.com")
    assert error.message.startswith("AIRFOIL_MLFLOW_URL: mlflow.url holds a user name or password")


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("airflow", 'host = "127.0.0.1"'),
        ("airflow", "port = 8080"),
        ("airflow", 'database = ""'),
        ("airflow", "parallelism = 8"),
        ("mlflow", 'host = "127.0.0.1"'),
        ("mlflow", "port = 5000"),
        ("mlflow", 'database = "sqlite:///x.db"'),
        ("mlflow", 'artifacts = "/data"'),
        ("mlflow", "auth = true"),
    ],
)
def test_a_setting_for_a_server_of_ours_is_refused_beside_an_address(tmp_path, section, line):
    key = line.partition(" ")[0]
    error = refusal(tmp_path, f'[{section}]\nurl = "https://ml.example.com"\n{line}\n')
    assert f"airfoil.toml:3: {section}.{key}" in error.message
    assert f"{section}.url" in error.message
    assert "airfoil.toml:2" in error.message
    assert f"{section}.{key}" in error.next_move
    assert f"{section}.url" in error.next_move


def test_the_place_may_be_a_variable(tmp_path):
    error = refusal(tmp_path, '[mlflow]\nurl = "https://ml.example.com"\n', AIRFOIL_MLFLOW_PORT="5001")
    assert error.message.startswith("AIRFOIL_MLFLOW_PORT: mlflow.port")


def test_folders_of_the_project_stay_beside_a_foreign_airflow(tmp_path):
    settings = loaded(tmp_path, '[airflow]\nurl = "http://airflow:8080"\ndags = "flows"\n')
    assert settings.airflow.dags == tmp_path.resolve() / "flows"


@pytest.mark.parametrize("section", ["airflow", "mlflow"])
def test_a_name_without_an_address_is_refused(tmp_path, section):
    error = refusal(tmp_path, f'[{section}]\nusername = "ann"\n')
    assert f"{section}.url is not set" in error.message


@pytest.mark.parametrize(
    "url",
    [
        "ml.example.com",
        "ftp://ml.example.com",
        "https://",
        "https://ml example",
        "https://ml.example.com?x=1",
        "https://ml.example.com/#/experiments",
        "https://ml.example.com:99999",
        "https://[::1",
        "databricks",
        "https://ml.example.com\\nx",
    ],
)
def test_what_is_no_address_of_a_server_is_refused(tmp_path, url):
    assert (
        "mlflow.url must be the address of a server"
        in refusal(tmp_path, f'[mlflow]\nurl = "{url}"\n').message
    )


def test_passwords_in_variables_are_no_settings(tmp_path):
    settings = loaded(tmp_path, "", AIRFOIL_MLFLOW_PASSWORD=SECRET, AIRFOIL_AIRFLOW_PASSWORD=SECRET)
    assert settings.given == frozenset()
    assert SECRET not in repr(settings)
