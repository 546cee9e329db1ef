"""Secrets in code: found by name, form and address; placeholders, paths and names are none."""

from __future__ import annotations

import pytest

from airfoil.lint.rules import check_source

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("password = 'hunter2'", "AF401"),
        ("self.db_password = 'hunter2'", "AF401"),
        ("os.environ['MLFLOW_TRACKING_PASSWORD'] = 'hunter2'", "AF401"),
        ("import os\nos.getenv('API_KEY', 'abcdef123')", "AF401"),
        ("connect(password='hunter2')", "AF401"),
        ("x = {'secret_key': 'abcdef123'}", "AF401"),
        ("def f(a, token='abcdef123'): ...", "AF401"),
        ("def f(*, api_key='abcdef123'): ...", "AF401"),
        ("access_token: str = 'abcdef123'", "AF401"),
        ("x = 'ghp_" + "a1" * 18 + "'", "AF402"),
        ("x = '-----BEGIN RSA PRIVATE KEY-----'", "AF402"),
        ("x = 'xoxb-1234567890-abc'", "AF402"),
        ("x = 'redis://:hunter2@redis:6379/0'", "AF403"),
        ("x = 'https://bob:hunter2@example.com/'", "AF403"),
    ],
)
def test_a_secret_is_told_and_not_repeated(source, text, code):
    (found,) = check_source(source(text + "\n"))
    assert found.code == code
    assert "hunter2" not in found.message + found.mend
    assert "abcdef" not in found.message + found.mend


@pytest.mark.parametrize(
    "text",
    [
        "password = ''",
        "password = os.environ['PASSWORD']",
        "password = '{{ conn.db.password }}'",
        "password = '${PASSWORD}'",
        "password = '<your password>'",
        "password = 'your-password'",
        "password = '********'",
        "password = 'WAREHOUSE_PASSWORD'",
        "token = '/run/secrets/token'",
        "token_url = 'https://example.com/token'",
        "max_token = 5",
        "password = 'must be eight letters'",
        "tokenizer = 'bert-base'",
        "x = 'postgresql://user:{password}@host/db'",
        "x = 'postgresql://user:{{ conn.db.password }}@host/db'",
        "x = 'postgresql://user:$PASSWORD@host/db'",
        "x = 'postgresql://USER:PASSWORD@HOST/NAME'",
        "x = 'https://example.com:8080/a@b'",
        "x = 'mailto:a@b.c'",
        "'''postgresql://user:hunter2@host/db'''",
        "secret_name = 'prod/db'",
    ],
)
def test_what_is_no_secret_is_left_in_peace(codes, text):
    assert codes(text + "\n") == []


def test_a_person_may_say_that_he_has_looked(codes):
    assert codes("password = 'hunter2'  # airfoil: allow-secret - of a test server\n") == []
