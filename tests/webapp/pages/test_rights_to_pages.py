"""Who may open which page."""

import pytest

from tests.factories.filed import letter_f, read_and_sign
from tests.webapp.pages.conftest import client_of
from webapp.audit.models import Event
from webapp.readings.actions import start_reading
from webapp.readings.models import Reading

CASE = "/campaigns/covid/cases/1/"
GETS = ["/campaigns/covid/", CASE, f"{CASE}picture.png"]
POSTS = [f"{CASE}readings/", f"{CASE}draft/"]


@pytest.mark.parametrize("url", ["/", "/password/", *GETS])
def test_anonymous_visitor_is_sent_to_sign_in(place, client, url):
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"] == f"/sign-in/?next={url}"


@pytest.mark.parametrize("url", GETS)
def test_outsider_finds_nothing(place, url):
    response = client_of(place.outsider).get(url)
    assert response.status_code == 404
    assert b"There is nothing here for you" in response.content
    assert not Event.objects.filter(name__endswith=".viewed").exists()


@pytest.mark.parametrize("url", POSTS)
def test_outsider_starts_nothing(place, url):
    assert client_of(place.outsider).post(url).status_code == 404
    assert not Reading.objects.exists()


@pytest.mark.parametrize("url", [*GETS, "/", "/password/"])
def test_members_open_their_pages(place, url):
    for person in (place.reader, place.coordinator):
        assert client_of(person).get(url).status_code == 200


def test_viewer_page_is_the_readers_and_the_coordinators_alone(place):
    reading = start_reading(case=place.case, by=place.reader)
    url = f"/readings/{reading.pk}/"
    assert client_of(place.reader).get(url).status_code == 200
    assert client_of(place.coordinator).get(url).status_code == 200
    for stranger in (place.other_reader, place.outsider):
        assert client_of(stranger).get(url).status_code == 404
    viewers = set(Event.objects.filter(name="reading.viewed").values_list("actor_id", flat=True))
    assert viewers == {str(place.reader.pk), str(place.coordinator.pk)}


def test_opening_a_case_is_written_to_the_campaigns_trail(place):
    client_of(place.reader).get(CASE)
    event = Event.objects.get(name="scan.viewed")
    assert event.chain == f"campaign:{place.campaign.pk}"
    assert event.subject == f"scan:{place.case.scan_id}"


def test_reader_sees_nothing_of_another_readers_reading(place):
    reading = read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx))
    client = client_of(place.other_reader)
    for url in ("/", "/campaigns/covid/", CASE):
        page = client.get(url).content.decode()
        assert str(place.reader) not in page
        assert str(reading.pk) not in page
        assert reading.signature.version_sha256[:12] not in page
        assert "signed</span>" not in page
    picture = client.get(f"{CASE}picture.png").content
    assert picture != client_of(place.reader).get(f"{CASE}picture.png").content
