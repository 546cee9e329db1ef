"""The schema as a whole: what errors and docs rely on."""

import pytest
from pydantic import ValidationError

from airfoil.settings.schema import (
    DOTTED_KEYS,
    NAMED_TABLES,
    SECTIONS,
    PoolSettings,
    ProfileSettings,
    Settings,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("dotted", DOTTED_KEYS)
def test_every_key_says_what_it_must_be(dotted):
    section, key = dotted.split(".")
    assert SECTIONS[section].model_fields[key].description


@pytest.mark.parametrize("kind", [PoolSettings, ProfileSettings])
def test_every_key_below_a_name_says_what_it_must_be(kind):
    assert all(field.description for field in kind.model_fields.values())


def test_the_sections_are_the_fields_of_settings():
    assert [*SECTIONS, *NAMED_TABLES, "airflow_options", "given"] == list(Settings.model_fields)
    assert all(isinstance(getattr(Settings(), name), section) for name, section in SECTIONS.items())


def test_every_service_of_the_budget_has_a_key_of_its_own():
    budgets = Settings().budgets
    for service, mib in budgets.services.items():
        assert getattr(budgets, f"{service.replace('-', '_')}_mib") == mib


def test_a_validation_error_hides_what_was_given():
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"airflow": {"database": "mysql://u:geheim@h"}})
    assert "geheim" not in str(caught.value)
