"""`/airfoil/metrics`: verdicts for Prometheus, open to the token of `[airfoil] metrics_token` and to logins of Airflow.

Answers are kept some seconds, so that scrapes cost MLflow little. An MLflow that is away is a metric and not an error:
the scrape itself works.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api import security
from airflow.sdk.configuration import conf
from fastapi import APIRouter, Depends, HTTPException, Request, Response

from airfoil.clients.claims import Claims
from airfoil.clients.dataset_verdicts import latest_dataset_verdicts
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.verdicts import latest_verdicts
from airfoil.errors import AirfoilError
from airfoil.provider.dataset_metrics import Judged, exposition
from airfoil.provider.mlflow_places import server_of
from airfoil.provider.views.catalogue import catalogue

if TYPE_CHECKING:
    from airfoil.clients.exchange import Exchange

CONNECTION = "mlflow_default"
KEPT_SECONDS = 15.0
PATIENCE_SECONDS = 4.0
"""Prometheus gives a scrape 10 seconds."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Connect = Callable[[], AbstractContextManager[MlflowHttp]]
log = logging.getLogger(__name__)


def routes(connect: Connect | None = None, *, clock: Callable[[], float] = time.monotonic) -> APIRouter:
    """Return the route; without a connection given, that of Airflow's connection `mlflow_default`."""
    page = MetricsPage(connect or _connect, clock=clock)
    guard = TokenOrLogin(str(conf.get("airfoil", "metrics_token", fallback="") or ""))
    router = APIRouter(dependencies=[Depends(guard)])
    router.add_api_route("/metrics", page.metrics, methods=["GET"], response_class=Response)
    return router


class TokenOrLogin:
    """Lets in who has the token, as bearer or as the password of basic auth, and who may see Airflow's website."""

    def __init__(self, token: str) -> None:
        """Take the token; empty: a login alone."""
        self._token = token.encode()

    async def __call__(self, request: Request) -> None:
        """Let a request pass, or answer 401 or 403."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if self._token and hmac.compare_digest(_secret(scheme.lower(), given.strip()), self._token):
            return
        try:
            user = await security.get_user(request, None, await security.bearer_scheme(request))
        except HTTPException as error:
            # A token of another kind than Airflow's is no forbidden user, but nobody.
            raise HTTPException(401, error.detail, headers={"WWW-Authenticate": "Bearer"}) from error
        security.requires_access_view(AccessView.WEBSITE)(request, user)


class MetricsPage:
    """Answers scrapes, and asks MLflow at most once in a while."""

    def __init__(self, connect: Connect, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a way to MLflow."""
        self._connect = connect
        self._clock = clock
        self._asking = threading.Lock()
        self._kept: tuple[float, bytes] | None = None

    def metrics(self) -> Response:
        """Return the metrics; all who scrape at once get one answer."""
        with self._asking:
            if self._kept is None or self._clock() - self._kept[0] >= KEPT_SECONDS:
                self._kept = (self._clock(), self._look())
            return Response(
                self._kept[1], headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
            )

    def _look(self) -> bytes:
        try:
            with self._connect() as http:
                judged: Judged | None = http.do(_judged())
        except AirfoilError as error:
            log.info("Verdicts are not known for now: %s", error)
            judged = None
        try:
            return exposition(judged)
        except ModuleNotFoundError as error:
            raise HTTPException(501, "Metrics need a package: pip install prometheus-client") from error


def _judged() -> Exchange[Judged]:
    claims = Claims()
    datasets = yield from latest_dataset_verdicts(claims)
    gates = yield from latest_verdicts(claims)
    listed = yield from catalogue(Ledger(claims))
    return Judged(datasets, gates, listed["models"])


def _connect() -> MlflowHttp:
    server = server_of(CONNECTION)
    patience = min(server.timeout_seconds, PATIENCE_SECONDS)
    return MlflowHttp(replace(server, tries=1, timeout_seconds=patience))


def _secret(scheme: str, given: str) -> bytes:
    """Return what a caller shows: a bearer token, or the password of basic auth, whatever the name beside it."""
    if scheme == "bearer":
        return given.encode()
    if scheme != "basic":
        return b""
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
