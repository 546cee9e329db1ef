"""The only reader of airfoil.toml and of AIRFOIL_* variables; nothing is read before somebody calls `load`.

`values`, `schema` and `airflow_options` say what can be set, `source` reads the file, `tables` its tables of tables,
`loading` joins it with the environment, and `complaints` words what is wrong. Stack, cli and serving read settings and
hand them down as arguments; provider, steps and dags must not import this package.
"""

from airfoil.settings.loading import load
from airfoil.settings.schema import (
    DEFAULT_PRELOAD,
    AirflowSettings,
    BackupSettings,
    BudgetSettings,
    FeastSettings,
    MlflowSettings,
    PageSettings,
    PoolSettings,
    ProfileSettings,
    ProjectSettings,
    Settings,
    StackSettings,
)

__all__ = [
    "DEFAULT_PRELOAD",
    "AirflowSettings",
    "BackupSettings",
    "BudgetSettings",
    "FeastSettings",
    "MlflowSettings",
    "PageSettings",
    "PoolSettings",
    "ProfileSettings",
    "ProjectSettings",
    "Settings",
    "StackSettings",
    "load",
]
