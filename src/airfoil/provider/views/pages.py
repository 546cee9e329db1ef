"""The models page and its JSON, as routes of the API server; each asks who is looking.

They are for everybody who may see Airflow's website. A server that does not answer is said on the page in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.errors import AirfoilError, ConfigurationError, NotFoundError
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.views.catalogue import catalogue, one_model

if TYPE_CHECKING:
    from airfoil.clients.exchange import Exchange

CONNECTION = "mlflow_default"
MOVES_SHOWN = 200
Connect = Callable[[], AbstractContextManager[MlflowHttp]]
_HEADERS = {
    # The page needs nothing from elsewhere and may be framed by Airflow alone.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def routes(connect: Connect | None = None) -> APIRouter:
    """Return the routes; without a connection given, those of Airflow's connection `mlflow_default`."""
    pages = Pages(connect or _connect)
    router = APIRouter(dependencies=[Depends(requires_access_view(AccessView.WEBSITE))])
    html: dict[str, Any] = {"methods": ["GET"], "response_class": HTMLResponse}
    router.add_api_route("/models", pages.models_page, **html)
    router.add_api_route("/models/{name}", pages.model_page, **html)
    router.add_api_route("/api/models", pages.models, methods=["GET"])
    router.add_api_route("/api/models/{name}", pages.model, methods=["GET"])
    return router


class Pages:
    """Answers requests; each asks MLflow anew."""

    def __init__(
        self, connect: Connect, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Take a way to MLflow."""
        self._connect = connect
        self._clock = clock
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"ago": self._ago, "moment": _moment, "number": _number, "deed": _deed}

    def models(self) -> dict[str, Any]:
        """Return all models as JSON."""
        try:
            return self._ask(catalogue(_ledger()))
        except AirfoilError as error:
            raise _told(error) from error

    def model(self, name: str) -> dict[str, Any]:
        """Return one model as JSON."""
        try:
            return self._ask(one_model(_ledger(), name))
        except AirfoilError as error:
            raise _told(error) from error

    def models_page(self) -> HTMLResponse:
        """Show all models."""
        try:
            found, problem = self._ask(catalogue(_ledger())), None
        except AirfoilError as error:
            found, problem = {"models": []}, error
        return self._page("models.html", problem, **found)

    def model_page(
        self, name: str, moves: Annotated[int, Query(ge=1, le=10_000)] = MOVES_SHOWN
    ) -> HTMLResponse:
        """Show one model with its history."""
        try:
            found, problem = self._ask(one_model(_ledger(), name)), None
        except AirfoilError as error:
            found, problem = None, error
        return self._page("model.html", problem, name=name, model=found, shown=moves)

    def _ask(self, question: Exchange[dict[str, Any]]) -> dict[str, Any]:
        with self._connect() as http:
            return http.do(question)

    def _page(self, template: str, problem: AirfoilError | None, **values: Any) -> HTMLResponse:
        text = self._templates.get_template(template).render(problem=problem, **values)
        return HTMLResponse(text, _status(problem), headers=_HEADERS)

    def _ago(self, at: str) -> str:
        """Say how long ago a moment was, in its largest unit."""
        seconds = (self._clock() - datetime.fromisoformat(at)).total_seconds()
        for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
            count = int(seconds // length)
            if count > 0:
                return f"{count} {unit}{'s' if count > 1 else ''} ago"
        return "just now"


def _ledger() -> Ledger:
    return Ledger(Claims())


def _connect() -> MlflowHttp:
    try:
        return MlflowHook(CONNECTION).http()
    except AirflowNotFoundException as error:
        raise ConfigurationError(
            f"Airflow has no connection '{CONNECTION}'",
            "Add one of the type MLflow under Admin, Connections.",
        ) from error


def _told(error: AirfoilError) -> HTTPException:
    return HTTPException(_status(error), error.in_full)


def _status(problem: AirfoilError | None) -> int:
    if problem is None:
        return 200
    return 404 if isinstance(problem, NotFoundError) else 502


def _moment(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _deed(move: dict[str, Any]) -> str:
    """Say who did what."""
    who = move["who"] or "unknown"
    done = {"promote": "promoted", "rollback": "rolled back", "remove": "taken away"}.get(move["kind"])
    return f"{done} by {who}" if done else who


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
