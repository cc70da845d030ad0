"""The viewer's API: what it answers, and to whom."""

import base64
import json
import uuid

import numpy as np
import pytest
from django.test import Client

from inference.imaging.masks import read_container
from tests.factories.sites import PASSWORD, Tab, a_reading, client_of
from webapp import push
from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import add_member
from webapp.masks.models import Version
from webapp.masks.queries import head_layers, version_layers

pytestmark = pytest.mark.django_db


def stroke_json(tab: Tab, old: np.ndarray, new: np.ndarray, **fields) -> dict:
    stroke = tab.stroke(old, new, **fields)
    return {
        "id": str(stroke.id),
        "layer": stroke.layer,
        "tool": stroke.tool,
        "plane": stroke.plane,
        "tab": str(stroke.tab),
        "epoch": stroke.epoch,
        "sequence": stroke.sequence,
        "client_time": stroke.client_time,
        "undoes": str(stroke.undoes) if stroke.undoes else None,
        "payload": base64.b64encode(stroke.payload).decode(),
        "payload_sha256": stroke.payload_sha256,
    }


PATHS = ["", "mask/", "strokes/", "measurements/"]
POSTS = ["strokes/", "lease/", "lease/release/", "sign/"]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_else_sees_a_reading(place, reading, path):
    url = f"/api/readings/{reading.pk}/{path}"
    for user in (place.other_reader, place.outsider):
        assert client_of(user).get(url).status_code == 404
    assert Client().get(url).status_code == 401


@pytest.mark.parametrize("path", POSTS)
def test_nobody_else_writes_to_a_reading(place, reading, path):
    url = f"/api/readings/{reading.pk}/{path}"
    for user in (place.other_reader, place.outsider):
        answer = client_of(user).post(url, {"tab": str(uuid.uuid4())}, content_type="application/json")
        assert answer.status_code == 404
    assert Client().post(url, {}, content_type="application/json").status_code == 401


def test_coordinator_looks_and_does_not_write(place, reading):
    client = client_of(place.coordinator)
    data = client.get(f"/api/readings/{reading.pk}/").json()
    assert data["may_edit"] is False
    assert "you may look" in data["edit_refusal"]
    body = {"tab": str(uuid.uuid4())}
    answer = client.post(f"/api/readings/{reading.pk}/lease/", body, content_type="application/json")
    assert answer.status_code == 409


def test_strokes_are_answered_once_committed(place, reading):
    client = client_of(place.reader)
    before = head_layers(reading.mask)["findings"]
    after = before.copy()
    after[1, 3:7, 3:9] = 2
    tab = Tab(reading, place.reader)
    body = {"strokes": [stroke_json(tab, before, after)]}
    url = f"/api/readings/{reading.pk}/strokes/"
    first = client.post(url, body, content_type="application/json").json()
    again = client.post(url, body, content_type="application/json").json()
    assert [first["results"][0]["status"], again["results"][0]["status"]] == ["applied", "duplicate"]
    assert first["mask"]["stroke_sequence"] == 1
    container = read_container(client.get(f"/api/readings/{reading.pk}/mask/").content)
    np.testing.assert_array_equal(container.findings, after)
    log = client.get(url).json()["strokes"]
    assert [s["id"] for s in log] == [body["strokes"][0]["id"]]
    assert log[0]["payload"] == body["strokes"][0]["payload"]
    assert client.get(url, {"after": 0, "until": 1}).json()["strokes"] == log
    assert client.get(url, {"after": 0, "until": 0}).json()["strokes"] == []


@pytest.mark.parametrize(
    "spoil",
    [
        {"payload": "not base64!"},
        {"payload": base64.b64encode(b"GGD1").decode()},
        {"layer": "bones"},
        {"id": "7"},
        {"epoch": -1},
        {"tool": "<script>"},
        {"payload_sha256": "0" * 64},
    ],
)
def test_malformed_strokes_get_a_sentence_and_change_nothing(place, reading, spoil):
    client = client_of(place.reader)
    before = head_layers(reading.mask)["findings"]
    after = before.copy()
    after[1, 3:7, 3:9] = 2
    tab = Tab(reading, place.reader)
    body = {"strokes": [{**stroke_json(tab, before, after), **spoil}]}
    answer = client.post(f"/api/readings/{reading.pk}/strokes/", body, content_type="application/json")
    assert answer.status_code in (400, 409)
    assert answer.json()["sentence"]
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], before)


