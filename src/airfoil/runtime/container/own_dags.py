"""The DAG files of the worker of maintenance: the two that come with Airfoil, and no other.

Whoever writes DAGs can name the queue `maintenance`, and can write a file of the same name: neither is read where a
server's keys are. Airflow's own setting says where a bundle lies, and here it lies in the package. Must not know what
the DAGs do.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

DAG_IDS = ("platform_backup", "database_cleanup")
FOLDER = Path("/tmp/airfoil-maintenance")  # noqa: S108 - a container's own, made anew at each start
BUNDLES = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"
_LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"
_PACKAGE = Path(__file__).resolve().parents[2]


def source(package: Path = _PACKAGE) -> Path:
    """Return where the shipped DAGs lie: in the package of a wheel, in dags/ of a checkout."""
    carried = package / "templates" / "dags"
    return carried if carried.is_dir() else package.parents[1] / "dags"


def own_dags(environment: MutableMapping[str, str], folder: Path = FOLDER, package: Path = _PACKAGE) -> None:
    """Point every bundle of this process, and its plugins, to a folder with the two files alone."""
    shutil.rmtree(folder, ignore_errors=True)
    dags, plugins = folder / "dags", folder / "plugins"
    for made in (dags, plugins):
        made.mkdir(mode=0o700, parents=True)
    for name in DAG_IDS:
        shutil.copyfile(source(package) / f"{name}.py", dags / f"{name}.py")
    names = _names(environment.get(BUNDLES, ""))
    bundles: list[dict[str, Any]] = [
        {"name": name, "classpath": _LOCAL, "kwargs": {"path": str(dags)}} for name in names
    ]
    environment[BUNDLES] = json.dumps(bundles)
    environment["AIRFLOW__CORE__DAGS_FOLDER"] = str(dags)
    environment["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(plugins)


def _names(configured: str) -> list[str]:
    """Give the bundles that the server has; a task says in which of them its DAG was found."""
    return [str(one["name"]) for one in json.loads(configured)] if configured.strip() else ["dags-folder"]
