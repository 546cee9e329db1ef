"""People of a real LDAP directory log in to a real Airflow: who gets in, with which rights, and who does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.integration import login_scenes as scenes
from tests.integration.directory import GROUPS, PEOPLE, READER, library_folder, running_directory
from tests.integration.mlflow_servers import write_certificates

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PASSWORD = "what-the-directory-knows"
WELL_KNOWN = "admin123"
TRIAL = """
import json, sys
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from flask import current_app
with get_application_builder() as builder:
    found = {}
    for name, change in json.loads(sys.argv[1]).items():
        current_app.config.update(change)
        found[name] = builder.sm.auth_user_ldap("ada", sys.argv[2], rotate_session_id=False) is not None
print("found:" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return write_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def directory(certificates, tmp_path_factory):
    with running_directory(tmp_path_factory.mktemp("directory"), certificates) as directory:
        for name in ("ada", "emil", "vera", "nora", "otto", "rita", "admin"):
            directory.add_person(name, WELL_KNOWN if name == "nora" else PASSWORD)
        directory.add_person("mona", PASSWORD, has_mail=False)
        directory.add_group("ml-admins", "ada", "admin")
        directory.add_group("engineers", "emil", "otto", "rita")
        directory.add_group("guests", "vera")
        yield directory


@pytest.fixture(scope="module")
def airflow(migrated_airflow, directory, certificates, tmp_path_factory):
    settings = {
        "AIRFOIL_LOGIN": "ldap",
        "AIRFOIL_LOGIN_CA": str(certificates[0]),
        "LDAP_URL": directory.url,
        "LDAP_BIND_DN": READER[0],
        "LDAP_BIND_PASSWORD": READER[1],
        "LDAP_SEARCH": PEOPLE,
        "LOGIN_ADMINS": f"cn=ml-admins,{GROUPS}",
        # As somebody types it who has it from a mail.
        "LOGIN_USERS": f" CN=Engineers, {GROUPS.upper()} ; cn=nobody,{GROUPS}",
        "LOGIN_VIEWERS": f"cn=guests,{GROUPS}",
        "PYTHONPATH": os.pathsep.join(filter(None, [library_folder(), os.environ.get("PYTHONPATH", "")])),
    }
    home = tmp_path_factory.mktemp("ldap") / "home"
    with scenes.fab_airflow(migrated_airflow, home, **settings) as airflow:
        yield airflow


@pytest.mark.parametrize(
    ("name", "role", "at_the_door"),
    [("ada", "Admin", "admin"), ("emil", "User", "editor"), ("vera", "Viewer", "viewer")],
)
def test_a_person_logs_in_with_the_rights_of_their_group_and_is_known_at_every_page(
    airflow, name, role, at_the_door
):
    with scenes.new_browser() as browser:
        said = scenes.fill_form(airflow, browser, name, PASSWORD)
        assert (said.status_code, said.headers["Location"]) == (302, f"{airflow.url}/mlflow/")
        assert scenes.door(airflow, browser) == (204, name, at_the_door)
    assert scenes.roles(airflow, name) == {role, "Public"}


def test_somebody_in_no_group_gets_in_and_has_no_rights(airflow):
    # A password that people try first is the directory's affair.
    with scenes.new_browser() as browser:
        assert scenes.fill_form(airflow, browser, "nora", WELL_KNOWN).status_code == 302
        assert scenes.door(airflow, browser)[0] == 403
        assert browser.get(f"{airflow.url}/api/v2/connections").status_code == 403
        assert browser.get(f"{airflow.url}/api/v2/dags").status_code == 403


def test_a_local_account_is_nobody_elses_and_opens_the_form_with_its_own_password(airflow):
    assert scenes.token_status(airflow, "admin", PASSWORD) == 401, "that is the password of another admin"
    with scenes.new_browser() as browser:
        assert scenes.fill_form(airflow, browser, *scenes.LOCAL).headers["Location"].endswith("/mlflow/")
        assert scenes.door(airflow, browser) == (204, "admin", "admin")
    assert scenes.roles(airflow, "admin") == {"Admin"}


@pytest.mark.parametrize(
    "name", ["*", "*)(uid=*", "mona)(|(uid=*", "mona*", "uid=mona", f"uid=mona,{PEOPLE}"]
)
def test_a_name_is_no_piece_of_a_question(airflow, name):
    before = scenes.names(airflow)
    assert scenes.token_status(airflow, name, PASSWORD) == 401
    assert scenes.names(airflow) == before


@pytest.mark.parametrize("name", [" mona", "mona ", "\uff4d\uff4f\uff4e\uff41", "mo\u00adna"])
def test_a_name_that_the_directory_writes_in_another_way_makes_no_second_account(airflow, name):
    # Without an address of mail, nothing else tells that it is the same person.
    assert scenes.token_status(airflow, name, PASSWORD) == 401
    assert name not in scenes.names(airflow)
    assert scenes.token_status(airflow, "mona", PASSWORD) == 201


@pytest.mark.parametrize("password", ["", "*", "wrong", PASSWORD + " ", PASSWORD.upper(), "!"])
def test_only_the_very_password_is_one(airflow, password):
    assert scenes.token_status(airflow, "ada", password) in {400, 401}


def test_a_wrong_password_in_the_form_leads_back_to_it(airflow):
    with scenes.new_browser() as browser:
        said = scenes.fill_form(airflow, browser, "ada", "wrong")
        assert "/auth/login" in said.headers["Location"]
        assert scenes.door(airflow, browser)[0] == 401


def test_rights_follow_the_groups_at_the_next_login(airflow, directory):
    assert scenes.token_status(airflow, "rita", PASSWORD) == 201
    assert scenes.roles(airflow, "rita") == {"User", "Public"}
    directory.change(
        f"dn: cn=engineers,{GROUPS}\nchangetype: modify\ndelete: member\nmember: uid=rita,{PEOPLE}\n\n"
        f"dn: cn=guests,{GROUPS}\nchangetype: modify\nadd: member\nmember: uid=rita,{PEOPLE}\n"
    )
    assert scenes.token_status(airflow, "rita", PASSWORD) == 201
    assert scenes.roles(airflow, "rita") == {"Viewer", "Public"}


def test_who_left_the_directory_does_not_come_back_in(airflow, directory):
    assert scenes.token_status(airflow, "otto", PASSWORD) == 201
    directory.remove("otto")
    assert scenes.token_status(airflow, "otto", PASSWORD) == 401
    assert scenes.token_status(airflow, "otto", "!") == 401, (
        "what stands in the place of a hash is no password"
    )


def test_who_is_switched_off_here_stays_out_whatever_the_directory_says(airflow, directory):
    directory.add_person("dora", PASSWORD)
    assert scenes.token_status(airflow, "dora", PASSWORD) == 201
    scenes.switch_off(airflow, "dora")
    for name in ("dora", "DORA"):
        assert scenes.token_status(airflow, name, PASSWORD) == 401


def test_a_directory_that_cannot_prove_who_it_is_gets_no_password(airflow, directory, certificates, tmp_path):
    strangers = write_certificates(tmp_path)
    tries = {
        "its authority": {"AUTH_LDAP_SERVER": directory.secure_url, "AUTH_LDAP_USE_TLS": False},
        "StartTLS, a stranger's": {
            "AUTH_LDAP_SERVER": directory.url,
            "AUTH_LDAP_USE_TLS": True,
            "AUTH_LDAP_TLS_CACERTFILE": str(strangers[0]),
        },
        "a stranger's": {"AUTH_LDAP_SERVER": directory.secure_url, "AUTH_LDAP_USE_TLS": False},
        "again its own": {"AUTH_LDAP_TLS_CACERTFILE": str(certificates[0])},
    }
    said = subprocess.run(
        [sys.executable, "-c", TRIAL, json.dumps(tries), PASSWORD],
        env=airflow.home.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    (line,) = [one for one in said.stdout.splitlines() if one.startswith("found:")] or [said.stderr]
    assert json.loads(line.removeprefix("found:")) == {
        "its authority": True,
        "StartTLS, a stranger's": False,
        "a stranger's": False,
        "again its own": True,
    }
