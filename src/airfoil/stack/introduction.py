"""Makes the acquaintance of a server that exists already: whether it is one, is new enough, and lets us in.

Each way in which that fails is one sentence and the next move. Asked at `up`, by `doctor`, and by the status page at
the first question and after each failure. Must not change anything there.
"""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airfoil.errors import (
    AirfoilError,
    ConfigurationError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)
from airfoil.stack.rest import FORBIDDEN, NOT_FOUND, OK, UNAUTHORIZED, JsonService
from airfoil.stack.servers import PASSWORD_VARIABLES, login_command

if TYPE_CHECKING:
    import httpx

    from airfoil.stack.servers import Server

TIMEOUT_SECONDS = 5.0
OLDEST_MAJOR = 3
"""Of both: Airflow 2 has another API, and MLflow 2 has no logged models."""
_CREATED = 201
_REDIRECTS = range(300, 400)
_VERSION = re.compile(r"(\d+)\.\d+[\w.+-]*")


def meet(server: Server, timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """Return the server's version; an AirfoilError says what keeps us from working with it."""
    service = JsonService(
        server.title, server.url, timeout_seconds, server.auth if server.name == "mlflow" else None
    )
    try:
        return _meet_mlflow(server, service) if server.name == "mlflow" else _meet_airflow(server, service)
    except ServiceUnreachableError as error:
        raise _unreachable(server, error) from error
    finally:
        service.close()


def _meet_mlflow(server: Server, service: JsonService) -> str:
    answer = service.send("GET", "/version")
    _refuse_strangers(server, answer)
    if answer.status_code != OK:
        raise _not_one(server)
    version = _new_enough(server, answer.text.strip())
    # The version is public on some servers, the API is not.
    answer = service.send("POST", "/api/2.0/mlflow/experiments/search", body={"max_results": 1})
    _refuse_strangers(server, answer)
    if not isinstance(_json(answer), dict) or answer.status_code != OK:
        raise _not_one(server)
    return version


def _meet_airflow(server: Server, service: JsonService) -> str:
    answer = service.send("GET", "/api/v2/version")
    if answer.status_code == NOT_FOUND:
        older = _json(service.send("GET", "/api/v1/version"))
        if isinstance(older, dict) and "version" in older:
            _new_enough(server, str(older["version"]))
    _refuse_strangers(server, answer)
    said = _json(answer)
    if answer.status_code != OK or not isinstance(said, dict):
        raise _not_one(server)
    version = _new_enough(server, str(said.get("version", "")))
    login = {"username": server.username, "password": server.password}
    if not server.username or not server.password:
        raise _no_login(server)
    answer = service.send("POST", "/auth/token", body=login)
    _refuse_strangers(server, answer)
    token = _json(answer)
    if (
        answer.status_code not in {OK, _CREATED}
        or not isinstance(token, dict)
        or not token.get("access_token")
    ):
        raise ServiceAnswerError(
            f"Airflow at {server.url} gives out no tokens for a user name and a password ({answer.status_code}).",
            "Its auth manager must offer POST /auth/token, as those of Airflow and of the FAB provider do.",
        )
    return version


def _refuse_strangers(server: Server, answer: httpx.Response) -> None:
    """Raise for what every server may answer instead of a word: a login page, a closed door."""
    where = f"{server.title} at {server.url}"
    if answer.status_code in _REDIRECTS:
        target = urlsplit(str(answer.headers.get("location", "")))
        place = f"{target.scheme}://{target.netloc}{target.path}" if target.netloc else target.path
        raise ConfigurationError(
            f"{where} sends us on to {place or 'another page'}, as a login page or a moved server does.",
            f"Set {server.name}.url to the address that programs use, behind any single sign-on.",
        )
    if answer.status_code == UNAUTHORIZED:
        raise _wrong_login(server) if server.username and server.password else _no_login(server)
    if answer.status_code == FORBIDDEN and "host header" in answer.text.lower():
        raise ServiceRefusedError(
            f"{where} does not answer under that name (Invalid Host header).",
            "Its owner has to add the name to `mlflow server --allowed-hosts`.",
        )
    if answer.status_code == FORBIDDEN:
        who = f" as {server.username}" if server.username else " without a login"
        raise ServiceRefusedError(
            f"{where} does not let us in{who} (403).",
            f"Ask its owner for the permission to read and write, or give another login: "
            f"`{login_command(server.name)}`.",
        )


def _no_login(server: Server) -> ServiceRefusedError:
    missing = "password" if server.username else "login"
    return ServiceRefusedError(
        f"{server.title} at {server.url} asks for a login, and we have no {missing}.",
        f"Give it: `{login_command(server.name)}`, or set {PASSWORD_VARIABLES[server.name]} for `airfoil up`.",
    )


def _wrong_login(server: Server) -> ServiceRefusedError:
    return ServiceRefusedError(
        f"{server.title} at {server.url} refused the password of {server.username}.",
        f"Give the right one: `{login_command(server.name)}`, then `airfoil up`.",
    )


def _not_one(server: Server) -> ServiceAnswerError:
    return ServiceAnswerError(
        f"What answers at {server.url} is not an {server.title} server.",
        f"Correct {server.name}.url in airfoil.toml; a prefix such as /{server.name} belongs to it.",
    )


def _new_enough(server: Server, version: str) -> str:
    """Return the version; raise when it is none, or too old."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise _not_one(server)
    if int(found[1]) < OLDEST_MAJOR:
        raise ConfigurationError(
            f"{server.title} at {server.url} is version {version}; {OLDEST_MAJOR}.0 or newer is needed.",
            f"Have it upgraded, or delete {server.name}.url to have one started here.",
        )
    return version


def _unreachable(server: Server, error: AirfoilError) -> AirfoilError:
    """Word what TLS said; anything else is said well enough, but for what to do."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    where = f"{server.title} at {server.url}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ServiceUnreachableError(
            f"The certificate of {where} is not trusted ({cause.verify_message}).",
            "Name the file of the authority that signed it: `export SSL_CERT_FILE=/path/to/ca.pem`, then `airfoil up`.",
        )
    if isinstance(cause, ssl.SSLError):
        return ServiceUnreachableError(
            f"{where} does not speak TLS as we know it ({cause.reason or cause}).",
            f"If it is a plain server, write http:// in {server.name}.url.",
        )
    return ServiceUnreachableError(
        error.message, f"Start it, or correct {server.name}.url in airfoil.toml; the rest works without it."
    )


def _json(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None
