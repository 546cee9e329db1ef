"""What may stand below [airflow.SECTION]: Airflow's own options, under Airflow's own names.

Any option is passed on, because providers add some that nobody here knows. Refused are those which the platform
decides itself (paths, addresses, its secrets), and every secret: this file is read by all who read the project. Must
not read a file, and must not show a value that may be a secret.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from airfoil.errors import SettingsError, redact
from airfoil.settings.complaints import printable, wrong_entry
from airfoil.settings.source import TomlFile

_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_SECRET_NAME = re.compile(
    r"(^|_)(password|passwd|secret|secret_id|token|dsn|credentials?|basic_auth|(api|access|private|secret|fernet)_key)$"
)
# Airflow's own ways of not writing a secret down: a command that prints it, a path in a secrets backend.
_INDIRECT = ("_cmd", "_secret")
# Secrets by their meaning, though their names do not say so.
_MAY_HOLD_SECRETS = ("asset_manager_kwargs", "backend_kwargs", "remote_task_handler_kwargs")
_ADMIN = "admin"
_ADMINISTRATOR = f"{_ADMIN}:{_ADMIN}"  # user and role, as Airflow writes them; no password

_GENERATED = (
    "It is generated into .airfoil/secrets.json, readable by you alone; a key of yours belongs there."
)
_OUR_DATABASE = (
    "Set airflow.database, or AIRFOIL_AIRFLOW_DATABASE where the address holds a password; "
    "below [airflow.database] the key is called url."
)
_TLS = "The platform talks to Airflow over plain HTTP on this machine; put a TLS proxy in front of it."
OURS: Mapping[str, str] = {
    "core.dags_folder": "Set airflow.dags.",
    "core.plugins_folder": "Set airflow.plugins.",
    "core.parallelism": "Set airflow.parallelism.",
    "core.fernet_key": _GENERATED,
    "core.auth_manager": "The platform logs in as the administrator that Airflow's simple auth manager knows.",
    "core.simple_auth_manager_passwords_file": "Passwords are kept in .airfoil/airflow/passwords.json.",
    "core.execution_api_server_url": "It follows from airflow.host and airflow.port.",
    "core.mp_start_method": "The engine decides it: see stack.engine.",
    "database.sql_alchemy_conn": _OUR_DATABASE,
    "database.sql_alchemy_conn_async": _OUR_DATABASE,
    "api.host": "Set airflow.host.",
    "api.port": "Set airflow.port.",
    "api.base_url": "It follows from airflow.host and airflow.port.",
    "api.ssl_cert": _TLS,
    "api.ssl_key": _TLS,
    "api.secret_key": _GENERATED,
    "api_auth.jwt_secret": _GENERATED,
    "logging.base_log_folder": "Task logs are kept in .airfoil/logs/tasks.",
    "airfoil.profiles": "Write tables [profiles.NAME].",
    "airfoil.gpu_pool": "Set the slots of the pool: `gpu = 1` below [pools].",
    "airfoil.webhook_secret": _GENERATED,
    "airfoil.metrics_token": _GENERATED,
    "airfoil.source_folders": "The project's src/ is watched and importable as it is.",
    "airfoil.experiment": "Set mlflow.experiment.",
    "airfoil.alert_mail_to": "Set alerts.mail_to.",
    "airfoil.alert_most_an_hour": "Set alerts.most_an_hour.",
    "airfoil.backup_schedule": "Set backup.schedule.",
    "airfoil.project": "It is the folder of this file.",
    "airfoil.work_area": "Data of runs is kept in .airfoil/work.",
}
"""Airflow's options that the platform decides -> what to do instead. docs/settings.md lists them."""


def read_options(toml: TomlFile, section: str, table: Mapping[str, Any]) -> dict[str, str]:
    """Return one [airflow.SECTION] as Airflow reads it; SettingsError says what cannot be passed on, and where."""
    _check_name(toml, section)
    return {key: _option(toml, section, key, value) for key, value in table.items()}


def _option(toml: TomlFile, section: str, key: str, value: object) -> str:
    _check_name(toml, section, key)
    dotted = f"airflow.{section}.{key}"
    place = toml.place(["airflow", section, key])
    move = OURS.get(f"{section}.{key}") or OURS.get(f"{section}.{_direct(key)}")
    if move:
        raise SettingsError(f"{place}: {dotted} is decided by the platform.", f"{move} Delete this line.")
    text = _text(place, dotted, value)
    if _is_secret(key, text):
        variable = f"AIRFLOW__{section.upper()}__{key.upper()}"
        raise SettingsError(
            f"{place}: {dotted} holds a secret, and this file is no place for one.",
            f"Set {variable} in the shell that runs `airfoil up`; what Airflow's documentation calls sensitive may "
            f'be written as `{key}_cmd = "COMMAND that prints it"`.',
        )
    if key == "simple_auth_manager_users" and _ADMINISTRATOR not in re.split(r"\s*,\s*", text.strip()):
        raise SettingsError(
            f"{place}: {dotted} leaves out the administrator as whom the platform logs in.",
            f'Begin the list with it: "{_ADMINISTRATOR},anna:viewer".',
        )
    return text


def _check_name(toml: TomlFile, *names: str) -> None:
    """Refuse a name that cannot be part of AIRFLOW__SECTION__KEY."""
    if _NAME.fullmatch(names[-1]):
        return
    meant = re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", names[-1].lower())).strip("_")
    raise SettingsError(
        f"{toml.place(['airflow', *names])}: {printable('.'.join(('airflow', *names)))} is no name of Airflow's.",
        "Its sections and options are written with lower-case letters, digits and underscores"
        + (f": {printable(meant)}." if meant else "."),
    )


def _direct(key: str) -> str:
    """Return the option that `option_cmd` or `option_secret` gives a value to."""
    for suffix in _INDIRECT:
        if key.endswith(suffix):
            return key.removesuffix(suffix)
    return key


def _text(place: str, dotted: str, value: object) -> str:
    """Return a TOML value as Airflow's configuration spells it."""
    if isinstance(value, str) and "\0" not in value:
        return value
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    raise wrong_entry(
        place,
        dotted,
        "text, a number, true or false (lists and tables in quotes, as Airflow writes them)",
        value,
    )


def _is_secret(key: str, text: str) -> bool:
    if not text:
        return False
    stem = _direct(key)
    if stem != key and (_SECRET_NAME.search(stem) or stem.endswith(_MAY_HOLD_SECRETS)):
        return False
    if _SECRET_NAME.search(key) or redact(text) != text:
        return True
    return key.endswith(_MAY_HOLD_SECRETS) and _names_a_secret(text)


def _names_a_secret(text: str) -> bool:
    """Tell whether JSON text holds a value under a name such as token or secret_id."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False  # Airflow will say that it is no JSON
    return isinstance(found, dict) and any(value and _SECRET_NAME.search(key) for key, value in found.items())
