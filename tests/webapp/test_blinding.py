"""A blinded reader finds nothing of the other's reading behind any address of the site, and finds it once it is over.

Every address of the permission table is asked as the other reader, an outsider, a technician and nobody, with every id
that belongs to the reading filled in; the answers are searched for whatever could tell of it.
"""

import io
import re
import zipfile
from typing import Any

import numpy as np
import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import get_resolver

from tests.factories.filed import FiledPlace, a_filed_place, read_and_sign
from tests.factories.sites import PASSWORD, a_person, restage, sign
from tests.house.test_permissions import patterns
from webapp import push
from webapp.audit.models import Event
from webapp.campaigns.protocols import (
    CAMPAIGN_CLOSED,
    INTERSECTION,
    Acceptance,
    Stage,
    Terms,
    stages_of,
    stored_stages,
)
from webapp.readings.actions import start_reading
from webapp.readings.commenting_actions import open_thread
from webapp.readings.models import Flag, FormEntry, Reading

pytestmark = pytest.mark.django_db

# What addresses ask for beside the path, by their last word.
QUERIES = {
    "difference": "?a=head&b=stroke:0",
    "provenance": "?layer=findings&i=0&j=0&k=0",
    "map": "?layer=findings",
    "strokes": "?after=0",
}
FORM = {"key": "words", "title": "In words", "fields": [{"key": "said", "title": "Said", "kind": "text"}]}


@pytest.fixture
def place(tmp_path, run_jobs) -> FiledPlace:
    """The first of two blinded readers has signed a mask of their own."""
    place = a_filed_place(tmp_path)
    restage(place.campaign, readers=2)
    place.campaign.protocols.update(terms=Terms(acceptance=Acceptance(), forms=[FORM]).stored)
    place.reader.display_name = "Rosalind Unmistakable"
    place.reader.save()
    findings = np.zeros(place.volume.shape_zyx, np.uint8)
    findings[3:6, 10:20, 10:20] = 1
    read_and_sign(place.case, place.reader, findings)
    reading = Reading.objects.get(reader=place.reader)
    open_thread(reading=reading, text="A conspicuous comment", voxel=[3, 4, 5], by=place.reader)
    Flag.objects.create(reading=reading, name="not COVID-19", raised=True, remark="A conspicuous remark")
    FormEntry.objects.create(reading=reading, form="words", item="said", value="A conspicuous answer")
    run_jobs()
    return place


def secrets_of(place: FiledPlace) -> list[str]:
    """What tells of the first reading: its reader, its ids, its hashes, its numbers."""
    reading = Reading.objects.get(reader=place.reader)
    version = reading.signature.version
    measured = version.measurement.values
    derived = [str(one.sop_uid) for one in version_objects(version)]
    return [
        "Rosalind",
        place.reader.username,
        str(place.reader.pk),
        str(reading.pk),
        str(reading.mask_id),
        str(version.pk),
        version.sha256,
        reading.begun_mask.head_hash,
        f"{measured['extent_percent']:.2f}",
        "conspicuous",
        *derived,
    ]


def version_objects(version: Any) -> list[Any]:
    """The DICOM objects that were filed of a version."""
    from webapp.archive.models import DerivedObject

    return list(DerivedObject.objects.filter(made_from=version.pk).select_related("series"))


def addresses(place: FiledPlace) -> list[str]:
    """Every address, with each id of the first reading that its pattern takes, and with those of the case."""
    reading = Reading.objects.get(reader=place.reader)
    version, scan = reading.signature.version, place.case.scan
    made = version_objects(version)
    series = [scan.series_uid, *{one.series.uid for one in made}]
    values = {
        "<slug:slug>": [place.campaign.slug],
        "<int:number>": [str(place.case.number)],
        "<uuid:case_id>": [str(place.case.pk)],
        "<uuid:scan_id>": [str(scan.pk)],
        "<slug:pseudonym>": [scan.study.patient.pseudonym],
        "<uuid:reading_id>": [str(reading.pk)],
        "<uuid:mask_id>": [str(reading.mask_id)],
        "<uuid:thread_id>": [str(thread.pk) for thread in reading.threads.all()],
        "<int:flag_id>": [str(flag.pk) for flag in reading.flags.all()],
        "<str:state>": ["head", f"version:{version.pk}", f"reading:{reading.pk}", "candidate:A", "consensus:union"],
        "<int:index>": ["0"],
        "<str:study_uid>": [scan.study.uid],
        "<str:series_uid>": series,
        "<str:sop_uid>": [one.sop_uid for one in made] + [scan.instances.order_by("z")[0].sop_uid],
        "<str:numbers>": ["1"],
        "<str:tag>": ["7FE00010"],
        "<slug:sha256>": [scan.slabs[0]["sha256"]],
    }
    found = []
    for pattern in patterns(get_resolver()):
        filled = [pattern]
        for placeholder, choices in values.items():
            filled = [one.replace(placeholder, choice) for one in filled for choice in choices]
        # What is left are things of other people's: batches, tokens and the like.
        found += [re.sub(r"<uuid:[a-z_]+>", str(reading.pk), one) for one in filled]
    # The other readings are walked, too: their neighbours must not show in them.
    of_this = [one for one in found if str(reading.pk) in one]
    for other in Reading.objects.exclude(pk=reading.pk):
        found += [one.replace(str(reading.pk), str(other.pk)) for one in of_this]
    return sorted({one + QUERIES.get(one.rstrip("/").rsplit("/", 1)[-1], "") for one in found if "<" not in one})


