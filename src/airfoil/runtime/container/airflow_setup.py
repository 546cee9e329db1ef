"""The job airflow-init: database, roles, the first administrator, and what the project wants to be in Airflow.

`python -m airfoil.runtime.container.airflow_setup SETUP.json`, a file of connections, variables and pools. Brings the
database to this release first. Safe to run again: what a person changed in Airflow stays.
What was done is remembered in the volume that tasks share; without it, the work is only done once more. Ends with code
78 and one line that starts with "airfoil:" when a person has to decide.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from airfoil.runtime import setup
from airfoil.runtime.applied import Applied
from airfoil.weak_passwords import is_weak

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGIN = ("_AIRFLOW_WWW_USER_USERNAME", "_AIRFLOW_WWW_USER_PASSWORD")
"""The variables of Airflow's own Compose file."""
MEMORY = Path("/opt/airflow/work/.server")
READERS = ("Viewer", "User")
READ_BY_ALL = (("can_read", "Plugins"),)
"""Without it, the pages that Airfoil adds to Airflow are hidden from these roles."""


def administrator(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return name and password of the first administrator; a password that everybody knows ends the job."""
    name, password = environ.get(LOGIN[0]) or "admin", environ.get(LOGIN[1], "")
    if is_weak(password):
        _give_up(
            f"{LOGIN[1]} in .env is empty, short, or one that people try first. Delete its value and run "
            "`airfoil deploy compose`, which makes a good one."
        )
    return name, password


def fill_accounts(manager: Any, name: str, password: str) -> bool:
    """Bring roles up to date and make the first administrator; True when he was made."""
    manager.sync_roles()
    for role_name in READERS:
        role = manager.find_role(role_name)
        for action, resource in READ_BY_ALL:
            manager.add_permission_to_role(role, manager.create_permission(action, resource))
    if manager.find_user(username=name):
        return False  # whoever he is by now, and whatever his password is
    role = manager.find_role("Admin")
    if not manager.add_user(name, "The", "Administrator", f"{name}@localhost", role, password):
        _give_up(f"the administrator {name} could not be made; see the lines above.")
    return True


def _give_up(sentence: str) -> NoReturn:
    print(f"airfoil: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(setup.EXIT_CONFIGURATION)


def main() -> None:
    """Do it all, in the order in which each needs the one before."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    name, password = administrator(os.environ)
    from airflow.configuration import conf

    MEMORY.mkdir(parents=True, exist_ok=True)
    applied = Applied(MEMORY / "applied.json")
    url = conf.get("database", "sql_alchemy_conn")
    applied.belong_to(url)
    setup.use_database(url)
    # Logins have tables and releases of their own.
    fab = metadata.version("apache-airflow-providers-fab")
    setup.migrate_server(applied, f"{metadata.version('apache-airflow-core')} with fab {fab}")
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        made = fill_accounts(builder.sm, name, password)
    print(f"administrator {name}: {'made' if made else 'there already'}")
    kept = setup.fill_database(given["connections"], given["variables"])
    if kept:
        print(f"connections left as a person changed them: {', '.join(kept)}")
    setup.import_pools(given["pools"], MEMORY, applied)


if __name__ == "__main__":
    main()
