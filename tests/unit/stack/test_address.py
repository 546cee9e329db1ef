"""Where this machine reaches what is bound to a host."""

import pytest

from airfoil.stack.address import is_local, reachable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("localhost", "http://localhost:8080"),
        ("10.0.0.7", "http://10.0.0.7:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104 - a value, not bound
        ("::1", "http://[::1]:8080"),
        ("fe80::1", "http://[fe80::1]:8080"),
        ("::", "http://[::1]:8080"),
    ],
)
def test_an_address_that_a_client_can_use(host, url):
    assert reachable(host, 8080) == url


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("0.0.0.0", False),  # noqa: S104 - a value, not bound
        ("10.0.0.7", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_local_is_what_no_other_machine_reaches(host, local):
    assert is_local(host) is local
