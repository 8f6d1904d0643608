"""Monitors and link checkers ask with HEAD; they are answered as GET is, without the body."""

import pytest
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/accounts/login/"])
def test_a_monitor_that_asks_with_head_gets_what_get_would_answer(client: Client, address: str) -> None:
    asked, looked = client.get(address), client.head(address)
    assert looked.status_code == asked.status_code
    assert looked["Content-Type"] == asked["Content-Type"]
    assert not looked.content
