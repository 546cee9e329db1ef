"""The provider is registered completely and correctly: what exists is listed, what is listed exists."""

from __future__ import annotations

import importlib
import json
import tomllib
from importlib import metadata
from pathlib import Path

import airflow
import jsonschema
import pytest
from airflow.sdk import BaseNotifier

from airfoil.provider.get_provider_info import get_provider_info

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
PROVIDER = ROOT / "src" / "airfoil" / "provider"
# Folder of the provider room -> key of the info that lists its modules.
KINDS = ("hooks", "operators", "sensors", "transfers", "triggers")


def load(path: str):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_the_info_is_valid_by_airflows_own_schema():
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(get_provider_info())] == []


def test_the_entry_point_leads_to_the_info():
    (entry,) = [
        point for point in metadata.entry_points(group="apache_airflow_provider") if "airfoil" in point.value
    ]
    assert entry.load()() == get_provider_info()


def test_the_plugin_is_found_by_its_entry_point_and_only_there():
    """Named in the provider's info as well it would be registered twice where Airflow reads that list."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (path,) = project["entry-points"]["airflow.plugins"].values()
    assert load(path.replace(":", ".")).name == "airfoil"
    assert "plugins" not in get_provider_info()


def test_the_package_name_is_the_name_of_the_distribution():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert get_provider_info()["package-name"] == project["name"]


@pytest.mark.parametrize("kind", KINDS)
def test_modules_on_disk_and_modules_in_the_info_are_the_same(kind):
    on_disk = {
        f"airfoil.provider.{kind}.{path.stem}"
        for path in (PROVIDER / kind).glob("*.py")
        if path.stem != "__init__"
    }
    listed = {module for entry in get_provider_info().get(kind, []) for module in entry["python-modules"]}
    assert listed == on_disk


def test_task_decorators_on_disk_and_in_the_info_are_the_same():
    on_disk = {path.stem for path in (PROVIDER / "decorators").glob("*.py") if path.stem != "__init__"}
    listed = {entry["name"]: load(entry["class-name"]) for entry in get_provider_info()["task-decorators"]}
    homes = {name: f"airfoil.provider.decorators.{name}" for name in on_disk}
    assert {name: decorator.__module__ for name, decorator in listed.items()} == homes


def test_links_on_disk_and_in_the_info_are_the_same():
    modules = [path for path in (PROVIDER / "links").glob("*.py") if path.stem != "__init__"]
    listed = [load(path) for path in get_provider_info()["extra-links"]]
    assert {link.__module__ for link in listed} == {f"airfoil.provider.links.{path.stem}" for path in modules}
    assert all(isinstance(link().name, str) for link in listed)


def test_notifiers_on_disk_and_in_the_info_are_the_same():
    modules = {path.stem for path in (PROVIDER / "notifications").glob("*.py") if path.stem != "__init__"}
    listed = [load(path) for path in get_provider_info()["notifications"]]
    assert {one.__module__ for one in listed} == {
        f"airfoil.provider.notifications.{name}" for name in modules
    }
    assert all(one.async_notify is not BaseNotifier.async_notify for one in listed), "deadlines await them"


def test_listed_integrations_are_declared():
    info = get_provider_info()
    used = {entry["integration-name"] for kind in KINDS for entry in info.get(kind, [])}
    assert used == {entry["integration-name"] for entry in info["integrations"]}


def hook_classes():
    """Every class below hooks/ that has a connection type."""
    for path in sorted((PROVIDER / "hooks").glob("*.py")):
        module = importlib.import_module(f"airfoil.provider.hooks.{path.stem}")
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and value.__module__ == module.__name__
                and getattr(value, "conn_type", None)
            ):
                yield value


def test_connection_types_and_hook_classes_are_the_same():
    listed = {
        entry["connection-type"]: load(entry["hook-class-name"])
        for entry in get_provider_info()["connection-types"]
    }
    assert listed == {hook.conn_type: hook for hook in hook_classes()}


@pytest.mark.parametrize(
    "entry", get_provider_info()["connection-types"], ids=lambda entry: entry["connection-type"]
)
def test_a_hook_is_what_airflow_expects_of_it(entry):
    hook = load(entry["hook-class-name"])
    assert hook.hook_name == entry["hook-name"]
    assert hook.default_conn_name == f"{hook.conn_type}_default"
    assert getattr(hook(), hook.conn_name_attr) == hook.default_conn_name
    assert callable(hook.test_connection)


@pytest.mark.parametrize(
    "entry", get_provider_info()["connection-types"], ids=lambda entry: entry["connection-type"]
)
def test_every_field_of_the_form_is_read_by_the_hook(entry):
    source = Path(importlib.import_module(entry["hook-class-name"].rpartition(".")[0]).__file__).read_text()
    unread = [field for field in entry["conn-fields"] if f'"{field}"' not in source]
    assert unread == []


def test_secrets_in_the_form_are_hidden_while_typed():
    for entry in get_provider_info()["connection-types"]:
        for name, field in entry["conn-fields"].items():
            if any(word in name for word in ("token", "password", "secret", "key")):
                assert field["schema"]["format"] == "password", name


def test_the_room_does_not_live_in_airflows_namespace():
    assert not (ROOT / "src" / "airflow").exists()
