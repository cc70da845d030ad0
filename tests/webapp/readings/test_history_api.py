"""The history of a reading over the API: what it answers, and to whom."""

import json
import uuid

import numpy as np
import pytest
from django.test import Client

from inference.imaging.masks import read_container
from tests.factories.sites import Tab, client_of, restage
from webapp.audit.models import Event
from webapp.masks.queries import head_layers
from webapp.readings.actions import start_reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def tab(reading):
    return Tab(reading, reading.reader)


def paint(reading, tab, value, *box) -> None:
    old = head_layers(reading.mask)["findings"]
    new = old.copy()
    new[box] = value
    tab.send(tab.stroke(old, new))


def post(user, reading, path, body):
    return client_of(user).post(f"/api/readings/{reading.pk}/{path}", json.dumps(body), content_type="application/json")


GETS = [
    "history/",
    "states/head/mask/",
    "difference/?a=stroke:0&b=head",
    "provenance/?layer=findings&i=0&j=0&k=0",
    "provenance/map/?layer=findings",
    "branches/",
]


@pytest.mark.parametrize("path", GETS)
def test_nobody_else_sees_the_history(place, reading, path):
    for user in (place.other_reader, place.outsider):
        assert client_of(user).get(f"/api/readings/{reading.pk}/{path}").status_code == 404
    assert Client().get(f"/api/readings/{reading.pk}/{path}").status_code == 401
    assert client_of(place.coordinator).get(f"/api/readings/{reading.pk}/{path}").status_code == 200


def test_whoever_opens_a_reading_is_told_which_slices_are_not_what_it_began_with(place, reading, tab):
    def edited() -> list[int]:
        return client_of(place.coordinator).get(f"/api/readings/{reading.pk}/").json()["mask"]["edited_slices"]

    def recolour(layer: str, value: int, *slices: int) -> None:
        old = head_layers(reading.mask)[layer]
        new = old.copy()
        for z in slices:
            new[z, :3, :3] = value
        tab.send(tab.stroke(old, new, layer))

    assert edited() == [], "the draft is not this reader's"
    first = head_layers(reading.mask)["findings"]
    recolour("findings", 3, 2, 9)
    assert edited() == [2, 9], "not what lies between"
    recolour("anatomy", 2, 5)
    assert edited() == [2, 5, 9]
    # More than a page remembers, and one of them taken back.
    for n in range(220):
        recolour("findings", 1 + n % 2, 7)
    now = head_layers(reading.mask)["findings"]
    back = now.copy()
    back[2] = first[2]
    tab.send(tab.stroke(now, back))
    assert edited() == [5, 7, 9]


def test_history_tells_the_chapters_versions_and_strokes(place, reading, tab):
    paint(reading, tab, 1, slice(2, 4), slice(0, 5), slice(0, 5))
    said = client_of(place.reader).get(f"/api/readings/{reading.pk}/history/").json()
    assert [c["kind"] for c in said["chapters"]] == ["algorithm", "person"]
    assert [c["own"] for c in said["chapters"]] == [False, True]
    assert [v["reason"] for v in said["versions"]] == ["draft"]
    assert [(s["stroke_sequence"], s["tool"], s["who"]) for s in said["strokes"]] == [(1, "brush", str(place.reader))]
    url = f"/api/readings/{reading.pk}/chapters/{reading.mask_id}/strokes/"
    (stroke,) = client_of(place.reader).get(url).json()["strokes"]
    assert stroke["payload_sha256"]
    assert client_of(place.reader).get(url + "?after=1").json()["strokes"] == []
    stranger = f"/api/readings/{reading.pk}/chapters/{uuid.uuid4()}/strokes/"
    assert client_of(place.reader).get(stranger).status_code == 404


def test_states_are_named_by_stroke_and_version(place, reading, tab):
    before = head_layers(reading.mask)["findings"]
    paint(reading, tab, 1, slice(2, 4), slice(0, 5), slice(0, 5))
    client = client_of(place.reader)
    past = client.get(f"/api/readings/{reading.pk}/states/stroke:0/mask/")
    np.testing.assert_array_equal(read_container(past.content).findings, before)
    assert "immutable" in past["Cache-Control"]
    draft = client.get(f"/api/readings/{reading.pk}/states/version:{reading.mask.forked_from_id}/mask/")
    np.testing.assert_array_equal(read_container(draft.content).findings, before)
    for wrong in ("stroke:2", "stroke:x", "version:x", f"version:{uuid.uuid4()}", "reading:1", "nothing"):
        assert client.get(f"/api/readings/{reading.pk}/states/{wrong}/mask/").status_code == 404


