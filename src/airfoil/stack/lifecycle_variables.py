"""The Airflow variables of `ml_pipeline`, and what they are until a person sets them. Nothing is written here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.stack.address import reachable
from airfoil.stack.ports import Ports

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.project import Project

SAMPLE = "samples/iris.csv"


def lifecycle_variables(settings: Settings, page_url: str) -> dict[str, str]:
    """Return each variable with its first value; without a status page there is no source to begin with."""
    found = {
        "ml_model_type": "random_forest",
        "accuracy_threshold": "0.8",
        "notification_email": ",".join(settings.alerts.mail_to),
    }
    return found | ({"crawl_url": f"{page_url.rstrip('/')}/{SAMPLE}"} if page_url else {})


def page_url_of(settings: Settings, project: Project) -> str:
    """Return where the status page of a project answers, or did when it was last up."""
    port = Ports(project).remembered().get("page", settings.page.port)
    return reachable(settings.page.host, port)
