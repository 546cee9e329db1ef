"""The only reader of airfoil.toml and of AIRFOIL_* variables; nothing is read before somebody calls `load`.

`values` and `schema` say what can be set, `source` reads the file, `loading` joins it with the environment, and
`complaints` words what is wrong. Stack, cli and serving read settings and hand them down as arguments; provider,
steps and dags must not import this package.
"""

from airfoil.settings.loading import load
from airfoil.settings.schema import (
    DEFAULT_PRELOAD,
    AirflowSettings,
    BudgetSettings,
    FeastSettings,
    MlflowSettings,
    PageSettings,
    ProjectSettings,
    Settings,
    StackSettings,
)

__all__ = [
    "DEFAULT_PRELOAD",
    "AirflowSettings",
    "BudgetSettings",
    "FeastSettings",
    "MlflowSettings",
    "PageSettings",
    "ProjectSettings",
    "Settings",
    "StackSettings",
    "load",
]
