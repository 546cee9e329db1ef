"""The shipped data validation on a platform as users have it: each input ends as it should, and people are told."""

from __future__ import annotations

import pytest
from tests.mail_server import MailServerForTests, serving
from tests.sizes import full_only
from tests.system.platforms import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(1200)]

DAG = "data_validation_pipeline"
MOST_SECONDS = 15 * 60


@pytest.fixture(scope="module")
def mail():
    with serving(MailServerForTests()) as server:
        yield server


@pytest.fixture(scope="module")
def platform(make_platform, mail):
    alerts = {"mail_to": ["ml-team@example.com"], "smtp": f"smtp://127.0.0.1:{mail.port}"}
    made = make_platform({"alerts": alerts}, template="all")
    made.up()
    return made


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("none", 0, ""),
        ("drifted", 1, "drifted"),
        pytest.param("dirty", 1, "checks failed", marks=full_only),
        ("broken", 1, "damaged or was cut short"),
    ],
)
def test_each_input_ends_as_it_should(platform, mail, fault, code, said):
    mail.mails.clear()
    done = platform.run("run", DAG, "--param", f"fault={fault}")
    print(f"{fault}: {done.seconds:.1f} s")
    assert done.code == code, f"{done.said}\n{platform.last_words()}"
    assert said in done.said
    assert done.seconds < MOST_SECONDS
    if code == 0:
        assert mail.mails == []
        return
    wait_until(lambda: mail.mails, 120, "the mail arrives", step_seconds=0.5)
    (told,) = mail.mails
    assert told.to == ["ml-team@example.com"]
    assert told.message["Subject"].startswith(f"{DAG} failed in ")
    assert said in told.part("plain").replace("\n", " ")
    assert "report.html" in told.part("plain")
