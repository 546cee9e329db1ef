"""`/airfoil/door`: a proxy asks whether who is logged in to Airflow may pass to a page beside it, and gets their name.

One table says who may do what at which page. It hands out no session and knows no other server: the proxy sends the
headers on (docs/doors.md), and must have removed those of the same names that the visitor sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from urllib.parse import quote, unquote

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api import security
from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

USER_HEADER = "X-Airfoil-User"
ROLE_HEADER = "X-Airfoil-Role"
GRAFANA_HEADER = "X-Airfoil-Grafana-Role"
"""The same in Grafana's words, which knows no others: Viewer, Editor, Admin."""
NAME_SIGNS = "@.+-_ "
"""What stands in a name as it is, beside letters and digits; a header is ASCII, and a name need not be."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
_AMBIGUOUS = re.compile(r"//|\\|/\.\.?(/|$)")
_READINGS = 4
"""How often a path is decoded: once by each who reads it, and once more."""


class Role(IntEnum):
    """What somebody may do in Airflow, as far as the pages beside it care."""

    VIEWER = 1
    """May see Airflow's website."""
    EDITOR = 2
    """May start DAG runs."""
    ADMIN = 3
    """May change connections, and with them everything that DAGs reach."""


@dataclass(frozen=True)
class Page:
    """Who may read at a page, and who may do more; `questions` are writing methods on paths that only ask."""

    reading: Role
    writing: Role
    questions: tuple[str, ...] = ()


PAGES = {
    # MLflow knows the three roles itself: runtime.mlflow_door.
    "mlflow": Page(Role.VIEWER, Role.VIEWER),
    "status": Page(Role.VIEWER, Role.ADMIN),
    "features": Page(Role.VIEWER, Role.EDITOR, ("/features/get-online-features",)),
    "prometheus": Page(Role.VIEWER, Role.ADMIN, ("/prometheus/api/v1/query",)),
    "alertmanager": Page(Role.VIEWER, Role.EDITOR),
    "grafana": Page(Role.VIEWER, Role.VIEWER),
    # It shows the arguments of tasks, and can end workers.
    "flower": Page(Role.EDITOR, Role.ADMIN),
    # The S3 store's own page: everybody's models, data and logs. The second is where its pictures are.
    "buckets": Page(Role.ADMIN, Role.ADMIN),
    "seaweedfsstatic": Page(Role.ADMIN, Role.ADMIN),
}


def routes(auth_manager: Callable[[], Any] = get_auth_manager) -> APIRouter:
    """Return the route; it answers 2xx, 302, 401 or 403, and never shows anything."""
    door = Door(auth_manager)
    router = APIRouter()
    # A proxy asks with GET, whatever the visitor's own method is.
    router.add_api_route("/door", door.answer, methods=["GET"], response_class=Response)
    return router


class Door:
    """Answers a proxy."""

    def __init__(self, auth_manager: Callable[[], Any]) -> None:
        """Take what knows Airflow's users."""
        self._auth_manager = auth_manager

    async def answer(self, request: Request) -> Response:
        """Say who the visitor is, or send them to log in, or refuse them."""
        method = request.headers.get("x-forwarded-method", "GET").upper()
        uri = request.headers.get("x-forwarded-uri", "")
        path = path_of(uri)
        page = page_of(path)
        try:
            user = await security.get_user(request, None, await security.bearer_scheme(request))
        except HTTPException:
            return self._stranger(request, method, uri)
        role = await run_in_threadpool(self._role, user)
        if page is None or role is None or role < needed(page, method, path):
            return Response(
                "Airflow's role of this login does not allow that.\n", 403, media_type="text/plain"
            )
        return Response(
            status_code=204,
            headers={
                USER_HEADER: quote(user.get_name(), safe=NAME_SIGNS),
                ROLE_HEADER: role.name.lower(),
                GRAFANA_HEADER: role.name.capitalize(),
                "Cache-Control": "no-store",
            },
        )

    def _role(self, user: Any) -> Role | None:
        manager = self._auth_manager()
        if manager.is_authorized_connection(method="PUT", user=user):
            return Role.ADMIN
        if manager.is_authorized_dag(method="POST", access_entity=DagAccessEntity.RUN, user=user):
            return Role.EDITOR
        if manager.is_authorized_view(access_view=AccessView.WEBSITE, user=user):
            return Role.VIEWER
        return None

    def _stranger(self, request: Request, method: str, uri: str) -> Response:
        """Send a person who opens a page to the login, and back to it afterwards; tell a program that it needs one."""
        is_page = method == "GET" and "text/html" in request.headers.get("accept", "")
        if not is_page:
            return Response(
                "Log in to Airflow first.\n", 401, {"WWW-Authenticate": "Bearer"}, media_type="text/plain"
            )
        back = uri if uri.startswith("/") and not uri.startswith(("//", "/\\")) else "/"
        login = self._auth_manager().get_url_login(next_url=back)
        return Response(status_code=302, headers={"Location": login, "Cache-Control": "no-store"})


def path_of(uri: str) -> str:
    """Return the path of an address; nothing when the proxy, or who is behind it, could take it for another one.

    A proxy decodes and tidies a path before it chooses a page by it, and the page may do so once more.
    """
    path = read = uri.partition("?")[0]
    for _ in range(_READINGS):
        if not read.startswith("/") or _AMBIGUOUS.search(read):
            return ""
        decoded = unquote(read)
        if decoded == read:
            return path
        read = decoded
    return ""  # nobody who is honest encodes so often


def page_of(path: str) -> Page | None:
    """Return the page that a path is below; None when no page of ours is."""
    return PAGES.get(path.split("/")[1]) if path else None


def needed(page: Page, method: str, path: str) -> Role:
    """Return the role that a visit takes."""
    if method in READING:
        return page.reading
    if method == "POST" and any(path == one or path.startswith(f"{one}_") for one in page.questions):
        return page.reading
    return page.writing
