"""Doctor's checks of a project's files: permissions, secrets, who may reach it, DAG files.

Each check gets the case and returns its findings. Must not change a file, nor run code of a project.
"""

from __future__ import annotations

import ast
import errno
import os
import re
import warnings
from typing import TYPE_CHECKING

from airfoil.errors import AirfoilError
from airfoil.stack import secrets
from airfoil.stack.address import is_local
from airfoil.stack.findings import Finding, error, from_error, ok, warn
from airfoil.stack.storage import belongs_to_another, storage_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airfoil.stack.doctor import Case

_OTHERS = 0o077
_OTHERS_READ = 0o044
_EVERYBODY_WRITES = 0o002
# A reader scrolls this far; the rest is counted.
_MOST_FILES_NAMED = 20
_MOST_DAG_FILES = 1000
_URL_PASSWORD = re.compile(rb"://[^:/@\s\"']*:[^\s\"']+@")


def check_settings(case: Case) -> Iterator[Finding]:
    """Check that the settings are readable and right."""
    if case.settings_error is not None:
        yield from_error("settings", case.settings_error)
        for line in case.settings_error.details:
            yield error("settings", line, case.settings_error.next_move or "Correct the value.")
    elif case.settings is not None:
        yield ok("settings", f"{len(case.settings.given)} values set, the others are defaults.")
        if case.settings.stack.engine == "preloaded" and case.machine.platform != "linux":
            yield warn(
                "settings",
                'stack.engine is "preloaded", which is safe on Linux only.',
                'Set it to "auto" or delete the line.',
            )


def check_permissions(case: Case) -> Iterator[Finding]:
    """Check that our files belong to us and are closed to others."""
    project = case.project
    if project is None:
        return
    sound = True
    foreign = project.foreign_owner()
    if foreign is not None:
        sound = False
        yield from_error("permissions", belongs_to_another(*foreign))
    folders = [project.root] if foreign else [project.root, project.state]
    for folder in folders:
        is_closed = folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK)
        if is_closed and not case.machine.disk(folder).read_only:  # the check of the disk says that one
            sound = False
            refusal = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            yield from_error("permissions", storage_error(folder, refusal))
    if project.state.is_dir() and project.state.stat().st_mode & _OTHERS:
        sound = False
        yield warn("permissions", f"Others may look into {project.state}.", f"`chmod 700 '{project.state}'`")
    for finding in _open_settings(project.toml):
        sound = False
        yield finding
    if sound:
        yield ok("permissions", "The project's files are yours and closed to others.")


def _open_settings(toml: Path) -> Iterator[Finding]:
    """Yield what is wrong with the mode of a settings file: it decides what runs, and may hold a password."""
    if not toml.is_file():
        return
    mode = toml.stat().st_mode
    if mode & _EVERYBODY_WRITES:
        yield error(
            "permissions",
            f"Everybody may change {toml}, and so decide what you run.",
            f"`chmod o-w '{toml}'`",
        )
    if mode & _OTHERS_READ and os.access(toml, os.R_OK) and _URL_PASSWORD.search(toml.read_bytes()):
        yield warn("permissions", f"{toml} holds a password and others may read it.", f"`chmod 600 '{toml}'`")


def check_secrets(case: Case) -> Iterator[Finding]:
    """Check that the secrets are whole, and readable by their owner alone."""
    project = case.project
    if project is None or not case.may_look_inside:
        return
    if not os.path.lexists(project.secrets):
        yield ok("secrets", "None yet; the first `airfoil up` makes them.")
        return
    sound = True
    for path in (project.secrets, project.passwords, project.metrics_token):
        if path.is_file() and path.stat().st_mode & _OTHERS:
            sound = False
            yield error(
                "secrets",
                f"Others may read {path} (mode {path.stat().st_mode & 0o777:04o}).",
                f"`chmod 600 '{path}'`",
            )
    try:
        secrets.load(project)
    except AirfoilError as problem:
        sound = False
        yield from_error("secrets", problem)
    if sound:
        yield ok("secrets", "Complete, mode 0600.")


