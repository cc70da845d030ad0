"""Programs that ask too often are told when to come back; people at a screen are not counted."""

import pytest
from django.core.cache import cache

from tests.factories.programs import Program
from tests.factories.sites import a_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_a_minute(settings):
    settings.API_RATE = "3/minute"
    cache.clear()
    yield
    cache.clear()


def test_the_fourth_request_is_told_when_to_come_back(client):
    robin = a_person("robin")
    one, other = Program(client, robin, "one"), Program(client, robin, "other")
    assert [program.get("").status_code for program in (one, other, one)] == [200, 200, 200]
    late = other.get("")
    assert (late.status_code, late.json()["error"]) == (429, "throttled")
    assert 0 < int(late.headers["Retry-After"]) <= 60
    assert Program(client, a_person("amara")).get("").status_code == 200


def test_a_person_at_a_screen_is_not_counted(client):
    client.force_login(a_person("robin"))
    assert {client.get("/api/campaigns/").status_code for _ in range(9)} == {200}
