"""A worker on another host: Airflow's edge worker with the ML libraries read, a token in its hand, and nothing else.

Airflow's own signs every request with the secret that signs the tokens of people and tasks; whoever has that is an
administrator. Ours shows the token of `airfoil deploy worker` instead. The server's authority is trusted beside the
public ones. Touches a file before each heartbeat, which stops when the server is not reached. Must not know a DAG.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import MutableMapping

SHOWN_VARIABLE = "AIRFOIL_WORKER_TOKEN"
AUTHORITY_VARIABLE = "AIRFOIL_AUTHORITY"
AUTHORITIES = Path("/tmp/airfoil-authorities.pem")  # noqa: S108 - a container's own, and nothing secret
EXIT_CONFIGURATION = 78
_SOON_DAYS = 30
_SECONDS_PER_DAY = 86400


class Shown:
    """What Airflow asks for a token: it gets the one that we have, whatever it is to be for."""

    def __init__(self, token: str) -> None:
        """Keep the token."""
        self._token = token

    def generate(self, *_claims: object, **_options: object) -> str:
        """Give the token."""
        return self._token


async def beat() -> dict[str, Any]:
    """Say that the worker is about to tell the server of itself (`[edge] extended_system_info_function`)."""
    from airfoil.runtime.container.worker import HEARTBEAT

    HEARTBEAT.touch()
    return {}


def trust(environment: MutableMapping[str, str], public: Path, place: Path = AUTHORITIES) -> None:
    """Let every client of this process believe the server's authority beside the public ones."""
    own = environment.get(AUTHORITY_VARIABLE, "")
    if not own:
        return
    place.write_text(f"{public.read_text(encoding='utf-8')}\n{own}\n", encoding="utf-8")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AIRFLOW__API__SSL_CERT"):
        environment[name] = str(place)


def days_left(token: str, now: float) -> float:
    """Return how long a token counts; its signature is the server's to judge."""
    _head, payload, _signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return (float(claims["exp"]) - now) / _SECONDS_PER_DAY


def show_token(token: str) -> None:
    """Put the token in the place of what would sign with the server's secret."""
    from airflow.providers.edge3.cli import api_client

    if not callable(getattr(api_client, "jwt_generator", None)):
        give_up(
            "this edge provider asks for its tokens in another way; take the image of the server's release."
        )
    shown = Shown(token)
    vars(api_client)["jwt_generator"] = lambda: shown


def give_up(sentence: str) -> NoReturn:
    """End with a sentence."""
    print(f"airfoil: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(EXIT_CONFIGURATION)


def main() -> None:
    """Entry point: the arguments are those of `airflow edge worker`."""
    import certifi

    token = os.environ.pop(SHOWN_VARIABLE, "")
    try:
        days = days_left(token, time.time())
    except (ValueError, KeyError):
        give_up(f"{SHOWN_VARIABLE} is no token; `airfoil deploy worker NAME` on the server makes one.")
    if days < 0:
        give_up(
            "the token of this worker has run out; `airfoil deploy worker NAME` on the server makes another."
        )
    if days < _SOON_DAYS:
        print(f"airfoil: the token of this worker counts {days:.0f} days more.", file=sys.stderr, flush=True)
    trust(os.environ, Path(certifi.where()))
    os.environ["AIRFLOW__EDGE__EXTENDED_SYSTEM_INFO_FUNCTION"] = f"{__spec__.name}.{beat.__name__}"
    from airfoil.runtime.container import worker

    worker.preload(os.environ.get(worker.MORE_VARIABLE, ""))
    worker.HEARTBEAT.unlink(missing_ok=True)
    show_token(token)
    sys.argv = ["airflow", "edge", "worker", *sys.argv[1:]]
    from airflow.__main__ import main as airflow_main

    airflow_main()


if __name__ == "__main__":
    main()
