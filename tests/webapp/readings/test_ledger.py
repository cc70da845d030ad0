"""The slice ledger and a person's preferences: what is kept, of whom, and what is refused."""

import json

import pytest
from django.test import Client

from tests.factories.sites import a_person, client_of
from webapp.audit.models import Event
from webapp.readings.actions import sign_reading
from webapp.readings.models import LedgerRow

pytestmark = pytest.mark.django_db


def tell(user, reading, seen):
    body = json.dumps({"seen": seen})
    return client_of(user).post(f"/api/readings/{reading.pk}/ledger/", body, content_type="application/json")


def test_seen_slices_are_kept_once_with_the_longest_look(place, reading):
    answer = tell(place.reader, reading, [{"z": 3, "dwell_ms": 300}, {"z": 5, "dwell_ms": 900}]).json()
    assert answer == {"seen": [3, 5], "verdicts": {}, "attests": {}, "active_ms": 0}
    first = LedgerRow.objects.get(reading=reading, z=3).first_seen_at
    assert tell(place.reader, reading, [{"z": 3, "dwell_ms": 250.5}, {"z": 5, "dwell_ms": 1200}]).status_code == 200
    rows = {row.z: row for row in LedgerRow.objects.filter(reading=reading)}
    assert {z: row.dwell_ms for z, row in rows.items()} == {3: 300, 5: 1200}
    assert rows[3].first_seen_at == first
    said = client_of(place.reader).get(f"/api/readings/{reading.pk}/").json()
    assert said["ledger"]["seen"] == [3, 5]
    lung = place.phantom.anatomy.any(axis=(1, 2)).nonzero()[0].tolist()
    assert said["ledger"]["lung"] == lung


@pytest.mark.parametrize(
    "rows", [None, "x", 3, [1], [{"z": 99, "dwell_ms": 1}], [{"z": True, "dwell_ms": 1}], [{"z": 1, "dwell_ms": -1}],
             [{"z": 1, "dwell_ms": 1}, {"z": "2", "dwell_ms": 1}], [{"z": 1, "dwell_ms": float("nan")}]],
)  # fmt: skip
def test_malformed_rows_write_nothing(place, reading, rows):
    assert tell(place.reader, reading, rows).status_code in (400, 409)
    assert not LedgerRow.objects.exists()


def test_only_the_reader_sees_slices(place, reading):
    assert tell(place.coordinator, reading, [{"z": 1, "dwell_ms": 300}]).json()["error"] == "not_yours"
    assert tell(place.other_reader, reading, [{"z": 1, "dwell_ms": 300}]).status_code == 404


def test_what_may_be_laid_beside_the_mask(place, reading):
    said = client_of(place.reader).get(f"/api/readings/{reading.pk}/").json()
    (draft,) = said["comparable"]
    assert draft["state"] == f"version:{reading.mask.forked_from_id}"
    assert draft["label"].startswith("AI draft")


def test_preferences_follow_the_person(place, reading):
    client = client_of(place.reader)
    kept = {"masks": {"look": "outline"}, "keys": {"brush": ["b"]}}
    put = client.put("/api/preferences/viewer/", json.dumps(kept), content_type="application/json")
    assert (put.status_code, put.json()) == (200, kept)
    assert client.get(f"/api/readings/{reading.pk}/").json()["preferences"] == kept
    assert client_of(place.coordinator).get("/api/preferences/viewer/").json() == {}
    assert Event.objects.filter(name="person.preferences_kept").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        "[]", '"x"', '{"unknown": 1}', json.dumps({"keys": "x" * 20000}), '{"keys": [[[[[[1]]]]]]}', '{"layout": null}',
        '{"layout": true}', r'{"layout": "\u0000"}', r'{"layout": {"\u0000": 1}}', r'{"layout": "\ud800"}',
        '{"layout": 1e400}', '{"layout": NaN}', "nonsense",
    ],
)  # fmt: skip
def test_preferences_that_are_no_preferences_are_refused(place, wrong):
    client = client_of(place.reader)
    said = client.put("/api/preferences/viewer/", wrong, content_type="application/json")
    assert said.status_code in (400, 409)
    assert said.json()["sentence"]
    assert client.get("/api/preferences/viewer/").json() == {}


def test_preferences_and_the_ledger_are_for_who_is_signed_in_and_may(place, reading):
    assert Client().get("/api/preferences/viewer/").status_code == 401
    assert Client().put("/api/preferences/viewer/", "{}", content_type="application/json").status_code == 401
    ledger = f"/api/readings/{reading.pk}/ledger/"
    assert Client().post(ledger, {"seen": []}, content_type="application/json").status_code == 401
    rows = [{"z": 1, "dwell_ms": 300}]
    assert tell(place.outsider, reading, rows).status_code == 404
    assert tell(a_person("auditor", place.campaign, "auditor"), reading, rows).json()["error"] == "not_yours"
    assert not LedgerRow.objects.exists()


def test_signed_reading_takes_no_more_seen_slices(place, reading):
    sign_reading(reading=reading, stroke_sequence=0, statement=reading.protocol.statement, by=place.reader)
    assert tell(place.reader, reading, [{"z": 1, "dwell_ms": 300}]).json()["error"] == "signed"
    assert not LedgerRow.objects.exists()
