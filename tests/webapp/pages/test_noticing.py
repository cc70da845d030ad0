"""Looks and refused looks are noticed, once for each sitting, in the trail of the campaign that they are about."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories.filed import a_filed_place
from tests.factories.sites import a_person
from webapp.audit.models import Event
from webapp.audit.verify import faults
from webapp.campaigns.actions import chain_of
from webapp.pages import noticing
from webapp.readings.actions import start_reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tmp_path):
    return a_filed_place(tmp_path)


def as_person(person):
    client = Client()
    client.force_login(person)
    return client


def events_of(person, *names):
    return list(Event.objects.filter(actor_id=str(person.pk), name__in=names).order_by("id"))


def slab_url(place, index=0):
    return f"/api/cases/{place.case.pk}/slabs/{index}/{place.case.scan.slabs[index]['sha256']}/"


def test_program_that_reads_pixels_is_noticed_once(place):
    client = as_person(place.reader)
    for index in range(len(place.case.scan.slabs)):
        assert client.get(slab_url(place, index)).status_code == 200
    (event,) = events_of(place.reader, "scan.viewed")
    assert (event.chain, event.subject) == (chain_of(place.campaign), f"scan:{place.case.scan_id}")
    assert event.content["details"] == {"case": 1, "shown": "pixels"}


def test_another_process_of_the_site_knows_from_the_trail(place):
    client = as_person(place.reader)
    for _ in range(2):
        client.get(slab_url(place))
        noticing._known.clear()
    assert len(events_of(place.reader, "scan.viewed")) == 1


def test_next_sitting_is_noticed_again(place, monkeypatch):
    client = as_person(place.reader)
    client.get(slab_url(place))
    later = timezone.now() + noticing.SITTING + timedelta(seconds=1)
    monkeypatch.setattr(noticing.timezone, "now", lambda: later)
    client.get(slab_url(place))
    assert len(events_of(place.reader, "scan.viewed")) == 2


def test_pixels_of_a_reading_that_was_opened_are_no_second_event(place):
    reading = start_reading(case=place.case, by=place.reader)
    client = as_person(place.reader)
    client.get(f"/readings/{reading.pk}/")
    client.get(slab_url(place))
    client.get(f"/api/readings/{reading.pk}/mask/")
    assert [event.name for event in events_of(place.reader, "reading.viewed", "scan.viewed")] == ["reading.viewed"]


def test_small_pictures_of_a_list_are_one_event(place):
    client = as_person(place.coordinator)
    picture = place.case.scan.pictures.first()
    client.get(f"/campaigns/{place.campaign.slug}/cases/1/picture.png?size=80")
    client.get(f"/scans/{place.case.scan_id}/pictures/{picture.sha256}.webp")
    (event,) = events_of(place.coordinator, "campaign.pictures_viewed")
    assert event.subject == f"campaign:{place.campaign.pk}"


def test_outsider_who_asks_for_what_is_there_is_noticed_once_a_thing(place):
    reading = start_reading(case=place.case, by=place.reader)
    client = as_person(place.outsider)
    addresses = [f"/readings/{reading.pk}/", f"/api/readings/{reading.pk}/mask/", slab_url(place)]
    for address in [*addresses, *addresses]:
        assert client.get(address).status_code == 404
    events = events_of(place.outsider, "access.refused")
    assert [event.subject for event in events] == [f"reading:{reading.pk}", f"case:{place.case.pk}"]
    assert {event.chain for event in events} == {chain_of(place.campaign)}
    assert events[0].content["details"] == {"method": "GET", "path": addresses[0]}
    assert events[0].content["actor"]["roles"] == []
    assert list(faults()) == []


def test_reader_who_asks_for_anothers_reading_is_noticed(place):
    reading = start_reading(case=place.case, by=place.reader)
    assert as_person(place.other_reader).get(f"/readings/{reading.pk}/").status_code == 404
    (event,) = events_of(place.other_reader, "access.refused")
    assert event.content["actor"]["roles"] == ["radiologist"]


@pytest.mark.parametrize("address", ["/campaigns/nowhere/", "/scans/00000000-0000-0000-0000-000000000000/", "/x/"])
def test_what_is_not_there_is_no_refusal(place, address):
    assert as_person(place.outsider).get(address).status_code == 404
    assert events_of(place.outsider, "access.refused") == []


def test_member_who_mistypes_is_not_refused(place):
    assert as_person(place.reader).get(f"/campaigns/{place.campaign.slug}/cases/77/").status_code == 404
    assert events_of(place.reader, "access.refused") == []


def test_a_rules_no_that_a_page_says_by_itself_is_noticed(place):
    technician = a_person("tech", place.campaign, "technician")
    answer = as_person(technician).post(f"/campaigns/{place.campaign.slug}/guideline/", {"text": "x", "version": 1})
    assert answer.status_code == 403
    (event,) = events_of(technician, "action.refused")
    assert event.content["details"]["action"] == "pages.guideline"
    assert (event.chain, event.subject) == (chain_of(place.campaign), f"campaign:{place.campaign.pk}")


def test_a_rules_no_in_the_api_is_noticed_once(place):
    reading = start_reading(case=place.case, by=place.reader)
    client = as_person(place.coordinator)
    tab = {"tab": "00000000-0000-0000-0000-000000000001"}
    for _ in range(2):
        answer = client.post(f"/api/readings/{reading.pk}/lease/", tab, content_type="application/json")
        assert answer.status_code == 409
    (event,) = events_of(place.coordinator, "action.refused")
    assert event.subject == f"reading:{reading.pk}"
    assert event.content["details"]["action"] == "readings.reading_lease"
