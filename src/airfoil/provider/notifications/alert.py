"""The notifier that tells people by mail and in a chat, from a task, from the DAG processor, from the triggerer.

An alert changes no outcome: what goes wrong here is a line in the log. All channels are tried at once and waited for a
short while, because Airflow ends a task's process 20 seconds after its work.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseNotifier

from airfoil.errors import AirfoilError, redact
from airfoil.provider import alert_channels, alert_marks, alert_rate
from airfoil.provider.alert_story import alert_of, began

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import Connection, Context

    from airfoil.provider.alert_channels import Channel
    from airfoil.steps.alerts import Alert

PATIENCE_SECONDS = 14.0
NO_CHANNEL = (
    "Nobody is told: there is no channel for alerts. For mail set mail_to below [alerts] in airfoil.toml (or [airfoil] "
    "alert_mail_to in Airflow's configuration), for a chat the connection alerts_webhook."
)
NEXT_MOVES: Mapping[str, str] = {
    "failed": "Mend what the reason tells, then clear the failed tasks in Airflow; what is done stays done.",
    "late": "Look whether it still works or waits for something; it goes on, and is not told of again.",
}
log = logging.getLogger(__name__)


class AlertNotifier(BaseNotifier):
    """Tells what happened to a DAG run or a task, once for each failed run.

    :param text: what to add, with Airflow's templates; in the alert of a deadline `dag_run` and `deadline` alone are
        known
    :param to: who gets mail instead of `[airfoil] alert_mail_to`, separated by commas; with templates too, and what
        cannot be filled in names nobody
    """

    template_fields = ("text", "to")
    wants_reasons = True
    """Tasks of a DAG with such a callback leave behind why they failed (listeners.task_failures)."""

    def __init__(self, text: str = "", to: str = "", **kwargs: Any) -> None:
        """Keep what was given; `context` comes from the triggerer."""
        super().__init__(**kwargs)
        self.text = text
        self.to = to

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Fill in text and addresses; a text that cannot be filled is sent as it is, an address is not."""
        text, to = self.text, self.to
        try:
            super().render_template_fields(context, jinja_env)
        except Exception as error:  # noqa: BLE001 - whatever a template of the user's raises
            self.text, self.to = text, "" if "{" in to else to
            log.warning("The text of the alert cannot be filled in, and is sent as it is: %s", error)

    def notify(self, context: Context) -> None:
        """Tell people; never raises."""
        try:
            to = alert_channels.recipients(self.to)
            found = {name: read_connection(name) for name in alert_channels.wanted_connections(to)}
            self._tell(context, to, found)
        except Exception:
            log.exception("The alert was not sent")

    async def async_notify(self, context: Context) -> None:
        """Do the same in a triggerer, whose loop must not wait."""
        try:
            to = alert_channels.recipients(self.to)
            found = {name: await _read_async(name) for name in alert_channels.wanted_connections(to)}
            await asyncio.to_thread(self._tell, context, to, found)
        except Exception:
            log.exception("The alert was not sent")

    def _tell(self, context: Context, to: tuple[str, ...], found: Mapping[str, Connection | None]) -> None:
        channels, problems = channels_of(to, found)
        for problem in problems:
            log.warning("An alert is not sent: %s", problem)
        if not channels:
            if not problems:
                log.info(NO_CHANNEL)
            return
        alert = _with_next_move(alert_of(context, self.text))
        mark = Path()
        if alert.kind == "failed":
            what = f"failed {began(context)} {','.join(to)}"
            first = alert_marks.first_to_tell(alert.dag_id, alert.run_id, what)
            if first is None:
                log.info("This run has told of its failure before; no second alert is sent")
                return
            mark = first
        if not deliver_within_limit(alert, channels):
            alert_marks.take_back(mark)


def tell(alert: Alert, to: str = "") -> bool:
    """Send an alert from a task that has something to say; whether somebody was told. Never raises."""
    try:
        names = alert_channels.recipients(to)
        found = {name: read_connection(name) for name in alert_channels.wanted_connections(names)}
        channels, problems = channels_of(names, found)
        for problem in problems:
            log.warning("An alert is not sent: %s", problem)
        if not channels:
            log.info(NO_CHANNEL)
        return bool(channels) and deliver_within_limit(alert, channels)
    except Exception:
        log.exception("The alert was not sent")
        return False


