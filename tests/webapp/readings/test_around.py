"""What lies around a reading: the case to go on with, and the patient's other scans."""

import datetime
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from inference.phantoms import make_phantom
from tests.factories.filed import draft_case, letter_f, read_and_sign
from tests.factories.sites import a_campaign, a_person, client_of
from webapp.algorithms.actions import request_draft
from webapp.archive.actions import file_scan
from webapp.archive.filing import NewScan
from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import add_case, add_member
from webapp.campaigns.models import Case
from webapp.readings.actions import start_reading
from webapp.readings.models import Reading

pytestmark = pytest.mark.django_db

SHAPE = (12, 32, 40)


class Place:
    """A campaign with cases of chosen patients and days, and people of every kind."""

    def __init__(self) -> None:
        self.campaign = a_campaign("covid")
        self.reader = a_person("reader", self.campaign, "radiologist")
        self.other_reader = a_person("other", self.campaign, "radiologist")
        self.coordinator = a_person("coordinator", self.campaign, "coordinator")
        self.outsider = a_person("outsider")
        self.filed = 0

    def case(self, patient: str = "", day: str | None = None, *, campaign=None, drafted: bool = True) -> Case:
        """One more case: of a patient of its own unless `patient` names one."""
        self.filed += 1
        number = self.filed
        phantom = make_phantom(number, shape_zyx=SHAPE, spacing_zyx_mm=(20.0, 11.0, 10.0))
        new = NewScan(
            pseudonym=patient or f"GG-{number}",
            study_uid=f"2.25.{number}",
            series_uid=f"2.25.{number}.1",
            source="dicom",
            shifted_date=datetime.date.fromisoformat(day) if day else None,
        )
        scan = file_scan(new=new, volume=phantom.volume, by=SYSTEM)
        place = campaign or self.campaign
        if not drafted:
            return add_case(campaign=place, scan=scan, by=SYSTEM)
        layers = {"anatomy": phantom.anatomy, "findings": (phantom.findings > 0).astype(np.uint8)}
        return draft_case(place, scan, layers)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place()


def described(user, reading: Reading) -> dict:
    return client_of(user).get(f"/api/readings/{reading.pk}/").json()


def read(case: Case, reader) -> Reading:
    return read_and_sign(case, reader, letter_f(SHAPE))


# --- The next case


def test_next_case_is_the_one_after_this_and_is_begun_by_its_form(place):
    cases = [place.case() for _ in range(3)]
    reading = start_reading(case=cases[0], by=place.reader)
    following = described(place.reader, reading)["next"]
    assert (following["case_number"], following["reading"]) == (2, None)
    assert following["url"] == "/campaigns/covid/cases/2/"
    assert [slab["url"] for slab in following["slabs"]] == [
        f"/api/cases/{cases[1].pk}/slabs/{index}/{slab['sha256']}/" for index, slab in enumerate(cases[1].scan.slabs)
    ]
    client = client_of(place.reader)
    assert client.get(following["slabs"][0]["url"]).status_code == 200
    answer = client.post(following["start_url"])
    begun = Reading.objects.get(case=cases[1])
    assert answer["Location"] == f"/readings/{begun.pk}/"


def test_fetched_ahead_slab_is_the_very_one_that_the_next_reading_asks_for(place):
    cases = [place.case(), place.case()]
    ahead = described(place.reader, start_reading(case=cases[0], by=place.reader))["next"]["slabs"]
    then = described(place.reader, start_reading(case=cases[1], by=place.reader))["scan"]["slabs"]
    assert ahead == then


def test_open_reading_of_ones_own_is_gone_on_with(place):
    cases = [place.case() for _ in range(3)]
    begun = start_reading(case=cases[1], by=place.reader)
    reading = start_reading(case=cases[0], by=place.reader)
    following = described(place.reader, reading)["next"]
    assert (following["case_number"], following["reading"], following["start_url"]) == (2, str(begun.pk), None)
    assert following["url"] == f"/readings/{begun.pk}/"


def test_next_case_goes_round_to_the_front_of_the_worklist(place):
    cases = [place.case() for _ in range(3)]
    last = start_reading(case=cases[2], by=place.reader)
    assert described(place.reader, last)["next"]["case_number"] == 1
    read(cases[0], place.reader)
    assert described(place.reader, last)["next"]["case_number"] == 2
    read(cases[1], place.reader)
    assert described(place.reader, last)["next"] is None


def test_cases_of_others_and_drafts_under_way_are_passed_over(place):
    first = start_reading(case=place.case(), by=place.reader)
    start_reading(case=place.case(), by=place.other_reader)
    waiting = place.case(drafted=False)
    algorithm = place.campaign.draft_algorithm
    request_draft(scan=waiting.scan, algorithm=algorithm, label_set=place.campaign.label_set, by=SYSTEM)
    place.case()
    assert described(place.reader, first)["next"]["case_number"] == 4


