"""Airflow's own options: any is passed on as Airflow spells it; what is ours and every secret is refused."""

from pathlib import Path

import pytest

from airfoil.errors import SettingsError
from airfoil.settings import load
from airfoil.settings.airflow_options import OURS

pytestmark = pytest.mark.unit


def options(root: Path, section: str, line: str) -> dict[str, str]:
    (root / "airfoil.toml").write_text(f"[airflow.{section}]\n{line}\n", encoding="utf-8")
    return dict(load(root, {}).airflow_options[section])


def refused(root: Path, section: str, line: str) -> tuple[str, str]:
    with pytest.raises(SettingsError) as caught:
        options(root, section, line)
    return str(caught.value).replace(f"{root}/", ""), caught.value.next_move


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a = true", "True"),
        ("a = false", "False"),
        ("a = 4", "4"),
        ("a = 0x10", "16"),
        ("a = 0.25", "0.25"),
        ("a = ''", ""),
        ('a = "ä, b\\n"', "ä, b\n"),
        ("a = '{\"x\": 1}'", '{"x": 1}'),
        ("a1_b2 = 1", None),
    ],
)
def test_values_become_airflows_text(tmp_path, line, expected):
    found = options(tmp_path, "core", line)
    assert found == ({"a": expected} if expected is not None else {"a1_b2": "1"})


@pytest.mark.parametrize(
    "line", ["a = [1]", "a = {x = 1}", "a = 2026-01-02", "a = nan", "a = inf", 'a = "\\u0000"']
)
def test_values_that_airflow_cannot_read_are_refused(tmp_path, line):
    sentence, move = refused(tmp_path, "core", line)
    assert sentence.startswith("airfoil.toml:2: airflow.core.a must be text, a number, true or false")
    assert move


@pytest.mark.parametrize(
    ("section", "line", "meant"),
    [
        ("core", "Max-Active = 1", "max_active."),
        ("core", "a__b = 1", "a_b."),
        ("core", "_a = 1", "a."),
        ("core", '"" = 1', "underscores."),
        ("Core", "a = 1", "core."),
        ("'my section'", "a = 1", "my_section."),
    ],
)
def test_names_that_no_variable_can_carry_are_refused(tmp_path, section, line, meant):
    sentence, move = refused(tmp_path, section, line)
    assert sentence.endswith("is no name of Airflow's.")
    assert move.endswith(meant)


@pytest.mark.parametrize("dotted", OURS)
def test_what_the_platform_decides_is_refused_with_what_to_do_instead(tmp_path, dotted):
    section, key = dotted.split(".")
    sentence, move = refused(tmp_path, section, f"{key} = 'x'")
    assert sentence == f"airfoil.toml:2: airflow.{dotted} is decided by the platform."
    assert move == f"{OURS[dotted]} Delete this line."
    for indirect in (f"{key}_cmd", f"{key}_secret"):
        assert refused(tmp_path, section, f"{indirect} = 'x'")[1] == move


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("smtp", "smtp_password = 'Geheim1'"),
        ("sentry", "sentry_dsn = 'Geheim1'"),
        ("celery", "flower_basic_auth = 'a:Geheim1'"),
        ("celery", "broker_url = 'redis://u:Geheim1@h/0'"),
        ("acme", "client_secret = 'Geheim1'"),
        ("acme", "api_key = 'Geheim1'"),
        ("acme", "endpoint = 'https://h/x?token=Geheim1'"),
        ("secrets", """backend_kwargs = '{"url": "http://h", "token": "Geheim1"}'"""),
        ("workers", """secrets_backend_kwargs = '{"secret_id": "Geheim1"}'"""),
    ],
)
def test_a_secret_is_refused_with_its_right_place_and_never_shown(tmp_path, section, line):
    sentence, move = refused(tmp_path, section, line)
    key = line.partition(" ")[0]
    assert sentence == (
        f"airfoil.toml:2: airflow.{section}.{key} holds a secret, and this file is no place for one."
    )
    assert f'`{key}_cmd = "COMMAND that prints it"`' in move
    assert f"AIRFLOW__{section.upper()}__{key.upper()}" in move
    assert "Geheim1" not in sentence + move


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("smtp", "smtp_password_cmd = 'pass show smtp'"),
        ("smtp", "smtp_password_secret = 'path/in/vault'"),
        ("smtp", "smtp_password = ''"),
        ("secrets", "backend = 'airflow.providers.hashicorp.secrets.vault.VaultBackend'"),
        ("secrets", """backend_kwargs = '{"url": "http://h", "token_path": "/run/token"}'"""),
        ("secrets", "backend_kwargs = 'no json'"),
        ("secrets", "backend_kwargs_cmd = 'cat /run/kwargs'"),
        ("celery", "broker_url = 'redis://h/0'"),
        ("api_auth", "jwt_expiration_time = 600"),
        ("kubernetes_executor", "namespace = 'ml'"),
    ],
)
def test_what_is_no_secret_passes(tmp_path, section, line):
    assert options(tmp_path, section, line)


def test_further_users_are_welcome_beside_the_administrator(tmp_path):
    assert options(tmp_path, "core", "simple_auth_manager_users = 'admin:admin, anna:viewer'")
    sentence, move = refused(tmp_path, "core", "simple_auth_manager_users = 'anna:admin'")
    assert "leaves out the administrator" in sentence
    assert '"admin:admin,anna:viewer"' in move
