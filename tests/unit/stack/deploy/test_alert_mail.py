"""Ways of mail that a server's Alertmanager can go, and those that it cannot."""

from __future__ import annotations

import pytest

from airfoil.errors import SettingsError
from airfoil.stack.deploy import alert_mail

pytestmark = pytest.mark.unit

GIVEN = {
    "AIRFOIL_PARTS": "features, metrics,status",
    "ALERT_MAIL_TO": "ana@example.com",
    "ALERT_SMTP_HOST": "mail.example.com:587",
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ALERT_SMTP_HOST": "mail.example.com"},
        {"ALERT_SMTP_HOST": "10.0.0.7:25"},
        {"ALERT_SMTP_HOST": "[2001:db8::1]:465"},
        {"ALERT_MAIL_TO": "", "ALERT_SMTP_HOST": ""},
        {"AIRFOIL_PARTS": "features,status", "ALERT_SMTP_HOST": ""},
    ],
)
def test_a_way_that_can_be_gone(changes):
    alert_mail.check(GIVEN | changes)


@pytest.mark.parametrize(
    "server",
    ["", "smtp://mail.example.com", "mail.example.com:", "mail.example.com:smtp", "2001:db8::1", "a b:25"],
)
def test_a_way_that_leads_nowhere(server):
    with pytest.raises(SettingsError, match="ALERT_SMTP_HOST") as told:
        alert_mail.check(GIVEN | {"ALERT_SMTP_HOST": server})
    assert "mail.example.com:587" in told.value.next_move


def test_a_password_in_the_wrong_place_is_not_shown():
    with pytest.raises(SettingsError) as told:
        alert_mail.check(GIVEN | {"ALERT_SMTP_HOST": "smtp://ana:s3cret@mail.example.com"})
    assert "s3cret" not in str(told.value) + told.value.next_move
