"""What `up` does when other versions than before find a project's databases: refuse, or copy first and go on.

An older version on newer state refuses before anything is touched. Otherwise a snapshot is complete before the versions
are written down, and these before a service starts: killed at any moment, the next `up` goes on and loses nothing. The
migration itself is the business of `runtime`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError, NeighbourError
from airfoil.stack import snapshots, versions
from airfoil.stack.airflow_environment import database_url

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.snapshots import Snapshot
    from airfoil.stack.versions import Versions

_SQLITE = "sqlite:///"
_TITLES = {"airfoil": "Airfoil", "airflow": "Airflow", "mlflow": "MLflow"}
_MIB = 2**20


def refuse_newer_state(project: Project, settings: Settings) -> None:
    """Refuse to work on what a newer version has written, and say both ways back."""
    problem = newer_state(project, settings)
    if problem is not None:
        raise problem


def newer_state(project: Project, settings: Settings) -> ConfigurationError | None:
    """Return what is newer than what is installed; None when nothing is."""
    here, wrote = versions.installed(), versions.last_run(project)
    newer = wrote.newer_than(here)
    if newer:
        words = " and ".join(f"{_TITLES[name]} {theirs}" for name, (theirs, _) in newer.items())
        ours = " and ".join(f"{_TITLES[name]} {ours}" for name, (_, ours) in newer.items())
        sentence = f"This project was last run by {words}, and {ours} must not touch what that has written."
        return ConfigurationError(sentence, _way_back(project, settings, here, wrote))
    for part, path in sqlite_files(project, settings).items():
        revision = versions.revision_of(path)
        if versions.schema_of(part).is_unknown(revision):
            sentence = (
                f"{path} is at schema revision {revision}, which {_TITLES[part]} {here.known().get(part, '')} "
                f"does not know: a newer {_TITLES[part]} has written it."
            )
            return ConfigurationError(sentence, _way_back(project, settings, here, wrote))
    return None


def _way_back(project: Project, settings: Settings, here: Versions, wrote: Versions) -> str:
    """Say what to install, and which snapshot leads back to what is installed."""
    known = wrote.known()
    if wrote.newer_than(here):
        extras = ["stack"]
        extras += ["postgres"] if server_urls(settings) else []
        extras += ["s3"] if settings.mlflow.artifacts.startswith("s3://") else []
        names = {"airfoil": f"airfoil[{','.join(extras)}]"}
        wanted = " ".join(
            f"'{names.get(name, versions.DISTRIBUTIONS[name])}=={known[name]}'" for name in known
        )
        install = f"Install what wrote it: `uv pip install {wanted}`."
    else:
        install = "Install the release that wrote it."
    older = [one for one in snapshots.found_in(project) if not one.versions.newer_than(here)]
    if not older:
        return install
    return f"{install} Or go back to the databases of before that upgrade: `sh '{older[-1].restore}'`."


def other_versions_ran(project: Project) -> bool:
    """Tell whether what runs, or ran last, was started by other versions than those installed now."""
    return versions.last_run(project) != versions.installed()


def snapshot_if_due(project: Project, settings: Settings) -> Snapshot | None:
    """Copy the databases when other versions are about to migrate them, and write the new versions down."""
    here, wrote = versions.installed(), versions.last_run(project)
    if here == wrote and not _is_behind(project, settings):
        return None
    kept = snapshots.found_in(project)
    if here == wrote and kept and _holds_the_same(kept[-1], project, settings):
        return None  # an upgrade that was cut off after its snapshot: another one would push an older one out
    made = None
    files = _copied_files(project, settings)
    if files or (wrote.known() and server_urls(settings)):
        _refuse_too_little_room(project, files)
        made = snapshots.make(project, files, server_urls(settings), wrote)
    versions.remember(project, here)
    return made


def _is_behind(project: Project, settings: Settings) -> bool:
    return any(
        versions.schema_of(part).is_behind(versions.revision_of(path))
        for part, path in sqlite_files(project, settings).items()
    )


def _holds_the_same(made: Snapshot, project: Project, settings: Settings) -> bool:
    """Tell whether every database that is behind has been copied at just this revision."""
    for part, path in sqlite_files(project, settings).items():
        revision = versions.revision_of(path)
        copied = versions.revision_of(made.folder / f"{part}.db")
        if versions.schema_of(part).is_behind(revision) and copied != revision:
            return False
    return True


def sqlite_files(project: Project, settings: Settings) -> dict[str, Path]:
    """Return the SQLite database of each part that has one."""
    return {part: _file(url) for part, url in _urls(project, settings).items() if url.startswith(_SQLITE)}


def server_urls(settings: Settings) -> dict[str, str]:
    """Return the address of each database on a server, by the title of its part."""
    given = {
        "Airflow": "" if settings.airflow.url else settings.airflow.database,
        "MLflow": "" if settings.mlflow.url else settings.mlflow.database,
    }
    return {title: url for title, url in given.items() if url and not url.startswith(_SQLITE)}


def _urls(project: Project, settings: Settings) -> dict[str, str]:
    found = {
        "airflow": database_url(settings, project),
        "mlflow": settings.mlflow.database or f"{_SQLITE}{project.mlflow_database}",
    }
    foreign = {"airflow": settings.airflow.url, "mlflow": settings.mlflow.url}  # not ours to migrate
    return {part: url for part, url in found.items() if not foreign[part]}


def _file(url: str) -> Path:
    return Path(url.removeprefix(_SQLITE).partition("?")[0])


def _copied_files(project: Project, settings: Settings) -> dict[str, Path]:
    """Return what a snapshot holds: the databases, and the logins of MLflow, which MLflow migrates by itself.

    What no version has ever brought to a schema is not copied: nothing will migrate it, `up` refuses it as it is.
    """
    databases = {f"{part}.db": path for part, path in sqlite_files(project, settings).items()}
    found = {name: path for name, path in databases.items() if versions.may_have_a_schema(path)}
    logins = project.mlflow_home / "auth.db"
    return {**found, "auth.db": logins} if logins.is_file() else found


def _refuse_too_little_room(project: Project, files: dict[str, Path]) -> None:
    """A snapshot takes the databases' size once, and migrating copies of them takes it again."""
    wanted_mib = 2 * sum(path.stat().st_size for path in files.values()) // _MIB
    free_mib = shutil.disk_usage(project.state).free // _MIB
    if free_mib < wanted_mib:
        raise NeighbourError(
            f"Upgrading needs {wanted_mib} MiB for copies of the databases; only {free_mib} MiB are free.",
            "Free some space, then run `airfoil up` again; nothing was changed.",
        )
