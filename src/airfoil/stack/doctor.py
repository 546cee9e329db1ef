"""Examines a machine and a project, and says what is wrong and how to mend it.

This module gathers what checks look at and runs them in the order in which a person would mend things; the checks are
in `checks_*`. A check that fails itself becomes a finding, so one broken part never hides the others. Must not change
anything, and must not import Airflow or MLflow.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.errors import AirfoilError, NeighbourError
from airfoil.stack import (
    checks_databases,
    checks_machine,
    checks_packages,
    checks_profiles,
    checks_project,
    checks_running,
    checks_servers,
    checks_upgrade,
    checks_wsl,
    secrets,
)
from airfoil.stack import state as states
from airfoil.stack.findings import Finding, from_error, warn
from airfoil.stack.machine import Machine
from airfoil.stack.project import Project
from airfoil.stack.services import stack_id
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.settings import Settings
    from airfoil.stack.servers import Server
    from airfoil.stack.state import StackState

ImportErrors = Callable[[Project, "StackState"], list[dict[str, Any]]]


def ask_airflow(project: Project, state: StackState) -> list[dict[str, Any]]:
    """Return the import errors that the running Airflow knows."""
    from airfoil.stack.airflow_rest import AirflowRest

    service = state.service("api-server")
    if service is None or not service.url:
        raise NeighbourError(
            "This stack has no Airflow with an address.", "`airfoil status` shows what runs."
        )
    with AirflowRest(service.url, secrets.AIRFLOW_ADMIN, secrets.load(project).admin_password) as airflow:
        return airflow.import_errors()


def meet_server(server: Server) -> str:
    """Ask a server that is not ours for its version, with our login."""
    from airfoil.stack import introduction

    return introduction.meet(server)


@dataclass(frozen=True)
class Case:
    """What a check may look at. Without a project, checks of projects have nothing to say."""

    machine: Machine
    project: Project | None = None
    settings: Settings | None = None
    settings_error: AirfoilError | None = None
    last_state: StackState | None = None
    """What the manager wrote last, whether or not it lives."""
    ask_airflow: ImportErrors = field(default=ask_airflow)
    meet: Callable[[Server], str] = meet_server
    """Introduces us to a server that is not ours; returns its version."""
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder whose disk matters."""
        return self.project.root if self.project else Path.cwd()

    @property
    def may_look_inside(self) -> bool:
        """Whether the state folder is open to us; if not, one finding about permissions says all there is to say."""
        return self.project is not None and (
            not self.project.state.is_dir() or os.access(self.project.state, os.R_OK | os.X_OK)
        )

    @property
    def stack_id(self) -> str:
        """The mark of this project's processes."""
        return stack_id(self.project) if self.project else ""

    @property
    def state(self) -> StackState | None:
        """The last state, when its manager or a service still lives."""
        last = self.last_state
        if last is None:
            return None
        noted = [
            (last.manager_pid, last.manager_started),
            *((row.pid, row.pid_started) for row in last.services),
        ]
        return last if any(self.machine.is_alive(pid, started) for pid, started in noted) else None

    def import_errors(self) -> list[dict[str, Any]] | None:
        """Return what Airflow says about DAG files; None when no Airflow is ready to be asked."""
        state = self.state
        service = state.service("api-server") if state else None
        if self.project is None or state is None or service is None or service.state != "ready":
            return None
        return self.ask_airflow(self.project, state)


Check = Callable[[Case], Iterable[Finding]]
MACHINE_CHECKS: dict[str, Check] = {
    "python": checks_machine.check_python,
    "user": checks_machine.check_user,
    "clock": checks_machine.check_clock,
    "disk": checks_machine.check_disk,
    "memory": checks_machine.check_memory,
    "wsl": checks_wsl.check_wsl,
    "versions": checks_machine.check_versions,
}
PROJECT_CHECKS: dict[str, Check] = {
    "settings": checks_project.check_settings,
    "airflow": checks_profiles.check_airflow_options,
    "profiles": checks_profiles.check_profiles,
    "code": checks_packages.check_code,
    "packages": checks_packages.check_packages,
    "permissions": checks_project.check_permissions,
    "secrets": checks_project.check_secrets,
    "exposure": checks_project.check_exposure,
    "servers": checks_servers.check_servers,
    "upgrade": checks_upgrade.check_upgrade,
    "databases": checks_databases.check_databases,
    "ports": checks_running.check_ports,
    "services": checks_running.check_services,
    "processes": checks_running.check_processes,
    "dags": checks_project.check_dags,
}


def examine(
    project: Project | None,
    settings: Settings | AirfoilError | None,
    *,
    machine: Machine | None = None,
    ask_airflow: ImportErrors = ask_airflow,
    environ: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Return the findings of every check; hand in the error when settings could not be loaded."""
    failed = settings if isinstance(settings, AirfoilError) else None
    case = Case(
        machine=machine or Machine(),
        project=project,
        settings=None if isinstance(settings, AirfoilError) else settings,
        settings_error=failed,
        last_state=states.load(project.state_file) if project else None,
        ask_airflow=ask_airflow,
        environ=environ or {},
    )
    checks = MACHINE_CHECKS | (PROJECT_CHECKS if project else {})
    return [finding for name, check in checks.items() for finding in _findings(name, check, case)]


def examine_from(start: Path, environ: Mapping[str, str], *, machine: Machine | None = None) -> list[Finding]:
    """Find the project around `start`, load its settings and examine both; what fails on the way is a finding."""
    from airfoil.settings import load

    try:
        project = Project.find(start)
    except AirfoilError as error:
        absent = warn("project", error.message, error.next_move)
        return [*examine(None, None, machine=machine), absent]
    settings: Settings | AirfoilError
    try:
        settings = load(project.root, environ)
    except AirfoilError as error:
        settings = error
    return examine(project, settings, machine=machine, environ=environ)


def _findings(name: str, check: Check, case: Case) -> list[Finding]:
    """Run one check to its end or to its failure, and keep what it found until then."""
    found: list[Finding] = []
    try:
        found.extend(check(case))
    except AirfoilError as problem:
        found.append(from_error(name, problem))
    except OSError as problem:
        found.append(from_error(name, storage_error(Path(str(problem.filename or case.folder)), problem)))
    except Exception as problem:  # noqa: BLE001 - doctor is for broken machines: the other checks must still speak
        reason = str(problem) or type(problem).__name__
        found.append(
            warn(
                name, f"This could not be examined: {reason}.", "Run `airfoil --debug doctor` and report it."
            )
        )
    return found
