"""Where this machine reaches what is bound to a host."""

import pytest

from airfoil.stack.address import reachable

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
