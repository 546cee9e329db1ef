"""Workers on other hosts: who may be one, the token that says so, and the one file that such a host is given.

The server keeps a list of names with the number of the one token that counts for each, and the public half of the key
that signs them; neither is secret. A worker holds its token and the service account of MLflow, and no key of the
server's. Must not start anything.
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from airfoil.errors import ConfigurationError
from airfoil.stack.deploy import dag_source, our_images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FOLDER = "workers"
LIST = "workers.json"
KEYS = "keys.json"
SWITCH = "EDGE_WORKERS"
"""The variable of .env that lets workers of other hosts in."""
ON = "true"
SIGNING_KEY = "EDGE_SIGNING_KEY"
ACCOUNT = "edge"
"""MLflow's account of all workers on other hosts."""
ISSUER = "airfoil"
AUDIENCE = "airfoil-edge"
DAYS = 365
_SECONDS_PER_DAY = 86400
_KEY_BYTES = 32
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
_HEAD = """\
# A worker of {url} on another host. It holds a token: keep this file readable by you alone.
# On that host, with the image {image}:   docker compose -f {file} up -d
# Written by `airfoil deploy worker {name}`, which makes a new token each time; the one before then counts no more.
"""


@dataclass(frozen=True)
class Worker:
    """One worker on another host, and how much it does."""

    name: str
    queues: tuple[str, ...]
    concurrency: int = 4
    days: int = DAYS
    memory: str = "2g"


def check(worker: Worker) -> None:
    """Refuse what cannot be a worker's name, or is never served."""
    if not _NAME.fullmatch(worker.name):
        raise ConfigurationError(
            f'"{worker.name}" cannot be the name of a worker.',
            "Take small letters, digits and -, at most 42 of them.",
        )
    if not worker.queues or worker.concurrency < 1 or worker.days < 1:
        raise ConfigurationError(
            "A worker serves a queue, runs at least one task at once, and has a token for at least a day.",
            "Name queues in EDGE_QUEUES of .env.",
        )


def public_keys(given: Mapping[str, str]) -> str:
    """Return the set of keys by which the API server knows our signature."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = _signing_key(given).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": ISSUER, "x": _unpadded(raw)}
    return json.dumps({"keys": [key]}, indent=1) + "\n"


def admitted(text: str, worker: Worker, number: str) -> str:
    """Return the list with this worker in it: one token counts for each name."""
    found = _read(text)
    found[worker.name] = {"token": number, "queues": list(worker.queues)}
    return json.dumps(dict(sorted(found.items())), indent=1) + "\n"


def dismissed(text: str, name: str) -> str:
    """Return the list without this worker; its token counts no more."""
    found = _read(text)
    if found.pop(name, None) is None:
        raise ConfigurationError(
            f'No worker "{name}" is known.', f"Known: {', '.join(sorted(found)) or 'none'}."
        )
    return json.dumps(found, indent=1) + "\n"


def _read(text: str) -> dict[str, Any]:
    found = json.loads(text or "{}")
    if not isinstance(found, dict):
        raise ConfigurationError(
            f"{FOLDER}/{LIST} is not a list of workers.", "Put it back, or delete it and make new tokens."
        )
    return found


def new_number() -> str:
    """Return the number of a new token."""
    return uuid.uuid4().hex


def token(worker: Worker, number: str, given: Mapping[str, str], now: float | None = None) -> str:
    """Sign who this worker is; good for nothing but the API of workers."""
    import jwt

    issued = int(time.time() if now is None else now)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": worker.name,
        "jti": number,
        "iat": issued,
        "exp": issued + worker.days * _SECONDS_PER_DAY,
    }
    return jwt.encode(claims, _signing_key(given), algorithm="EdDSA", headers={"kid": ISSUER})


def compose_file(worker: Worker, signed: str, given: Mapping[str, str], authority: str) -> str:
    """Return the file for the other host: everything it needs, and no address but the server's own."""
    image = our_images.name("airflow", given)
    service = {
        "image": image,
        "pull_policy": our_images.pull_policy(image),
        "command": [
            "python",
            "-m",
            "airfoil.runtime.container.edge_worker",
            "--edge-hostname",
            worker.name,
            "--queues",
            ",".join(worker.queues),
            "--concurrency",
            str(worker.concurrency),
        ],
        "environment": {
            name: value.replace("$", "$$") for name, value in _environment(signed, given, authority).items()
        },
        "restart": "unless-stopped",
        "init": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        # The first signal lets tasks finish; the usual one would end them.
        "stop_signal": "SIGINT",
        "stop_grace_period": "5m",
        "mem_limit": worker.memory,
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        "volumes": ["work:/opt/airflow/work"],
        "healthcheck": {
            "interval": "15s",
            "timeout": "5s",
            "retries": 6,
            "start_period": "120s",
            "test": [
                *("CMD", "python", "-m", "airfoil.runtime.container.probe"),
                *("--heartbeat-file", "/tmp/airfoil-worker", "--younger-than", "120"),  # noqa: S108 - a container's own
            ],
        },
    }
    found = {
        "name": f"airfoil-worker-{worker.name}",
        "services": {"worker": service},
        "volumes": {"work": None},
    }
    head = _HEAD.format(url=given["AIRFOIL_URL"], image=image, file=file_name(worker), name=worker.name)
    return f"{head}{yaml.safe_dump(found, sort_keys=False, width=1000)}"


def file_name(worker: Worker) -> str:
    """Return what the file for the other host is called."""
    return f"worker-{worker.name}.yaml"


def _environment(signed: str, given: Mapping[str, str], authority: str) -> dict[str, str]:
    url = given["AIRFOIL_URL"]
    address = given["MLFLOW_URL"] or f"{given['AIRFOIL_MLFLOW_URL']}/mlflow"
    login, password = ACCOUNT, given["MLFLOW_EDGE_PASSWORD"]
    if given["MLFLOW_URL"]:
        login, password = given["MLFLOW_AIRFLOW_USERNAME"], given["MLFLOW_AIRFLOW_PASSWORD"]
    connection = {"conn_type": "mlflow", "host": address, "login": login, "password": password}
    return {
        "AIRFOIL_WORKER_TOKEN": signed,
        "AIRFOIL_AUTHORITY": authority,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__EDGE__API_URL": f"{url}/edge_worker/v1/",
        "AIRFLOW__EDGE__HEARTBEAT_INTERVAL": "10",
        "AIRFLOW__EDGE__JOB_POLL_INTERVAL": "2",
        "AIRFLOW__CORE__EXECUTOR": f"CeleryExecutor{given['EDGE_EXECUTOR']}",
        "AIRFLOW__AIRFOIL__EDGE_QUEUES": given["EDGE_QUEUES"],
        "AIRFLOW__API__BASE_URL": url,
        **dag_source.environment(given),
        # As in compose.yaml: patience with a server that starts again.
        "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "60",
        "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "5",
        "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "24",
        # Before the connections that the server knows by addresses of its own network.
        "AIRFLOW_CONN_MLFLOW_DEFAULT": json.dumps(connection),
        "MLFLOW_TRACKING_URI": address,
        "MLFLOW_TRACKING_USERNAME": login,
        "MLFLOW_TRACKING_PASSWORD": password,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    }


def _signing_key(given: Mapping[str, str]) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = given[SIGNING_KEY]
    try:
        seed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        seed = b""
    if len(seed) != _KEY_BYTES:
        raise ConfigurationError(
            f"{SIGNING_KEY} in .env is not a key.",
            "Delete its value, and one is made; every worker on another host then needs a new file.",
        )
    return Ed25519PrivateKey.from_private_bytes(seed)


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
