"""Who a request to MLflow is from: a person whom the proxy vouches for, Prometheus, or whom MLflow itself knows.

MLflow calls `authorize` for every request (`authorization_function`). People have logged in to Airflow; the proxy says
their name and role, and proves with a secret that it is the proxy. Their accounts in MLflow have no password that
anybody knows. Everybody else is MLflow's own basic auth: service accounts. It must not decide about single runs or
models: MLflow does, by the permissions that a role is given here.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote

from airfoil.runtime import mlflow_people
from airfoil.runtime.mlflow_people import RESOURCES, SUFFIX

USER_HEADER = "X-Airfoil-User"
ROLE_HEADER = "X-Airfoil-Role"
PROXY_HEADER = "X-Airfoil-Proxy-Secret"
PROXY_VARIABLE = "AIRFOIL_MLFLOW_PROXY_SECRET"
METRICS_VARIABLE = "AIRFOIL_METRICS_TOKEN"
ACCOUNTS = "AIRFOIL_MLFLOW_ACCOUNTS"
KEPT_SECONDS = 60.0
"""How long an account is known to be as it should be, before the database is asked again."""
PERMISSIONS = {"viewer": "READ", "editor": "EDIT", "admin": "MANAGE"}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_QUESTION = re.compile(r"/(search|search-[a-z-]+|get-[a-z-]+|graphql)$")
"""The end of a path on which POST only asks."""


@dataclass(frozen=True)
class Visitor:
    """A person whom the proxy vouches for."""

    name: str
    role: str

    def may(self, method: str, path: str) -> bool:
        """Whether their role lets them send this at all; a viewer owns nothing, whatever they made before."""
        return (
            self.role != "viewer" or method in _READING or (method == "POST" and bool(_QUESTION.search(path)))
        )


class Store(mlflow_people.Accounts, Protocol):
    """The part of MLflow's store of users that is needed."""

    def update_user(self, username: str, *, is_admin: bool) -> object:
        """Change one."""

    def grant_user_permission(
        self, username: str, resource_type: str, resource_pattern: str, permission: str
    ) -> None:
        """Set what an account may do with all resources of a type."""


@dataclass
class Door:
    """What the environment says about who may come in, and the accounts that were looked at lately."""

    proxy_secret: str = ""
    metrics_token: str = ""
    admin: str = ""
    accounts: frozenset[str] = frozenset()
    clock: Callable[[], float] = time.monotonic
    _known: dict[Visitor, tuple[float, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Door:
        """Read what the server was started with."""
        return cls(
            environment.get(PROXY_VARIABLE, ""),
            environment.get(METRICS_VARIABLE, ""),
            environment.get("MLFLOW_AUTH_ADMIN_USERNAME", "") or "admin",
            frozenset(json.loads(environment.get(ACCOUNTS, "") or "{}")),
        )

    def visitor(self, headers: Mapping[str, str]) -> Visitor | None:
        """Return whom the proxy vouches for; None when nobody does, or it is not the proxy."""
        name, role = unquote(headers.get(USER_HEADER, "")), headers.get(ROLE_HEADER, "")
        if not name or role not in PERMISSIONS or not self.proxy_secret:
            return None
        if not hmac.compare_digest(headers.get(PROXY_HEADER, "").encode(), self.proxy_secret.encode()):
            return None
        if name in self.accounts or name.endswith(SUFFIX) or (name == self.admin and role != "admin"):
            name = f"{name}{SUFFIX}"  # a service account of the same name is somebody else
        return Visitor(name, role)

    def is_prometheus(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether this is a scrape, by its token."""
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        return (
            path == "/metrics"
            and bool(self.metrics_token)
            and scheme.lower() == "bearer"
            and hmac.compare_digest(given.strip().encode(), self.metrics_token.encode())
        )

    def account(self, visitor: Visitor, store: Store) -> str | None:
        """Return the name of a visitor's account, made or set right when it was not looked at for a minute.

        None when every account that could be theirs is somebody else's.
        """
        now = self.clock()
        with self._lock:
            at, name = self._known.get(visitor, (-KEPT_SECONDS, ""))
            if now - at < KEPT_SECONDS:
                return name
            found = visitor.name if visitor.name == self.admin else self._set_right(visitor, store)
            if found is None:
                return None
            self._known = {
                one: known
                for one, known in self._known.items()
                if one.name != visitor.name and now - known[0] < KEPT_SECONDS
            }
            self._known[visitor] = now, found
            return found

    def _set_right(self, visitor: Visitor, store: Store) -> str | None:
        name = mlflow_people.account_of(store, visitor.name, {self.admin, *self.accounts})
        if name is None:
            return None
        for resource in RESOURCES:
            store.grant_user_permission(name, resource, "*", PERMISSIONS[visitor.role])
        store.update_user(name, is_admin=visitor.role == "admin")
        return name


_door: Door | None = None


def authorize() -> Any:
    """Return the account that a request is from, or the answer that refuses it. MLflow calls this."""
    from flask import Response, request
    from mlflow.server import auth
    from werkzeug.datastructures import Authorization

    global _door  # noqa: PLW0603 - MLflow knows a function by name; what it needs lives as long as the server
    if _door is None:
        _door = Door.from_environment(os.environ)
    headers = dict(request.headers)
    if _door.is_prometheus(request.path, headers):
        return Authorization("basic", {"username": _door.admin})
    visitor = _door.visitor(headers)
    if visitor is None:
        return auth.authenticate_request_basic_auth()
    if not visitor.may(request.method, request.path):
        return _refusal(Response, "Your role in Airflow only looks at MLflow.")
    name = _door.account(visitor, auth.store)
    if name is None:
        taken = f"MLflow has service accounts {visitor.name} and {visitor.name}{SUFFIX}: one of them must go."
        return _refusal(Response, taken)
    return Authorization("basic", {"username": name})


def _refusal(response: Any, sentence: str) -> Any:
    said = {"error_code": "PERMISSION_DENIED", "message": sentence}
    return response(json.dumps(said), 403, mimetype="application/json")