def check_exposure(case: Case) -> Iterator[Finding]:
    """Check who else can reach the services."""
    if case.settings is None:
        return
    settings = case.settings
    hosts = {"airflow": settings.airflow.host, "mlflow": settings.mlflow.host, "page": settings.page.host}
    if settings.feast.server:
        hosts["feast"] = settings.feast.host
    for name, url in (("airflow", settings.airflow.url), ("mlflow", settings.mlflow.url)):
        if url:
            del hosts[name]
    open_hosts = {name: host for name, host in hosts.items() if not is_local(host)}
    if "mlflow" in open_hosts and not settings.mlflow.auth:
        yield error(
            "exposure",
            f"MLflow listens on {open_hosts['mlflow']} without a login: whoever reaches it may change every model.",
            "Set mlflow.auth = true, or delete mlflow.host.",
        )
    for name, host in open_hosts.items():
        yield warn(
            "exposure",
            f"{name} listens on {host}, without TLS.",
            f"Delete {name}.host to listen on this machine only, or put a TLS proxy in front of it.",
        )
    if not open_hosts:
        yield ok("exposure", "All services listen on this machine only.")


def check_dags(case: Case) -> Iterator[Finding]:
    """Check that DAG files import: a running Airflow knows; without one, their syntax at least can be read."""
    if case.project is None or case.settings is None:
        return
    folder = case.settings.airflow.dags
    if not folder.is_dir():
        yield warn(
            "dags", f"There is no folder {folder} for DAGs.", f"`mkdir '{folder}'`, or correct airflow.dags."
        )
        return
    broken = case.import_errors()
    if broken is None:
        yield from _syntax(folder)
        return
    for row in broken[:_MOST_FILES_NAMED]:
        yield error("dags", *_words_of(row))
    if len(broken) > _MOST_FILES_NAMED:
        more = len(broken) - _MOST_FILES_NAMED
        yield error(
            "dags", f"{more} more DAG files do not import.", "`airfoil airflow dags list-import-errors`"
        )
    if not broken:
        yield ok("dags", "Every DAG file imports.")


def _words_of(row: dict[str, object]) -> tuple[str, str]:
    """Return sentence and fix for one import error as Airflow reports it."""
    file = str(row.get("filename") or "A DAG file")
    trace = str(row.get("stack_trace") or "").strip()
    reason = trace.splitlines()[-1].strip() if trace else "no reason given"
    lines = re.findall(rf'File "[^"\n]*{re.escape(os.path.basename(file))}", line (\d+)', trace)  # noqa: PTH119 - may not be a path
    place = f"{file}:{lines[-1]}" if lines else file
    missing = re.match(r"ModuleNotFoundError: No module named '([^']+)'", reason)
    if missing:
        return (
            f"{place} does not import: {reason}.",
            f"Add the package it comes from (`airfoil add {missing[1].partition('.')[0]}`), or correct the import.",
        )
    # What `@task(**profile("..."))` comes to when the profile has an environment; Airflow's words lead nowhere.
    apart = re.search(r"Invalid arguments were passed to \w+ \(task_id: ([^)\n]+)\)[^{]*\{'python': ", trace)
    if apart:
        return (
            f"{place} does not import: the task {apart[1]} has a profile with an isolated environment.",
            "Write `@task.external_python` for it, or use a profile without `environment`.",
        )
    return f"{place} does not import: {reason}.", f"Correct it; `python '{file}'` shows the whole error."


def _syntax(folder: Path) -> Iterator[Finding]:
    """Yield the files that Python cannot even parse; nothing of them is run."""
    files = sorted(path for path in folder.rglob("*.py") if path.is_file())[:_MOST_DAG_FILES]
    broken = 0
    for path in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(path.read_bytes(), filename=str(path))
        except SyntaxError as problem:
            place = f"{path}:{problem.lineno}" if problem.lineno else str(path)
            yield error("dags", f"{place} is not valid Python: {problem.msg}.", "Correct that line.")
        except (ValueError, RecursionError, MemoryError) as problem:
            yield error(
                "dags",
                f"{path} is not valid Python: {str(problem) or 'nested too deeply'}.",
                "Replace that file.",
            )
        except OSError as problem:
            yield error("dags", f"{path} cannot be read: {problem.strerror}.", f"`ls -l '{path}'`")
        else:
            continue
        broken += 1
        if broken == _MOST_FILES_NAMED:
            return
    if not broken:
        yield ok(
            "dags",
            f"{len(files)} files have valid syntax (a running platform also tells whether they import).",
        )