def _with_next_move(alert: Alert) -> Alert:
    """Say what a reader can do, where the reason does not: it is the same for whatever went wrong."""
    return alert.model_copy(update={"next_move": alert.next_move or NEXT_MOVES.get(alert.kind, "")})


def deliver_within_limit(alert: Alert, channels: Sequence[Channel]) -> bool:
    """Send an alert unless its DAG has sent too many; whether that is settled, so that nobody need try again."""
    most = alert_rate.most_an_hour()
    admission = alert_rate.admit(alert.dag_id, most=most)
    if not admission.allowed:
        log.warning("%s sends no more than %d alerts an hour", alert.dag_id, most)
        return True
    sent = deliver(alert_rate.with_held_back(alert, admission.held_back, most=most), channels)
    if not sent:
        alert_rate.take_back(admission)
    return bool(sent)


def deliver(alert: Alert, channels: Sequence[Channel], patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Send over all channels at once, and say how each of them went; how many worked."""
    ends: dict[str, _End] = {}
    # Daemons, because a server that answers in ten minutes must not hold up a process that wants to end.
    threads = [
        threading.Thread(target=_send, args=(channel, alert, ends), daemon=True) for channel in channels
    ]
    until = time.monotonic() + patience_seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    for channel in channels:
        end = ends.get(channel.name, _End(sent=False, said=f"nothing was heard for {patience_seconds:g} s"))
        if end.sent:
            log.info("An alert was sent: %s%s", channel.name, f" ({end.said})" if end.said else "")
        else:
            log.warning("An alert was not sent: %s: %s", channel.name, end.said)
    return sum(end.sent for end in ends.values())


@dataclass(frozen=True)
class _End:
    """How it went with one channel."""

    sent: bool
    said: str = ""


def _send(channel: Channel, alert: Alert, ends: dict[str, _End]) -> None:
    try:
        ends[channel.name] = _End(sent=True, said=channel.send(alert))
    except AirfoilError as error:
        ends[channel.name] = _End(sent=False, said=error.in_full)
    except Exception as error:  # noqa: BLE001 - one channel must not stop the other
        ends[channel.name] = _End(sent=False, said=redact(f"{type(error).__name__}: {error}"))


def channels_of(
    to: tuple[str, ...], found: Mapping[str, Connection | None]
) -> tuple[list[Channel], list[str]]:
    """Return the channels that can be used, and a sentence about each that is set and cannot be."""
    mail, chat = found.get(alert_channels.MAIL_CONN_ID), found.get(alert_channels.CHAT_CONN_ID)
    problems: list[str] = []
    if to and mail is None:
        problems.append(
            f"There is no Airflow connection '{alert_channels.MAIL_CONN_ID}', so {', '.join(to)} gets no mail"
        )
    makers: list[Callable[[], Channel | None]] = []
    if mail is not None:
        makers.append(lambda: alert_channels.mail_channel(mail, to))
    if chat is not None:
        makers.append(lambda: alert_channels.chat_channel(chat))
    made: list[Channel] = []
    for make in makers:
        try:
            channel = make()
        except AirfoilError as error:
            problems.append(error.in_full)
        else:
            made += [channel] if channel is not None else []
    return made, problems


def read_connection(name: str) -> Connection | None:
    """Return a connection; None when it is not defined or cannot be read, as the other channel may still work."""
    try:
        return BaseHook.get_connection(name)
    except Exception as error:  # noqa: BLE001 - whatever a secrets backend raises
        log.debug("The connection %s is not used: %s", name, error)
        return None


async def _read_async(name: str) -> Connection | None:
    try:
        return await BaseHook.aget_connection(name)
    except Exception as error:  # noqa: BLE001 - as above
        log.debug("The connection %s is not used: %s", name, error)
        return None
