"""A signature freezes the mask that the signer saw, and nobody else's."""

import numpy as np
import pytest

from tests.factories.sites import Tab, a_reading
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.masks.queries import head_layers, version_layers
from webapp.readings.actions import sign_reading, start_reading
from webapp.readings.models import Reading
from webapp.readings.rules import may_edit, may_start_reading

pytestmark = pytest.mark.django_db


def sign(reading: Reading, by, strokes: int = 0):
    return sign_reading(reading=reading, stroke_sequence=strokes, statement=reading.protocol.statement, by=by)


def test_signing_cuts_the_version_that_was_on_the_screen(place):
    reading = a_reading(place)
    before = head_layers(reading.mask)["findings"]
    after = before.copy()
    after[4, 5:9, 5:9] = 3
    tab = Tab(reading, place.reader)
    tab.send(tab.stroke(before, after))
    signature = sign(reading, place.reader, strokes=1)
    np.testing.assert_array_equal(version_layers(signature.version)["findings"], after)
    reading.refresh_from_db()
    assert reading.state == "signed"
    event = Event.objects.get(name="reading.signed")
    assert event.content["details"]["version_sha256"] == signature.version.sha256
    cut = Event.objects.get(name="mask.version_cut", chain=event.chain)
    assert cut.content["details"]["stroke_head_hash"] == signature.version.stroke_head_hash


def test_signing_is_refused_while_strokes_are_under_way(place):
    reading = a_reading(place)
    before = head_layers(reading.mask)["findings"]
    after = before.copy()
    after[4, 5:9, 5:9] = 3
    tab = Tab(reading, place.reader)
    tab.send(tab.stroke(before, after))
    with pytest.raises(ActionRefused, match="1 strokes"):
        sign(reading, place.reader, strokes=0)
    reading.refresh_from_db()
    assert reading.state == "in progress"


def test_signed_reading_cannot_be_edited(place):
    reading = a_reading(place)
    sign(reading, place.reader)
    reading.refresh_from_db()
    refusal = may_edit(reading, place.reader)
    assert refusal is not None
    assert "signed" in refusal.sentence
    with pytest.raises(ActionRefused):
        sign(reading, place.reader)


def test_nobody_signs_anothers_reading(place):
    reading = a_reading(place)
    for user in (place.other_reader, place.coordinator, place.outsider):
        with pytest.raises(ActionRefused, match="reading of"):
            sign(reading, user)


def test_case_is_given_to_one_reader_only(place):
    start_reading(case=place.case, by=place.reader)
    place.case.refresh_from_db()
    refusal = may_start_reading(place.case, place.other_reader)
    assert refusal is not None
    assert refusal.code == "taken"


def test_only_readers_start_readings(place):
    for user in (place.coordinator, place.outsider):
        with pytest.raises(ActionRefused, match="Only a radiologist"):
            start_reading(case=place.case, by=user)
