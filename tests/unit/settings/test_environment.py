"""Reading AIRFOIL_* variables."""

import pytest

from airfoil.errors import SettingsError
from airfoil.settings.environment import overrides, variable
from airfoil.settings.schema import DOTTED_KEYS

pytestmark = pytest.mark.unit


def test_every_setting_has_a_variable_of_its_own():
    names = [variable(dotted) for dotted in DOTTED_KEYS]
    assert len(set(names)) == len(names)
    assert variable("stack.start_timeout_seconds") == "AIRFOIL_STACK_START_TIMEOUT_SECONDS"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("AIRFOIL_AIRFLOW_PORT", "8090", 8090),
        ("AIRFOIL_AIRFLOW_PORT", "8090x", "8090x"),
        ("AIRFOIL_MLFLOW_AUTH", "YES", True),
        ("AIRFOIL_MLFLOW_AUTH", "0", False),
        ("AIRFOIL_MLFLOW_AUTH", "2", "2"),
        ("AIRFOIL_STACK_PRELOAD", "a, b.c ,", ("a", "b.c")),
        ("AIRFOIL_STACK_START_TIMEOUT_SECONDS", "1.5", 1.5),
        ("AIRFOIL_PROJECT_NAME", " Ä ö ", "Ä ö"),
    ],
)
def test_text_becomes_the_type_of_its_setting(name, text, value):
    (found,) = overrides({name: text}).values()
    assert found == value
    assert type(found) is type(value)


def test_marks_of_the_stack_and_foreign_names_are_no_settings():
    assert (
        overrides(
            {
                "AIRFOIL_STACK_ID": "x",
                "AIRFOIL_MLFLOW_LAUNCHER": "plain",
                "AIRFOIL_HOME": "/x",
                "PATH": "/bin",
            }
        )
        == {}
    )


@pytest.mark.parametrize(
    "name", ["AIRFOIL_AIRFLOW_PORTS", "AIRFOIL_MLFLOW_X", "AIRFOIL_ARFLOW_PORT", "AIRFOIL_STACK_"]
)
def test_what_can_only_be_a_mistyped_name_is_refused(name):
    with pytest.raises(
        SettingsError, match=f"The environment variable {name} sets no known setting"
    ) as caught:
        overrides({name: "1"})
    assert f"unset {name}" in caught.value.next_move
