"""What differs from project to project: compose.override.yaml and the file that airflow-init reads.

The settings of airfoil.toml that a server has as well, translated as `airflow_environment` does on a laptop. Pure:
values that are secret come in as arguments and go into the second file alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from airfoil.stack import connections, profiles
from airfoil.stack.deploy import dag_source, mounted_files, our_images
from airfoil.stack.lifecycle_variables import lifecycle_variables
from airfoil.stack.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.settings import Settings

INSIDE = "/opt/airfoil/project"
"""Where the project lies in our images."""
_INSIDE = Project(Path(INSIDE))
FEATURES = "feature_store.yaml"
AIRFLOW_SERVICES = (
    "airflow-init",
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "airflow-worker",
    "maintenance",
    "restore",
)
JOINING: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(AIRFLOW_SERVICES, frozenset()),
    "postgres-init": frozenset({"POSTGRES_URL"}),
    "s3-init": frozenset({"S3_URL"}),
    "mlflow": frozenset({"POSTGRES_URL", "S3_URL"}),
    "feature-server": frozenset({"POSTGRES_URL", "REDIS_URL", "S3_URL"}),
    "flower": frozenset({"REDIS_URL"}),
    "postgres-exporter": frozenset({"POSTGRES_URL"}),
    "redis-exporter": frozenset({"REDIS_URL"}),
}
"""Services that talk to what may be somebody else's -> the variables one of which says so; Airflow's do in any case."""
BUILT = {"airflow-init": "airflow", "mlflow": "mlflow", "feature-server": "features", "status": "status"}
"""Services that say how an image is built -> its stage of the Dockerfile."""
IMAGES: Mapping[str, str] = {
    **dict.fromkeys((*AIRFLOW_SERVICES, "s3-init", "flower"), "airflow"),
    **BUILT,
}
"""Services that run an image of ours -> which one."""
_DECIDED = {("core", "executor"), ("core", "simple_auth_manager_users")}
"""What a laptop may set and a server decides by itself."""
_HEAD = """\
# Written by `airfoil deploy compose` from airfoil.toml, anew each time. What you want changed beside it goes into a
# file of your own: `COMPOSE_FILE=compose.yaml:compose.override.yaml:mine.yaml` in .env.
"""


@dataclass(frozen=True)
class Build:
    """Out of what our images are made: the context as Compose reaches it, our folder inside, and which Airfoil."""

    context: str
    folder: str
    requirement: str
    has_features: bool = True
    folders: Mapping[str, str] = field(default_factory=dict)
    """Arguments of the Dockerfile for folders that are not called as usual."""


def override(
    settings: Settings,
    project: Project,
    build: Build,
    given: Mapping[str, str],
    digests: Mapping[str, str] | None = None,
) -> str:
    """Return compose.override.yaml; `digests` are those of `mounted_files`."""
    volumes = _volumes(settings, project.root, has_features=build.has_features)
    services: dict[str, Any] = {
        name: {"environment": _environment(settings), "volumes": volumes} for name in AIRFLOW_SERVICES
    }
    services["airflow-init"].pop("volumes")
    from_git = dag_source.environment(given)
    for name in dag_source.READERS:
        services[name]["environment"] = services[name]["environment"] | _escaped(from_git)
    for name in BUILT:
        services.setdefault(name, {})["build"] = {
            "context": build.context,
            "dockerfile": f"{build.folder}/Dockerfile",
            "args": {
                "DEPLOY_FOLDER": build.folder,
                "AIRFOIL_REQUIREMENT": build.requirement,
                **_escaped(build.folders),
            },
        }
        if from_git:
            services[name]["build"]["args"]["APT_PACKAGES"] = f"{dag_source.PACKAGES} ${{APT_PACKAGES:-}}"
    for name, image in IMAGES.items():
        policy = our_images.pull_policy(our_images.name(image, given))
        if policy != our_images.NEVER:  # which stands in compose.yaml
            services.setdefault(name, {})["pull_policy"] = policy
    services["feature-server"]["volumes"] = [one for one in volumes if f":{INSIDE}/features" in one]
    for name, digest in (digests or {}).items():
        services.setdefault(name, {})["labels"] = {mounted_files.LABEL: digest}
    found: dict[str, Any] = {"services": services}
    if given["JOIN_NETWORK"]:
        found["networks"] = {"joined": {"name": given["JOIN_NETWORK"], "external": True}}
        for name, variables in JOINING.items():
            if not variables or any(given[one] for one in variables):
                services.setdefault(name, {})["networks"] = ["private", "joined"]
    # By way of JSON, so that what occurs twice is written twice: a person reads this.
    plain = json.loads(json.dumps(found))
    return f"{_HEAD}{yaml.safe_dump(plain, sort_keys=False, width=1000)}"


def _environment(settings: Settings) -> dict[str, str]:
    """Return Airflow's options that the project decides; the user's own win over those of compose.yaml."""
    found = {
        "AIRFLOW__AIRFOIL__PROFILES": profiles.tables_json(settings, _INSIDE),
        "AIRFLOW__AIRFOIL__GPU_POOL": profiles.GPU_POOL,
        "AIRFLOW__AIRFOIL__EXPERIMENT": settings.mlflow.experiment,
        "AIRFLOW__AIRFOIL__ALERT_MAIL_TO": ", ".join(settings.alerts.mail_to),
        "AIRFLOW__AIRFOIL__ALERT_MOST_AN_HOUR": str(settings.alerts.most_an_hour),
    }
    for section, table in settings.airflow_options.items():
        for key, value in table.items():
            if (section, key) not in _DECIDED:
                found[f"AIRFLOW__{section.upper()}__{key.upper()}"] = value
    return _escaped(found)


def _escaped(found: Mapping[str, str]) -> dict[str, str]:
    """Return values as they must stand in a file of Compose."""
    return {name: value.replace("$", "$$") for name, value in found.items()}


def _volumes(settings: Settings, root: Path, *, has_features: bool) -> list[str]:
    """Mount the project's folders by the names that its settings give them; the same target replaces ours."""
    found = [
        f"{_place(settings.airflow.dags, root)}:{INSIDE}/dags:ro",
        f"{_place(settings.airflow.plugins, root)}:{INSIDE}/plugins:ro",
    ]
    if has_features:
        repository = f"{INSIDE}/features"
        found += [
            f"{_place(settings.feast.repo, root)}:{repository}:ro",
            f"./{FEATURES}:{repository}/{FEATURES}:ro",
        ]
    return found


