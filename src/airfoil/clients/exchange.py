"""A conversation with an MLflow server, written once and carried out by a plain or by an async client.

An exchange is a generator: it yields requests and pauses, is sent the parsed answer of each request, and returns its
result. Failures of a request are raised inside it as our errors. It must do no input or output of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import httpx

from airfoil.errors import (
    AirfoilError,
    AlreadyExistsError,
    ConfigurationError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)

if TYPE_CHECKING:
    from airfoil.clients.mlflow_server import MlflowServer

API = "api/2.0/mlflow"
FIRST_PAUSE_SECONDS = 0.5
MAX_MESSAGE_CHARACTERS = 500
UNTOUCHED_STATUSES = frozenset({429, 503})  # the server says it did nothing with the request
UNKNOWN_STATUSES = frozenset({502, 504})  # a proxy lost the answer; the request may have been carried out

Answer: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One request; say `repeatable=False` when carrying it out twice would leave two of something."""

    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    content: bytes | Path | None = None
    """What is uploaded instead of a body; a file is not held in memory."""
    save_to: Path | None = None
    """Where the answer is written in place of being parsed; it is not held in memory."""
    repeatable: bool = True


@dataclass(frozen=True)
class Pause:
    """Wait before going on."""

    seconds: float


T = TypeVar("T")
Exchange: TypeAlias = Generator[Request | Pause, Answer, T]
Attempts: TypeAlias = Generator[Request | Pause, "httpx.Response | None", T]


def get(path: str, /, **query: str) -> Exchange[Answer]:
    """Read something."""
    return (yield Request("GET", path, query=query))


def post(path: str, body: Mapping[str, Any], *, repeatable: bool = True) -> Exchange[Answer]:
    """Send something."""
    return (yield Request("POST", path, body=body, repeatable=repeatable))


def post_tags(path: str, body: Mapping[str, Any]) -> Exchange[Answer]:
    """Set tags. When two set a new one at once, MLflow refuses one of them; by the next time the tag is there."""
    try:
        return (yield from post(path, body))
    except (ConfigurationError, ServiceAnswerError):
        return (yield from post(path, body))


def patch(path: str, body: Mapping[str, Any]) -> Exchange[Answer]:
    """Change something."""
    return (yield Request("PATCH", path, body=body))


def put(path: str, content: bytes | Path) -> Exchange[Answer]:
    """Store bytes or a file under a path."""
    return (yield Request("PUT", path, content=content))


def download(path: str, to: Path) -> Exchange[None]:
    """Write what lies under a path to a file."""
    yield Request("GET", path, save_to=to)


def delete(path: str, body: Mapping[str, Any], *, repeatable: bool = True) -> Exchange[Answer]:
    """Remove something."""
    return (yield Request("DELETE", path, body=body, repeatable=repeatable))


def pause(seconds: float) -> Exchange[None]:
    """Wait."""
    yield Pause(seconds)


def attempts(exchange: Exchange[T], server: MlflowServer) -> Attempts[T]:
    """Return the exchange as single attempts: each is sent a response or thrown httpx's error; it sees only ours."""
    answer: Answer | None = None
    failure: AirfoilError | None = None
    while True:
        try:
            step = exchange.throw(failure) if failure else exchange.send(answer)  # type: ignore[arg-type]
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        answer = failure = None
        if isinstance(step, Pause):
            yield step
            continue
        try:
            answer = yield from _attempts_of(step, server)
        except AirfoilError as error:
            failure = error


def _attempts_of(request: Request, server: MlflowServer) -> Attempts[Answer]:
    """Try a few times, but never repeat what may have happened and must not happen twice."""
    for left in reversed(range(server.tries)):
        try:
            response = yield request
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if not left:
                raise _unreachable(server, error) from error
        except httpx.TransportError as error:
            if not left or not request.repeatable:
                raise _unreachable(server, error) from error
        else:
            if response is None:
                raise TypeError("an attempt was carried out without a response")
            again = response.status_code in UNTOUCHED_STATUSES or (
                request.repeatable and response.status_code in UNKNOWN_STATUSES
            )
            if response.is_success:
                is_parsed = request.content is None and request.save_to is None
                return _parsed(response, server) if is_parsed else {}
            if not left or not again:
                raise _refusal(server, response)
        yield Pause(FIRST_PAUSE_SECONDS * 2 ** (server.tries - 1 - left))
    raise ConfigurationError("An MLflow connection needs at least one try", "Set 'tries' to 1 or more.")


def drive(steps: Attempts[T], carry_out: Callable[[Request | Pause], httpx.Response | None]) -> T:
    """Carry out attempts with a blocking function. The async client has the same loop with an `await` in it."""
    try:
        step = next(steps)
        while True:
            try:
                response = carry_out(step)
            except httpx.TransportError as error:
                step = steps.throw(error)
            else:
                step = steps.send(response)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


def _parsed(response: httpx.Response, server: MlflowServer) -> Answer:
    try:
        answer = response.json() if response.content else {}
    except ValueError as error:
        raise _not_mlflow(server) from error
    if not isinstance(answer, dict):
        raise _not_mlflow(server)
    return answer


def _unreachable(server: MlflowServer, error: Exception) -> AirfoilError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return ConfigurationError(
            f"The certificate of MLflow at {server.uri} is not trusted here: {error}",
            "Name the file of the authority that signed it: 'ca_file' of the MLflow connection.",
        )
    reason = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or repr(error)
    return ServiceUnreachableError(
        f"MLflow at {server.uri} cannot be reached: {reason}",
        "Start it (`airfoil up`), or correct host and port of the MLflow connection.",
    )


def _not_mlflow(server: MlflowServer) -> ServiceAnswerError:
    return ServiceAnswerError(
        f"What answers at {server.uri} does not speak like an MLflow server",
        "Correct host, port and path of the MLflow connection.",
    )


def _refusal(server: MlflowServer, response: httpx.Response) -> AirfoilError:
    status = response.status_code
    code, said = _code_and_message(response)
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return ServiceRefusedError(
            f"MLflow at {server.uri} refused us (HTTP {status}): {said}",
            "Check login and password of the MLflow connection, and the hosts that the server allows.",
        )
    if status == httpx.codes.NOT_FOUND:
        return NotFoundError(f"MLflow at {server.uri} does not have it: {said}")
    if code == "RESOURCE_ALREADY_EXISTS":
        return AlreadyExistsError(f"MLflow at {server.uri} already has it: {said}")
    if status < httpx.codes.INTERNAL_SERVER_ERROR and status not in UNTOUCHED_STATUSES:
        return ConfigurationError(f"MLflow at {server.uri} refused the request: {said}")
    return ServiceAnswerError(
        f"MLflow at {server.uri} failed (HTTP {status}): {said}", "Look into MLflow's own log."
    )


def _code_and_message(response: httpx.Response) -> tuple[str, str]:
    """Return MLflow's error code, and what it said, short: its message, or the start of whatever came."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    fields = answer if isinstance(answer, dict) else {}
    text = str(fields.get("message") or response.text or response.reason_phrase).strip()
    return str(fields.get("error_code") or ""), " ".join(text.split())[:MAX_MESSAGE_CHARACTERS]
