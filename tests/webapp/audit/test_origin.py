"""The address that the trail keeps is what the installation's own proxies saw, never what a client claims."""

import pytest
from django.test import RequestFactory

from webapp.audit.origin import address_of

CASES = [
    (0, "198.51.100.7", "203.0.113.9"),
    (1, "198.51.100.7", "198.51.100.7"),
    (1, "192.0.2.1, 198.51.100.7", "198.51.100.7"),
    (2, "192.0.2.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
    (2, "198.51.100.7", "203.0.113.9"),
    (1, "", "203.0.113.9"),
    (1, "<script>", "203.0.113.9"),
    (1, "198.51.100.7:4711", "198.51.100.7"),
    (1, "[2001:db8::1]:4711", "2001:db8::1"),
    (1, "2001:db8::1", "2001:db8::1"),
]


@pytest.mark.parametrize(("proxies", "forwarded", "address"), CASES)
def test_address_is_the_one_that_our_outermost_proxy_saw(proxies, forwarded, address):
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR=forwarded)
    assert address_of(request, proxies) == address


def test_without_the_header_the_connection_counts():
    assert address_of(RequestFactory().get("/", REMOTE_ADDR="203.0.113.9"), 1) == "203.0.113.9"
