"""What MLflow says about a run, and the tags by which Airfoil knows its own. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airfoil.clients.exchange import API, Answer, Exchange, post_tags

KEY_TAG = "airfoil.run_key"
"""The digest of the key; only a run that has won its claim carries it."""
GENERATION_TAG = "airfoil.generation"
FINGERPRINT_TAG = "airfoil.fingerprint"
CLAIMS_TAG = "airfoil.claims"
"""On a parent: the run that holds the claims of its children, so that nobody has to look for it."""
SUPERSEDES_TAG = "airfoil.supersedes"
SUPERSEDED_BY_TAG = "airfoil.superseded_by"
REASON_TAG = "airfoil.reason"
ERROR_TAG = "airfoil.error"
PARENT_TAG = "mlflow.parentRunId"
URL_TAG = "airflow.url"
"""Tells one Airflow from another that uses the same MLflow."""
RUNNING = "RUNNING"
MAX_TAG_CHARACTERS = 8000


@dataclass(frozen=True)
class RunInfo:
    """What the server said about a run; `latest_point_ms` is the time of the newest metric in it."""

    id: str
    experiment_id: str
    artifact_uri: str
    status: str = RUNNING
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    latest_point_ms: int = 0
    started_ms: int = 0
    deleted: bool = False

    def url_at(self, server_uri: str) -> str:
        """The page of this run on its server, for people."""
        return f"{server_uri}/#/experiments/{self.experiment_id}/runs/{self.id}"

    @property
    def parent_id(self) -> str:
        """The run of the DAG run, for a child."""
        return self.tags.get(PARENT_TAG, "")

    @property
    def generation(self) -> int:
        """How many runs held the key before this one."""
        text = self.tags.get(GENERATION_TAG, "0")
        return int(text) if text.isdecimal() else 0

    @classmethod
    def read(cls, run: Answer) -> RunInfo:
        """Understand a run as MLflow's REST API gives it."""
        info, data = run["info"], run.get("data", {})
        return cls(
            id=str(info["run_id"]),
            experiment_id=str(info["experiment_id"]),
            artifact_uri=str(info.get("artifact_uri", "")),
            status=str(info.get("status", RUNNING)),
            tags={tag["key"]: tag.get("value", "") for tag in data.get("tags", [])},
            params={param["key"]: param.get("value", "") for param in data.get("params", [])},
            latest_point_ms=max((int(row.get("timestamp", 0)) for row in data.get("metrics", [])), default=0),
            started_ms=int(info.get("start_time", 0)),
            deleted=info.get("lifecycle_stage") == "deleted",
        )


@dataclass(frozen=True)
class Attempt:
    """The try of a task that opens a run: Airflow's number of it, and whether it goes on after a deferral."""

    number: int
    resuming: bool = False


FIRST_TRY = Attempt(1)


def set_tags(run_id: str, tags: Mapping[str, str]) -> Exchange[None]:
    """Set some tags (at most 100) of a run in one request."""
    yield from post_tags(f"{API}/runs/log-batch", {"run_id": run_id, "tags": tag_rows(tags)})


def tag_rows(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as MLflow's REST API takes them."""
    return [{"key": key, "value": value[:MAX_TAG_CHARACTERS]} for key, value in tags.items()]