def test_second_tab_is_told_who_edits_and_may_take_over(place, reading):
    client = client_of(place.reader)
    url = f"/api/readings/{reading.pk}/lease/"
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    first = client.post(url, {"tab": one}, content_type="application/json").json()
    assert first["mine"] is True
    assert client.post(url, {"tab": one}, content_type="application/json").json()["epoch"] == first["epoch"]
    held = client.post(url, {"tab": two}, content_type="application/json")
    assert held.status_code == 409
    assert held.json()["holder_name"] == str(place.reader)
    taken = client.post(url, {"tab": two, "take_over": True}, content_type="application/json").json()
    assert taken["epoch"] == first["epoch"] + 1


def test_whoever_waits_hears_that_the_mask_is_free(place, reading, monkeypatch):
    heard = []
    monkeypatch.setattr("webapp.push.publish", lambda topic, kind, **data: heard.append((topic, kind, data)))
    tab = Tab(reading, place.reader)
    for name in (str(uuid.uuid4()), str(tab.id), str(tab.id)):
        url = f"/api/readings/{reading.pk}/lease/release/"
        client_of(place.reader).post(url, {"tab": name}, content_type="application/json")
    assert heard == [(f"reading:{reading.pk}", "lease.released", {})], "once, and only for the tab that had it"


def test_signing_asks_for_the_password(place, reading):
    client = client_of(place.reader)
    url = f"/api/readings/{reading.pk}/sign/"
    body = {"stroke_sequence": 0, "statement": reading.protocol.statement}
    wrong = client.post(url, {**body, "password": "nonsense"}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["error"]) == (403, "wrong_password")
    right = client.post(url, {**body, "password": PASSWORD}, content_type="application/json").json()
    assert right["state"] == "signed"
    data = client.get(f"/api/readings/{reading.pk}/").json()
    assert data["signature"]["version_hash"] == right["version"]["hash"]
    late = {"tab": str(uuid.uuid4())}
    answer = client.post(f"/api/readings/{reading.pk}/lease/", late, content_type="application/json")
    assert answer.status_code == 409


def test_saved_stroke_repeated_after_signing_is_still_saved(place, reading):
    client = client_of(place.reader)
    before = head_layers(reading.mask)["findings"]
    after = before.copy()
    after[1, 3:7, 3:9] = 2
    tab = Tab(reading, place.reader)
    url = f"/api/readings/{reading.pk}/strokes/"
    known = {"strokes": [stroke_json(tab, before, after)]}
    client.post(url, known, content_type="application/json")
    body = {"stroke_sequence": 1, "statement": reading.protocol.statement, "password": PASSWORD}
    client.post(f"/api/readings/{reading.pk}/sign/", body, content_type="application/json")
    assert client.post(url, known, content_type="application/json").json()["results"][0]["status"] == "duplicate"
    version = Version.objects.get(mask=reading.mask)
    fresh = {"strokes": [known["strokes"][0], stroke_json(tab, after, before)]}
    late = client.post(url, fresh, content_type="application/json").json()
    assert [r["status"] for r in late["results"]] == ["duplicate", "branched"], "kept beside: neither lost nor applied"
    assert "closed" in late["results"][1]["sentence"]
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], after)
    np.testing.assert_array_equal(version_layers(version)["findings"], after)
    (branch,) = client.get(f"/api/readings/{reading.pk}/branches/").json()["branches"]
    assert [s["id"] for s in branch["strokes"]] == [fresh["strokes"][1]["id"]]
    assert client_of(place.coordinator).post(url, fresh, content_type="application/json").status_code == 409