def test_nobody_gets_anothers_reading_through_a_state(place, reading):
    restage(place.campaign, readers=2)
    other = start_reading(case=place.case, by=place.other_reader)
    url = f"/api/readings/{reading.pk}/states/reading:{other.pk}/mask/"
    assert client_of(place.reader).get(url).status_code == 404
    assert client_of(place.coordinator).get(url).status_code == 200
    url = f"/api/readings/{reading.pk}/difference/?a=head&b=reading:{other.pk}"
    assert client_of(place.reader).get(url).status_code == 404


def test_restore_is_the_readers_under_their_lease(place, reading, tab):
    before = head_layers(reading.mask)["findings"]
    paint(reading, tab, 1, slice(2, 4), slice(0, 5), slice(0, 5))
    body = {"state": "stroke:0", "tab": str(tab.id), "epoch": tab.epoch}
    assert post(place.coordinator, reading, "restore/", body).status_code == 409
    assert post(place.reader, reading, "restore/", {**body, "epoch": tab.epoch + 1}).json()["error"] == "held"
    assert post(place.reader, reading, "restore/", {**body, "epoch": "1"}).json()["error"] == "malformed"
    other = {**body, "state": f"reading:{reading.pk}"}
    assert post(place.reader, reading, "restore/", other).json()["error"] == "not_past"
    said = post(place.reader, reading, "restore/", body)
    assert said.status_code == 200
    assert said.json()["version"]["reason"] == "restore"
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], before)
    assert post(place.reader, reading, "restore/", body).json()["error"] == "same_state"


def test_difference_and_provenance_answer_in_words_and_millilitres(place, reading, tab):
    paint(reading, tab, 1, slice(2, 4), slice(0, 5), slice(0, 5))
    client = client_of(place.reader)
    said = client.get(f"/api/readings/{reading.pk}/difference/?a=stroke:0&b=head").json()
    assert said["layers"]["findings"]["only_b_ml"] == pytest.approx(50 * 20 * 7 * 6 / 1000)
    assert said["layers"]["anatomy"]["dice"] == 1
    told = client.get(f"/api/readings/{reading.pk}/provenance/?layer=findings&i=1&j=1&k=2").json()
    assert [(e["who"], e["what"], e["to"]) for e in told["events"]] == [(str(place.reader), "brush", 1)]
    outside = client.get(f"/api/readings/{reading.pk}/provenance/?layer=findings&i=9999&j=1&k=2")
    assert outside.json()["error"] == "outside"
    container = client.get(f"/api/readings/{reading.pk}/provenance/map/?layer=findings").content
    length = int.from_bytes(container[4:8], "little")
    assert [a["kind"] for a in json.loads(container[8 : 8 + length])["authors"]] == ["algorithm", "person"]
    assert (read_container(container).findings[2:4, :5, :5] == 2).all()


def test_branches_are_shown_and_settled_once(place, reading, tab):
    old = head_layers(reading.mask)["findings"]
    new = old.copy()
    new[4, 10:14, 10:14] = 2
    Tab(reading, reading.reader, take_over=True)
    tab.send(tab.stroke(old, new))
    (branch,) = client_of(place.reader).get(f"/api/readings/{reading.pk}/branches/").json()["branches"]
    assert (branch["settled"], len(branch["strokes"])) == (None, 1)
    body = {"tab": branch["tab"], "epoch": branch["epoch"], "up_to": 1, "decision": "set_aside", "strokes": []}
    assert post(place.coordinator, reading, "branches/settle/", body).status_code == 409
    assert post(place.reader, reading, "branches/settle/", {**body, "decision": "x"}).json()["error"] == "malformed"
    assert post(place.reader, reading, "branches/settle/", {**body, "up_to": None}).json()["error"] == "malformed"
    assert post(place.reader, reading, "branches/settle/", body).status_code == 200
    assert post(place.reader, reading, "branches/settle/", body).json()["error"] == "no_branch"
    assert Event.objects.filter(name="mask.branch_settled").count() == 1


def test_asking_for_the_mask_is_told_and_written_down(place, reading, tab):
    assert post(place.reader, reading, "lease/ask/", {"tab": str(uuid.uuid4())}).json() == {"asked": True}
    assert Event.objects.filter(name="reading.lease_asked").count() == 1
    mine = post(place.reader, reading, "lease/ask/", {"tab": str(tab.id)})
    assert mine.json()["error"] == "nobody_writes"
