"""Over what an alert goes: mail by the connection `smtp_default`, a chat by the connection `alerts_webhook`.

Who gets mail stands in `[airfoil] alert_mail_to`. The connection for mail is read as Airflow's own smtp provider reads
it, and that provider need not be installed. Reading connections is the caller's part: a triggerer awaits them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from airfoil.clients.chat import post_message
from airfoil.clients.mail import MailServer, Security, compose, send_mail
from airfoil.errors import ConfigurationError
from airfoil.steps import alerts

if TYPE_CHECKING:
    from airflow.sdk import Connection

MAIL_CONN_ID = "smtp_default"
CHAT_CONN_ID = "alerts_webhook"
LONGEST_ANSWER_SECONDS = 8.0
_TLS_PORT = 465


class Channel(Protocol):
    """One way to tell people."""

    @property
    def name(self) -> str:
        """What it is called in the log."""

    def send(self, alert: alerts.Alert) -> str:
        """Tell them; what the log should know besides. Raises an AirfoilError when nobody could be told."""


@dataclass(frozen=True)
class Mail:
    """One mail to all."""

    server: MailServer
    sender: str
    to: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called in the log."""
        return f"mail to {', '.join(self.to)}"

    def send(self, alert: alerts.Alert) -> str:
        """Hand the mail in."""
        message = compose(
            self.sender, self.to, alerts.subject(alert), alerts.plain(alert), alerts.html(alert)
        )
        refused = send_mail(self.server, message)
        return "; ".join(f"not for {address}: {said}" for address, said in refused.items())


@dataclass(frozen=True)
class Chat:
    """One message in a chat."""

    url: str = field(repr=False)

    @property
    def name(self) -> str:
        """What it is called in the log."""
        return f"webhook of {CHAT_CONN_ID}"

    def send(self, alert: alerts.Alert) -> str:
        """Post the message."""
        post_message(self.url, alerts.chat(alert))
        return ""


def recipients(given: str = "") -> tuple[str, ...]:
    """Return who gets mail: those given, else `[airfoil] alert_mail_to`."""
    from airflow.sdk.configuration import conf

    text = given or str(conf.get("airfoil", "alert_mail_to", fallback="") or "")
    return tuple(name.strip() for name in text.replace(";", ",").split(",") if name.strip())


def wanted_connections(to: tuple[str, ...]) -> tuple[str, ...]:
    """Return the connections to read: that of the mail server only when somebody gets mail."""
    return (MAIL_CONN_ID, CHAT_CONN_ID) if to else (CHAT_CONN_ID,)


def mail_channel(connection: Connection, to: tuple[str, ...]) -> Mail:
    """Return the way to the people, by an Airflow connection of type smtp."""
    extra = connection.extra_dejson
    if not connection.host:
        raise ConfigurationError(
            f"The Airflow connection '{MAIL_CONN_ID}' has no host", "Set it to the mail server's name."
        )
    server = MailServer(
        host=connection.host,
        port=connection.port or 0,
        security=_security(connection.port, extra),
        login=connection.login or "",
        password=connection.password or "",
        check_certificate=extra.get("ssl_context") != "none",
        ca_file=str(extra.get("ca_file") or ""),
        timeout_seconds=_patience(extra.get("timeout")),
    )
    if extra.get("auth_type") == "oauth2":
        token = str(extra.get("access_token") or "")
        if not token:
            raise ConfigurationError(
                f"The Airflow connection '{MAIL_CONN_ID}' asks for oauth2 and holds no access_token",
                "Put one into its extra field, or use a login with a password.",
            )
        server = replace(server, password="", token=token, login=server.login or _sender(connection, extra))
    return Mail(server, _sender(connection, extra), to)


def chat_channel(connection: Connection) -> Chat | None:
    """Return the way to the chat; None when the connection holds no address.

    The address is the password, or host and path with the secret rest as password (as Airflow's Slack provider has it),
    or the address that the connection was made of.
    """
    password, host = connection.password or "", (connection.host or "").rstrip("/")
    if password.startswith(("https://", "http://")):
        return Chat(password)
    if not host:
        return None
    path = connection.schema or ""
    if "://" not in host:
        scheme = path if path in {"http", "https"} else connection.conn_type
        host = f"{scheme if scheme in {'http', 'https'} else 'https'}://{host}"
        host += f":{connection.port}" if connection.port else ""
    parts = [host, "" if path in {"http", "https"} else path.strip("/"), password.strip("/")]
    return Chat("/".join(part for part in parts if part))


def _security(port: int | None, extra: Mapping[str, Any]) -> Security:
    """Return how to encrypt. Where nothing is switched off Airflow means both; only one of them can be."""
    tls, starttls = not _is_set(extra, "disable_ssl"), not _is_set(extra, "disable_tls")
    if tls and starttls:
        return "tls" if port == _TLS_PORT else "starttls"
    return "tls" if tls else "starttls" if starttls else "none"


def _is_set(extra: Mapping[str, Any], name: str) -> bool:
    return str(extra.get(name) or "").strip().lower() in {"true", "1", "yes", "on"}


def _sender(connection: Connection, extra: Mapping[str, Any]) -> str:
    login = connection.login or ""
    return str(extra.get("from_email") or (login if "@" in login else f"airfoil@{connection.host}"))


def _patience(given: Any) -> float:
    """Return how long one answer may take; a task that has ended is not kept longer by a slow server."""
    try:
        seconds = float(given or LONGEST_ANSWER_SECONDS)
    except (TypeError, ValueError):
        seconds = LONGEST_ANSWER_SECONDS
    return min(seconds, LONGEST_ANSWER_SECONDS) if seconds > 0 else LONGEST_ANSWER_SECONDS