def test_one_bad_stroke_is_named_so_that_the_others_can_go(place, reading):
    client = client_of(place.reader)
    before = head_layers(reading.mask)["findings"]
    after, more = before.copy(), before.copy()
    after[1, 3:7, 3:9] = 2
    more[1, 3:7, 3:9] = 2
    more[2, 3:7, 3:9] = 2
    tab = Tab(reading, place.reader)
    good, bad, later = (stroke_json(tab, *change) for change in ((before, after), (after, before), (after, more)))
    url = f"/api/readings/{reading.pk}/strokes/"
    for spoil in ({"undoes": str(uuid.uuid4()), "tool": "undo"}, {"tool": "Not a tool"}, {"payload_sha256": "0" * 64}):
        body = {"strokes": [good, {**bad, **spoil}, later]}
        answer = client.post(url, body, content_type="application/json")
        assert (answer.status_code in (400, 409), answer.json()["stroke"]) == (True, bad["id"])
    said = client.post(url, {"strokes": [good, later]}, content_type="application/json").json()
    assert [r["status"] for r in said["results"]] == ["applied", "applied"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", [[], [1], "text", 7, None, {"tab": ["x"]}, {"strokes": [[]], "tab": 7}])
def test_any_json_gets_a_sentence(place, reading, path, body):
    client = client_of(place.reader)
    answer = client.post(f"/api/readings/{reading.pk}/{path}", json.dumps(body), content_type="application/json")
    assert answer.status_code in (400, 403, 409)
    assert answer.json()["sentence"]


@pytest.mark.parametrize("name", ["after", "until"])
@pytest.mark.parametrize("said", ["-1", "x", "\u00b2", "1e3", "", "9" * 5000])
def test_place_in_the_log_must_be_a_number(place, reading, name, said):
    answer = client_of(place.reader).get(f"/api/readings/{reading.pk}/strokes/", {name: said})
    assert answer.status_code == 409


def test_body_larger_than_any_stroke_is_refused_with_a_sentence(place, reading, monkeypatch):
    monkeypatch.setattr("webapp.edge.json_bodies.LARGEST_BYTES", 2000)
    client = client_of(place.reader)
    url = f"/api/readings/{reading.pk}/strokes/"
    answer = client.post(url, {"strokes": ["x" * 2000]}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    assert client.post(url, {"strokes": ["x" * 1000]}, content_type="application/json").status_code == 400
    nobody = Client().post("/api/sign-in/", {"username": "x" * 2000}, content_type="application/json")
    assert nobody.status_code == 413, "nobody has to be signed in to send too much"


def test_token_from_before_a_new_sign_in_is_named_as_such(place, reading):
    client = Client(enforce_csrf_checks=True)
    client.force_login(place.reader)
    answer = client.post(f"/api/readings/{reading.pk}/strokes/", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (403, "csrf"), "so that the sender knows to try again"


def test_readings_are_not_announced_to_everyone_who_hears_the_scan(place, monkeypatch):
    heard = []
    monkeypatch.setattr("webapp.push.publish", lambda topic, kind, **data: heard.append(topic))
    reading = a_reading(place)
    body = {"stroke_sequence": 0, "statement": reading.protocol.statement, "password": PASSWORD}
    client_of(place.reader).post(f"/api/readings/{reading.pk}/sign/", body, content_type="application/json")
    assert heard
    assert all(topic.startswith(("reading:", "progress:")) for topic in heard)


def test_progress_of_a_campaign_is_heard_by_those_who_see_all_of_it(place):
    for person, hears in ((place.coordinator, True), (place.reader, False), (place.outsider, False)):
        assert push.may_listen(person, "progress:covid") is hears
    add_member(campaign=place.campaign, user=place.coordinator, role="radiologist", by=SYSTEM)
    assert not push.may_listen(place.coordinator, "progress:covid")
    assert push.may_listen(place.reader, f"person:{place.reader.pk}")
    assert not push.may_listen(place.coordinator, f"person:{place.reader.pk}")


def test_scan_without_spacing_tells_no_volume_of_a_voxel(place, reading):
    client = client_of(place.reader)
    scan = reading.case.scan
    told = client.get(f"/api/readings/{reading.pk}/").json()["scan"]
    assert told["voxel_volume_ml"] == pytest.approx(np.prod(told["spacing_zyx_mm"]) / 1000)
    scan.warnings = [{"code": "no_spacing", "sentence": "Nothing is known of the size of a pixel."}]
    scan.save()
    assert client.get(f"/api/readings/{reading.pk}/").json()["scan"]["voxel_volume_ml"] is None
