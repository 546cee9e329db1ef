"""What belongs to a project: its own, wherever it is, and nothing of others."""

from __future__ import annotations

import pytest

from airfoil.settings import load
from airfoil.stack.backup import sources

pytestmark = pytest.mark.unit


def of(shop, text="", environ=None):
    shop.toml.write_text(f'[project]\nname = "shop"\n{text}', encoding="utf-8")
    return sources.of(shop, load(shop.root, environ or {}))


def test_databases_in_the_order_of_who_refers_to_whom(shop):
    found = of(shop)
    assert [one.part for one in found.databases] == [
        "airflow",
        "mlflow",
        "mlflow_auth",
        "feast_registry",
        "feast_online",
    ]
    assert [one.part for one in found.databases if not one.exists] == ["mlflow_auth"]
    assert found.database("feast_registry").file == shop.state / "feast_registry.sqlite"
    assert found.database("feast_online").file == shop.state / "feast_online.db"
    assert found.left_out == ()


def test_a_database_on_a_server_is_always_asked(shop):
    found = of(shop, '[airflow]\ndatabase = "postgresql://ann@db/air"\n')
    assert found.database("airflow").file is None
    assert found.database("airflow").exists


def test_servers_of_others_are_left_out_and_said(shop):
    found = of(
        shop, '[mlflow]\nurl = "https://mlflow.example.com"\n[airflow]\nurl = "https://airflow.example.com"\n'
    )
    assert [one.part for one in found.databases] == ["feast_registry", "feast_online"]
    assert [what for what, _ in found.left_out] == ["Airflow", "MLflow"]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (
            "registry: data/registry.db\nonline_store: {type: redis}",
            ["Feast's registry", "Feast's online store"],
        ),
        ("registry: {registry_type: sql, path: 'postgresql://db/feast'}\nonline_store: {type: sqlite}", []),
        ("- no\n- table", []),
        ("registry: [", []),
        ("", []),
    ],
)
def test_feast_is_what_its_file_says(shop, text, missing):
    (shop.root / "features/feature_store.yaml").write_text(text)
    assert [what for what, _ in of(shop).left_out] == missing


def test_a_registry_in_the_database_of_another_part_is_copied_with_that(shop):
    (shop.root / "features/feature_store.yaml").write_text(
        "registry: {registry_type: sql, path: '${FEAST_DB}'}\nonline_store: {type: sqlite, path: o.db}"
    )
    (shop.root / "features/feature_store.yaml").write_text(
        f"registry: {{registry_type: sql, path: 'sqlite:///{shop.mlflow_database}'}}"
    )
    assert "feast_registry" not in [one.part for one in of(shop).databases]


def test_artifacts_are_in_a_folder_or_in_a_bucket(shop):
    settings = load(shop.root, {})
    assert sources.artifacts_folder(shop, settings) == shop.artifacts
    assert sources.artifacts_bucket(settings) == ""
    settings = load(shop.root, {"AIRFOIL_MLFLOW_ARTIFACTS": "s3://bucket/some"})
    assert sources.artifacts_folder(shop, settings) is None
    assert sources.artifacts_bucket(settings) == "s3://bucket/some"


def test_files_of_a_person_and_secrets_are_two_things(shop):
    names = {item.name for item in sources.project_files(shop, load(shop.root, {})).items()}
    assert {"dags/first_dag.py", "features/feature_store.yaml", "features/.gitignore"} <= names
    assert not any(name.startswith(".airfoil") or name == "airfoil.toml" for name in names)
    assert set(sources.secret_files(shop)) == {
        "airfoil.toml",
        ".airfoil/secrets.json",
        ".airfoil/airflow/passwords.json",
    }
