"""A small issuer of OpenID Connect on loopback: discovery, code flow with PKCE, keys, tokens signed with RS256.

It lets in whom the test names, without asking for a password. What a token says can be bent, to be refused.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT = ("airfoil", "secret-of-the-client")


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """What it says, and what it was asked."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    """Claims of whoever comes next; the token carries those that are not in `on_request`."""
    on_request: tuple[str, ...] = ()
    """Claims that only /userinfo tells."""
    bent: dict[str, Any] = field(default_factory=dict)
    """Claims in the place of the right ones."""
    key: rsa.RSAPrivateKey = field(default_factory=_new_key)
    signing_key: rsa.RSAPrivateKey | None = None
    """Signs instead of the published one."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Note what was asked; the address that the browser is sent back to."""
        assert asked["client_id"] == CLIENT[0]
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], login: str) -> dict[str, Any] | None:
        """Exchange a code, once, with whoever has asked for it."""
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or login != ":".join(CLIENT)
            or form["redirect_uri"] != asked["redirect_uri"]
            or challenge.decode().rstrip("=") != asked["code_challenge"]
        ):
            return None
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT[0], "iat": now, "exp": now + 60, "nonce": asked["nonce"]}
        claims |= {name: value for name, value in self.person.items() if name not in self.on_request}
        signed = jwt.encode(claims | self.bent, self.signing_key or self.key, "RS256", headers={"kid": "one"})
        # As large as those of issuers that put everything into them.
        access = secrets.token_urlsafe(4000)
        return {"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": signed}


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        pages = {
            "/.well-known/openid-configuration": self.issuer.discovery,
            "/keys": self.issuer.keys,
            "/userinfo": lambda: self.issuer.person,
        }
        if parts.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.issuer.authorize(asked))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._say(200, pages[parts.path]())

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(text).items()}
        kind, _, login = self.headers.get("Authorization", "").partition(" ")
        who = unquote(base64.b64decode(login).decode()) if kind == "Basic" else ""
        found = self.issuer.token(form, who)
        self._say(200 if found else 400, found or {"error": "invalid_grant"})

    def _say(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep the test output quiet."""


@contextlib.contextmanager
def running_issuer(certificates: tuple[Path, Path, Path]) -> Iterator[Issuer]:
    """Serve one over TLS."""
    issuer = Issuer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"issuer": issuer}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates[1], certificates[2])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.daemon_threads = True
    issuer.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