def test_who_only_oversees_has_no_next_case(place):
    reading = start_reading(case=place.case(), by=place.reader)
    place.case()
    assert described(place.coordinator, reading)["next"] is None


# --- The patient's scans


def test_scans_of_a_patient_stand_in_order_of_time(place, run_jobs):
    late, early, middle = place.case("P", "2020-04-20"), place.case("P", "2020-03-01"), place.case("P", "2020-03-15")
    place.case("Q", "2020-03-10")
    signed = read(early, place.reader)
    run_jobs()
    reading = start_reading(case=middle, by=place.reader)
    timeline = described(place.reader, reading)["timeline"]
    assert [(e["case_number"], e["when"], e["label"]) for e in timeline] == [
        (early.number, "2020-03-01", "prior"),
        (middle.number, "2020-03-15", "this"),
        (late.number, "2020-04-20", "follow-up"),
    ]
    assert [e["reading"] for e in timeline] == [str(signed.pk), str(reading.pk), None]
    known = signed.signature.version.measurement.values
    assert known["extent_percent"] > 0
    assert (timeline[0]["extent_percent"], timeline[0]["weight_g"]) == (known["extent_percent"], known["weight_g"])
    assert timeline[2]["extent_percent"] is None


def test_no_order_is_claimed_where_a_day_is_missing_or_the_same(place):
    this, same, unknown = place.case("P", "2020-03-01"), place.case("P", "2020-03-01"), place.case("P")
    reading = start_reading(case=this, by=place.reader)
    labels = {e["case_number"]: e["label"] for e in described(place.reader, reading)["timeline"]}
    assert labels == {this.number: "this", same.number: "other", unknown.number: "other"}


def test_other_readers_numbers_and_masks_stay_unknown_and_overseers_see_them(place, run_jobs):
    prior, this = place.case("P", "2020-03-01"), place.case("P", "2020-04-01")
    theirs = read(prior, place.other_reader)
    run_jobs()
    reading = start_reading(case=this, by=place.reader)
    entry = described(place.reader, reading)["timeline"][0]
    assert (entry["reading"], entry["extent_percent"], entry["weight_g"]) == (None, None, None)
    url = f"/api/readings/{reading.pk}/scans/{prior.pk}/"
    assert client_of(place.reader).get(url).json()["mask_url"] is None
    entry = described(place.coordinator, reading)["timeline"][0]
    assert entry["reading"] == str(theirs.pk)
    assert entry["extent_percent"] > 0
    assert client_of(place.coordinator).get(url).json()["mask_url"] == f"/api/readings/{theirs.pk}/mask/"


def test_another_campaigns_scans_of_the_patient_stay_there(place):
    elsewhere = a_campaign("other-trial")
    add_member(campaign=elsewhere, user=place.reader, role="radiologist", by=SYSTEM)
    there = place.case("P", "2020-03-01", campaign=elsewhere)
    reading = start_reading(case=place.case("P", "2020-04-01"), by=place.reader)
    assert [e["label"] for e in described(place.reader, reading)["timeline"]] == ["this"]
    assert client_of(place.reader).get(f"/api/readings/{reading.pk}/scans/{there.pk}/").status_code == 404


def test_prior_is_laid_beside_with_its_pixels_and_ones_own_mask(place):
    prior, this = place.case("P", "2020-03-01"), place.case("P", "2020-04-01")
    own = read(prior, place.reader)
    reading = start_reading(case=this, by=place.reader)
    client = client_of(place.reader)
    said = client.get(f"/api/readings/{reading.pk}/scans/{prior.pk}/").json()
    assert said["scan"] == client.get(f"/api/readings/{own.pk}/").json()["scan"]
    assert said["mask_url"] == f"/api/readings/{own.pk}/mask/"
    assert client.get(said["mask_url"]).status_code == 200
    assert client.get(said["scan"]["slabs"][0]["url"]).status_code == 200


def test_only_the_patients_scans_are_laid_beside_and_only_for_who_sees_the_reading(place):
    prior, this, strange = place.case("P", "2020-03-01"), place.case("P", "2020-04-01"), place.case("Q", "2020-03-01")
    reading = start_reading(case=this, by=place.reader)
    url = f"/api/readings/{reading.pk}/scans/{prior.pk}/"
    for user in (place.other_reader, place.outsider):
        assert client_of(user).get(url).status_code == 404
    assert Client().get(url).status_code == 401
    assert client_of(place.coordinator).get(url).status_code == 200
    assert client_of(place.reader).get(f"/api/readings/{reading.pk}/scans/{strange.pk}/").status_code == 404