def content_of(answer: Any) -> str:
    """Everything that an answer says: headers, body, the members of a zip and the names of its files."""
    if getattr(answer, "is_async", False):

        async def whole() -> bytes:
            return b"".join([part async for part in answer.streaming_content])

        body = async_to_sync(whole)()
    else:
        body = b"".join(answer)
    text = str(dict(answer.headers)) + body.decode("latin-1")
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            text += "".join(name + archive.read(name).decode("latin-1") for name in archive.namelist())
    return text


def leaks(place: FiledPlace, person: Any, within: str = "") -> list[str]:
    """Where a person finds what tells of the first reading; only addresses that hold `within` are asked."""
    client = Client()
    if person is not None:
        client.force_login(person)
    # An address that was asked for may be said back: it tells nothing.
    found, secrets = [], secrets_of(place)
    for address in (one for one in addresses(place) if within in one):
        answer = client.get(address)
        # The times of events have six decimals, in which any short number may stand.
        text = re.sub(r"T\d\d:\d\d:\d\d\.\d{6}(?:Z|\+00:00)", "", content_of(answer))
        for part in {p for p in re.split(r"[/?=&:]", address) if len(p) > 20}:
            text = text.replace(part, "")
        found += [f"{address}: {word}" for word in secrets if word in text]
    return found


def test_nobody_finds_anything_of_a_blinded_reading_before_it_is_over(place, run_jobs):
    start_reading(case=place.case, by=place.other_reader)
    technician = a_person("tech", place.campaign, "technician")
    for person in (place.other_reader, place.outsider, technician, None):
        assert leaks(place, person) == [], person
    reading = Reading.objects.get(reader=place.reader)
    topics = [f"reading:{reading.pk}", f"progress:{place.campaign.slug}", f"person:{place.reader.pk}"]
    assert not any(push.may_listen(place.other_reader, topic) for topic in topics)
    # The crawl can find what is there: the coordinator and the auditor do.
    auditor, theirs = a_person("auditor", place.campaign, "auditor"), str(reading.pk)
    assert all(len(leaks(place, person, within=theirs)) > 20 for person in (place.coordinator, auditor))


@pytest.mark.slow
def test_the_second_reader_finds_the_first_ones_reading_once_both_are_signed(place, run_jobs):
    findings = np.zeros(place.volume.shape_zyx, np.uint8)
    findings[3:6, 10:20, 10:20] = 1
    read_and_sign(place.case, place.other_reader, findings)
    run_jobs()
    assert len(leaks(place, place.other_reader)) > 20
    technician = a_person("tech", place.campaign, "technician")
    for person in (place.outsider, technician, None):
        assert leaks(place, person) == [], person


@pytest.mark.slow
def test_a_reader_blinded_until_the_campaign_closes_finds_nothing_in_what_was_settled(place, run_jobs):
    adjudicator = a_person("ada", place.campaign, "adjudicator")
    stages = stages_of(place.campaign.protocols.get().stages)
    stages.append(Stage("adjudication", "adjudicator", starts_from=INTERSECTION, only_if_disputed=True, blinded=False))
    terms = Terms(acceptance=Acceptance(), forms=[FORM], unblinded_when=CAMPAIGN_CLOSED)
    place.campaign.protocols.update(stages=stored_stages(stages), terms=terms.stored)
    read_and_sign(place.case, place.other_reader, np.zeros(place.volume.shape_zyx, np.uint8))
    run_jobs()
    settling = start_reading(case=place.case, by=adjudicator)
    theirs = str(settling.pk)
    # The adjudicator is told scores and comments, and no name.
    told = leaks(place, adjudicator, within=theirs)
    assert [word for word in ("conspicuous", "Rosalind") if any(word in found for found in told)] == ["conspicuous"]
    assert leaks(place, place.other_reader, within=theirs) == []
    sign(settling)
    run_jobs()
    case = f"/{place.campaign.slug}/cases/{place.case.number}/"
    assert [leaks(place, place.other_reader, within=one) for one in (theirs, case)] == [[], []]


def test_a_refused_signature_of_another_is_no_hint(place):
    reading = Reading.objects.get(reader=place.reader)
    client = Client()
    client.force_login(place.other_reader)
    for verb in ("sign", "submit", "return", "amend", "ledger", "lease", "strokes", "comments", "flags", "forms"):
        body = {"password": PASSWORD, "stroke_sequence": 0, "statement": "", "reason": "because of that"}
        there = client.post(f"/api/readings/{reading.pk}/{verb}/", body, content_type="application/json")
        nowhere = client.post(f"/api/readings/{place.case.pk}/{verb}/", body, content_type="application/json")
        assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content) == (404, nowhere.content)
    assert not Event.objects.filter(name="reading.signing_refused").exists()
