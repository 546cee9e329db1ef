"""What `airfoil up` would start and why: every process, its environment, every Airflow option with its reason.

Secrets are masked. Starts nothing and writes nothing, not even the secrets of a project that has none yet.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from airfoil.errors import redact
from airfoil.stack import airflow_environment, engine, secrets, servers, services
from airfoil.stack.ports import Ports, wishes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.secrets import Secrets
    from airfoil.stack.service import Service, Spec

MASK = "***"
_SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|FERNET|_KEY$", re.IGNORECASE)
# What these name is a place, not a secret.
_PLACE_NAME = re.compile(r"(_FILE|_PATH|_FOLDER|_DIR)$", re.IGNORECASE)


def explain(project: Project, settings: Settings) -> dict[str, Any]:
    """Return engine, processes, shared environment and Airflow's options, ready for JSON."""
    keys = _keys(project)
    wishes, remembered = wishes_of(settings), Ports(project).remembered()
    ports = {
        name: wish.port if wish.user_set else remembered.get(name, wish.port) for name, wish in wishes.items()
    }
    foreign = servers.resolve(settings, project, os.environ)
    spec = services.specification(settings, project, keys, ports, foreign)
    known = [str(getattr(keys, field.name)) for field in fields(keys)]
    known += [server.password for server in foreign.values() if server.password]
    hidden = sorted({word for word in known if word != MASK}, key=len, reverse=True)
    options = (
        []
        if "airflow" in foreign
        else list(airflow_environment.options(settings, project, keys, ports["airflow"], spec.engine))
    )
    return {
        "schema": 1,
        "engine": {"name": spec.engine, "reason": engine.choose(settings).reason},
        "notices": list(spec.notices),
        "not_started": dict(spec.foreign),
        "processes": [_manager(project), *(_process(row, spec, hidden) for row in spec.services)],
        "environment": masked(spec.environment, hidden),
        "airflow": [
            {
                "section": option.section,
                "key": option.key,
                "value": masked({option.variable: option.value}, hidden)[option.variable],
                "reason": option.reason,
            }
            for option in options
        ],
    }


def _keys(project: Project) -> Secrets:
    """The project's secrets, or masks where the first `up` would make them."""
    if project.secrets.exists():
        return secrets.load(project)
    return secrets.Secrets(**{field.name: MASK for field in fields(secrets.Secrets)})


def _manager(project: Project) -> dict[str, Any]:
    argv = [sys.executable, "-m", "airfoil.stack.manager", "--project", str(project.root)]
    why = "starts, watches and restarts the others"
    return {"name": "manager", "title": "Manager", "argv": argv, "how": why, "needs": [], "environment": {}}


def _process(row: Service, spec: Spec, hidden: list[str]) -> dict[str, Any]:
    if row.stage:
        how = f"forked from the pre-loaded parent after its layer {row.stage!r}"
        if row.fallback_argv:
            how += f"; if its self-test fails: {' '.join(row.fallback_argv)}"
    else:
        modules = sum(len(names) for names in spec.preload.values())
        how = (
            f"started by itself, then imports {modules} modules"
            if row.name == "preload"
            else "started by itself"
        )
    return {
        "name": row.name,
        "title": row.title,
        "argv": list(row.argv),
        "how": how,
        "needs": list(row.needs),
        "environment": masked(row.env, hidden),
    }


def masked(environment: Mapping[str, str], hidden: list[str]) -> dict[str, str]:
    """Return an environment that may be shown around."""
    return {name: _masked(name, value, hidden) for name, value in sorted(environment.items())}


def _masked(name: str, value: str, hidden: list[str]) -> str:
    if value and _SECRET_NAME.search(name) and not _PLACE_NAME.search(name):
        return MASK
    for word in hidden:
        value = value.replace(word, MASK)
    return redact(value)
