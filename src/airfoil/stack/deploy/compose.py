"""The files of a Compose server for one project: what is shipped, and what is written for the project beside it.

`rendered` is pure but for looking at the project's folder; `write` puts the files in place. Must not start anything.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import airfoil
from airfoil.errors import ConfigurationError, ProjectError
from airfoil.stack.deploy import (
    alert_mail,
    backup_place,
    build_context,
    env_file,
    feature_file,
    git_ignore,
    logins,
    mounted_files,
    neighbours,
    override,
    owned_files,
    passwords,
    remote_workers,
    shipped,
)
from airfoil.stack.packages import constraints

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from airfoil.settings import Settings
    from airfoil.stack.project import Project

EXAMPLE = "env.example"
OVERRIDE = "compose.override.yaml"
SETUP = "setup.json"
CONSTRAINTS = "constraints.txt"
WRITTEN = frozenset({env_file.NAME, OVERRIDE, SETUP, override.FEATURES, CONSTRAINTS})
"""What is written for a project; never shipped, and never in git."""
FOLDER = "deploy/compose"
MONITORING = "monitoring"
HONOURED = ("_AIRFLOW_WWW_USER_USERNAME", "_AIRFLOW_WWW_USER_PASSWORD", "AIRFLOW_PROJ_DIR", "AIRFLOW_UID")
"""Variables of Airflow's own Compose file that a shell may set before the first rendering."""
_IMAGES_USER = 50000
MARK = "`airfoil deploy compose` writes this file"
"""Stands in every env.example of ours, and in nobody else's file."""


@dataclass(frozen=True)
class Rendering:
    """Texts by their path below the folder of the server; private ones are for their owner alone."""

    shared: Mapping[str, str] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict, repr=False)
    folders: tuple[Path, ...] = ()
    url: str = ""
    administrator: str = ""
    reader: int = _IMAGES_USER
    """The user that our containers run as."""


def rendered(
    project: Project,
    settings: Settings,
    target: Path,
    environ: Mapping[str, str],
    deploy: Path | None = None,
    changed: Mapping[str, str] | None = None,
) -> Rendering:
    """Return everything that `target` must hold, with what an .env there says already; `deploy` is what is shipped.

    What is changed (values as written) wins over that .env.
    """
    if not target.is_relative_to(project.root) or target == project.root:
        raise ProjectError(
            f"{target} is not inside the project {project.root}, out of which the images are built.",
            f"Leave the folder out: {FOLDER} of the project is taken.",
        )
    deploy = deploy or shipped.folder()
    source = deploy / "compose"
    inside = target.relative_to(project.root).as_posix()
    up = os.path.relpath(project.root, target)
    example = (source / EXAMPLE).read_text(encoding="utf-8")
    written = _variables(example, project, settings, target, environ, changed=changed or {})
    given = {name: env_file.spoken(value) for name, value in written.items()}
    checkout = target.resolve() == source.resolve()
    requirement = "" if checkout else f"airfoil=={airfoil.__version__}"
    features = project.root / settings.feast.repo / override.FEATURES
    folders = build_context.folders(settings, project.root, target)
    build_context.check(settings, folders, given)
    arguments = build_context.arguments(folders)
    build = override.Build(up, inside, requirement, has_features=features.is_file(), folders=arguments)
    shared = {} if checkout else dict(_shipped(deploy, inside))
    if not checkout:
        seen = (source / build_context.IGNORE_FILE).read_text(encoding="utf-8")
        shared[build_context.IGNORE_FILE] = build_context.ignore_file(seen, FOLDER, inside, folders)
    if build.has_features:
        own = features.read_text(encoding="utf-8")
        shared[override.FEATURES] = feature_file.rendered(own, os.path.relpath(features, project.root))
    authority = target / given["LOGIN_CA_FILE"] if given["LOGIN_CA_FILE"] else None
    digests = mounted_files.digests(deploy, shared.get(override.FEATURES, ""), authority)
    shared[OVERRIDE] = override.override(settings, project, build, given, digests)
    if not checkout:
        shared[CONSTRAINTS] = constraints.PATH.read_text(encoding="utf-8")
        shared[git_ignore.NAME] = git_ignore.rendered(_text(target / git_ignore.NAME))
    shared[f"{remote_workers.FOLDER}/{remote_workers.KEYS}"] = remote_workers.public_keys(given)
    return Rendering(
        shared=shared,
        private={
            env_file.NAME: env_file.rendered(
                example, written, before=_text(target / env_file.NAME), former=_text(target / EXAMPLE)
            ),
            SETUP: override.setup(settings, given, given),
        },
        folders=(
            project.root / settings.airflow.dags,
            project.root / settings.airflow.plugins,
            project.sources,
        ),
        url=given["AIRFOIL_URL"],
        administrator=given["_AIRFLOW_WWW_USER_USERNAME"],
        reader=_user(given["AIRFLOW_UID"]),
    )