def _place(folder: Path, root: Path) -> str:
    """Say where a folder is; one of the project moves with it."""
    folder = root / folder
    return (
        f"${{AIRFLOW_PROJ_DIR:-../..}}/{folder.relative_to(root)}"
        if folder.is_relative_to(root)
        else str(folder)
    )


def setup(settings: Settings, given: Mapping[str, str], secrets: Mapping[str, str]) -> str:
    """Return what airflow-init puts into Airflow: connections, variables, pools. It holds passwords."""
    url = given["MLFLOW_TRACKING_URI"]
    environment = {
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_TRACKING_USERNAME": given["MLFLOW_AIRFLOW_USERNAME"],
        "MLFLOW_TRACKING_PASSWORD": secrets["MLFLOW_AIRFLOW_PASSWORD"],
    }
    found = connections.connections(settings, _INSIDE, environment)
    ours = set(given["COMPOSE_PROFILES"].split(","))
    found["mlflow_default"] |= {"host": url, "port": None}
    if "mlflow" in ours:
        # Links are followed by people's browsers, which come in by the proxy.
        found["mlflow_default"]["extra"] = {"browser_url": f"{given['AIRFOIL_MLFLOW_URL']}/mlflow"}
    found["feast_default"]["host"] = f"{INSIDE}/features"
    found |= dag_source.connection(given)
    page = f"http://status{given['PRIVATE_DOMAIN']}:8081/status" if "status" in ours else ""
    variables = {"airfoil_project": settings.project.name, **lifecycle_variables(settings, page)}
    pools = json.loads(profiles.pools_json(settings))
    return json.dumps({"connections": found, "variables": variables, "pools": pools}, indent=1) + "\n"


def alerts(settings: Settings) -> dict[str, str]:
    """Return the variables of [alerts] for Alertmanager; nothing for what the settings do not say."""
    found = {
        "ALERT_MAIL_TO": ", ".join(settings.alerts.mail_to),
        "ALERT_MAIL_FROM": settings.alerts.mail_from,
        "ALERT_CHAT_WEBHOOK": settings.alerts.webhook,
    }
    if settings.alerts.smtp:
        mail = connections.connections(settings, _INSIDE, {"MLFLOW_TRACKING_URI": "http://mlflow"})
        server = mail["smtp_default"]
        found |= {
            "ALERT_SMTP_HOST": f"{server['host']}:{server['port']}",
            "ALERT_SMTP_USER": server.get("login", ""),
            "ALERT_SMTP_PASSWORD": server.get("password", ""),
            "ALERT_SMTP_TLS": "false" if settings.alerts.smtp.startswith("smtp:") else "true",
        }
    return {name: value for name, value in found.items() if value}