def write(rendering: Rendering, target: Path) -> None:
    """Put the files in place; scripts may be run, secrets are their owner's."""
    _refuse_others(rendering, target)
    for folder in (target, target / "tls", *rendering.folders):
        owned_files.make_folder(folder)
    for name, text in rendering.shared.items():
        path = (target / name).resolve()
        owned_files.make_folder(path.parent)
        for folder in _mounted(path, target.resolve()):
            owned_files.open_folder(folder)
        owned_files.put_shared(path, text)
    for name, text in rendering.private.items():
        # It is read in a container, by another user than the one who writes it here.
        owned_files.put_private(target / name, text, rendering.reader if name == SETUP else None)


def _mounted(path: Path, target: Path) -> list[Path]:
    """Return the folders around a file that containers may mount as a whole; that of the server never is."""
    return [one for one in path.parents if target.parent in one.parents and one != target]


def _refuse_others(rendering: Rendering, target: Path) -> None:
    """Refuse a folder with files of somebody else under the names of ours; those of a server are written anew."""
    if MARK in _text(target / EXAMPLE) or env_file.values(_text(target / env_file.NAME)).get("AIRFOIL_TAG"):
        return
    for name, text in {**rendering.shared, SETUP: ""}.items():
        path = (target / name).resolve()
        if path.is_file() and name != git_ignore.NAME and path.read_bytes() != text.encode():
            raise ProjectError(
                f"{path} is there already, is not Airfoil's, and would be overwritten.",
                "Name another folder: `airfoil deploy compose DIR`; or move the file away.",
            )


def _variables(
    example: str,
    project: Project,
    settings: Settings,
    target: Path,
    environ: Mapping[str, str],
    *,
    changed: Mapping[str, str],
) -> dict[str, str]:
    """Return every variable as it is to be written: what was there, else the shell's, else ours, else the example's."""
    text = _text(target / env_file.NAME)
    env_file.check(text, env_file.values(example))
    before = env_file.values(text)
    defaults = {
        "COMPOSE_PROJECT_NAME": _compose_name(settings.project.name),
        "AIRFLOW_UID": str(os.getuid() or _IMAGES_USER),
        "AIRFLOW_PROJ_DIR": os.path.relpath(project.root, target),
        **{name: environ[name] for name in HONOURED if environ.get(name)},
        **override.alerts(settings),
    }
    found = env_file.values(example)
    found |= {name: env_file.written(value) for name, value in defaults.items()}
    found |= {name: value for name, value in before.items() if value or name not in defaults}
    found |= changed
    # What airfoil.toml says of alerts wins over what it said the last time.
    found |= {name: env_file.written(value) for name, value in override.alerts(settings).items()}
    given = {name: env_file.spoken(value) for name, value in found.items()}
    for name, make in passwords.GENERATORS.items():
        if not given[name]:
            _refuse_new_key(name, before)
            given[name] = make()
            found[name] = env_file.written(given[name])
        passwords.check(name, given[name], theirs=passwords.is_theirs(name, given))
    if not (project.root / settings.feast.repo / override.FEATURES).is_file():
        given["AIRFOIL_PARTS"] = ",".join(
            one for one in given["AIRFOIL_PARTS"].split(",") if one != "features"
        )
    logins.check(given, target)
    backup_place.check(given)
    alert_mail.check(given)
    follows = neighbours.derived(given, airfoil.__version__)
    return found | {name: env_file.written(value) for name, value in follows.items()}


def _refuse_new_key(name: str, before: Mapping[str, str]) -> None:
    """Refuse to make a key anew where one was: what it has encrypted would be lost."""
    if name in before and name in {"BACKUP_PASSPHRASE", "FERNET_KEY", "MLFLOW_WEBHOOK_KEY"}:
        raise ConfigurationError(
            f"{name} in .env is empty, and what it has encrypted cannot be read without it.",
            "Put it back from a backup; to give up stored connections, delete the line.",
        )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _user(text: str) -> int:
    """Return the user of the containers; it has to be able to read setup.json, which only root can give away."""
    if not text.isdecimal():
        raise ConfigurationError("AIRFLOW_UID in .env is not the number of a user.", "`id -u` says yours.")
    me = os.geteuid()
    if me not in {0, int(text)}:
        raise ConfigurationError(
            f"AIRFLOW_UID is {text}, and you are {me}: the containers could not read {SETUP}, which holds passwords.",
            f"Set AIRFLOW_UID={me} in .env (or in your shell, the first time), or run this as root (`sudo`).",
        )
    return int(text)


def _compose_name(name: str) -> str:
    """Return a project's name in the letters that Compose takes."""
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_") or "airfoil"


def _shipped(deploy: Path, inside: str) -> Iterator[tuple[str, str]]:
    """Give the files that come with Airfoil, the monitoring's beside ours."""
    source = deploy / "compose"
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if (
            path.is_file()
            and name not in WRITTEN
            and not git_ignore.leaves_out(name)
            and name.partition("/")[0] != "wheels"
        ):
            text = path.read_text(encoding="utf-8")
            yield name, text.replace(FOLDER, inside) if name.startswith("Dockerfile") else text
    monitoring = deploy / MONITORING
    for path in sorted(monitoring.rglob("*")):
        if path.is_file() and "tests" not in path.relative_to(monitoring).parts:
            yield (
                f"../{MONITORING}/{path.relative_to(monitoring).as_posix()}",
                path.read_text(encoding="utf-8"),
            )
