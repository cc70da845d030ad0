"""Edits of several strokes: sent ahead in parts, cut anywhere and sent again, appended whole or not at all."""

import base64
import dataclasses
import hashlib
import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from inference.imaging.delta import SliceRuns, decode_delta, delta_between, encode_delta, invert_runs
from tests.factories.sites import Tab, a_reading, a_workplace
from webapp.audit.refusal import ActionRefused
from webapp.masks import parts, strokes
from webapp.masks.history import state_at
from webapp.masks.models import HeadSlice, Lease, Mask, Stroke, StrokePart
from webapp.masks.parts import keep_part
from webapp.masks.queries import head_layers
from webapp.masks.strokes import SentStroke, append_strokes
from webapp.masks.verify import faults

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return a_workplace()


@pytest.fixture
def reading(place):
    return a_reading(place)


def sha256(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def in_parts(
    tab: Tab, delta: list[SliceRuns], slices: int, layer="findings", undone=None, **fields
) -> list[SentStroke]:
    """One edit as strokes of so many slices each; `undone`: the strokes of the edit that it takes back, in order."""
    blank = np.zeros((1, 1, 1), np.uint8)
    edit = uuid.uuid4()
    pieces = [encode_delta(delta[at : at + slices]) for at in range(0, len(delta), slices)]
    if undone is not None:
        pieces.reverse()
        fields["tool"] = "undo"
    named = [stroke.id for stroke in reversed(undone)] if undone is not None else [None] * len(pieces)
    return [
        tab.stroke(
            blank, blank + 1, layer=layer, payload=piece, payload_sha256=sha256(piece), edit=edit, undoes=name, **fields
        )
        for piece, name in zip(pieces, named, strict=True)
    ]


def painted(reading, value=2) -> tuple[dict, list[SliceRuns]]:
    """The findings with a box through eight slices, and the delta to it."""
    now = head_layers(reading.mask)
    new = now["findings"].copy()
    new[2:10, 5:20, 5:20] = value
    return {**now, "findings": new}, delta_between(now["findings"], new)


def post(client, reading, path, body):
    return client.post(f"/api/readings/{reading.pk}/{path}", body, content_type="application/json")


def wire(stroke: SentStroke, ahead=True) -> dict:
    body = {name: None if value is None else str(value) for name, value in dataclasses.asdict(stroke).items()}
    payload = None if ahead else base64.b64encode(stroke.payload).decode()
    return {**body, "epoch": stroke.epoch, "sequence": stroke.sequence, "payload": payload}


def part(stroke: SentStroke) -> dict:
    return {"payload": base64.b64encode(stroke.payload).decode(), "payload_sha256": stroke.payload_sha256}


@pytest.fixture
def client(place):
    client = Client()
    client.force_login(place.reader)
    return client


def test_edit_sent_ahead_in_parts_is_appended_whole(reading, client):
    tab = Tab(reading, reading.reader)
    wanted, delta = painted(reading)
    strokes = in_parts(tab, delta, 3)
    body = {"strokes": [wire(stroke) for stroke in strokes]}
    hashes = sorted(stroke.payload_sha256 for stroke in strokes)
    first = post(client, reading, "strokes/", body)
    assert (first.status_code, first.json()["error"], first.json()["parts"]) == (409, "parts_missing", hashes)
    for stroke in strokes[:2]:
        assert post(client, reading, "strokes/parts/", part(stroke)).status_code == 200
    # The line was cut after two of three: nobody sees any of it, and the third alone is asked for.
    again = post(client, reading, "strokes/", body)
    assert again.json()["parts"] == [strokes[2].payload_sha256]
    assert not reading.mask.strokes.exists()
    assert (head_layers(reading.mask)["findings"] != wanted["findings"]).any()
    for stroke in strokes[1:]:
        assert post(client, reading, "strokes/parts/", part(stroke)).status_code == 200
    assert StrokePart.objects.count() == 3
    done = post(client, reading, "strokes/", body).json()
    assert [result["status"] for result in done["results"]] == ["applied"] * 3
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], wanted["findings"])
    assert not StrokePart.objects.exists()
    # The answer was lost: the parts need not be sent again.
    lost = post(client, reading, "strokes/", body).json()
    assert [result["status"] for result in lost["results"]] == ["duplicate"] * 3
    assert list(faults(reading.mask_id)) == []


def test_edit_that_fits_in_part_is_kept_beside_whole(reading, client):
    tab = Tab(reading, reading.reader)
    _, delta = painted(reading)
    strokes = in_parts(tab, delta, 3)
    now = head_layers(reading.mask)["findings"]
    other = now.copy()
    other[9, 6, 6] = 4
    tab.send(tab.stroke(now, other))
    answers = tab.send(*strokes)
    assert [answer.status for answer in answers] == ["branched"] * 3
    assert {s.branch_reason for s in Stroke.objects.filter(pk__in=[s.id for s in strokes])} == {"conflict"}
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], other)
    assert [answer.status for answer in tab.send(*strokes)] == ["branched"] * 3
    # Taking back what was never applied: as little.
    back = in_parts(tab, invert_runs(delta), 3, undone=strokes)
    assert [answer.status for answer in tab.send(*back)] == ["branched"] * 3
    # Others of the same batch are not touched by it.
    later = head_layers(reading.mask)["findings"].copy()
    later[0, 0, 0] = 1
    mixed = [*in_parts(tab, delta, 3), tab.stroke(other, later)]
    assert [answer.status for answer in tab.send(*mixed)] == ["branched"] * 3 + ["applied"]
    assert list(faults(reading.mask_id)) == []


def test_edit_in_parts_is_undone_and_redone_exactly(reading):
    tab = Tab(reading, reading.reader)
    before = head_layers(reading.mask)["findings"]
    wanted, delta = painted(reading)
    strokes = in_parts(tab, delta, 3)
    assert {a.status for a in tab.send(*strokes)} == {"applied"}
    back = in_parts(tab, invert_runs(delta), 3, undone=strokes)
    assert {a.status for a in tab.send(*back)} == {"applied"}
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], before)
    # As the browser redoes: each undo's inverse, the last one first.
    redo = [
        dataclasses.replace(
            stroke, tool="redo", payload=encode_delta(invert_runs(decode_delta(stroke.payload, before.shape)))
        )
        for stroke in in_parts(tab, invert_runs(delta), 3, undone=back[::-1])[::-1]
    ]
    redo = [
        dataclasses.replace(stroke, undoes=undone.id, payload_sha256=sha256(stroke.payload))
        for stroke, undone in zip(redo, back[::-1], strict=True)
    ]
    assert {a.status for a in tab.send(*redo)} == {"applied"}
    np.testing.assert_array_equal(head_layers(reading.mask)["findings"], wanted["findings"])


def test_part_damaged_on_its_way_or_too_many_of_them_are_refused(reading, client, monkeypatch):
    tab = Tab(reading, reading.reader)
    (stroke,) = in_parts(tab, painted(reading)[1], 8)
    damaged = post(client, reading, "strokes/parts/", {**part(stroke), "payload_sha256": "0" * 64})
    assert (damaged.status_code, damaged.json()["error"]) == (409, "payload_hash")
    assert post(client, reading, "strokes/parts/", {**part(stroke), "payload": "no base64"}).status_code == 400
    monkeypatch.setattr(parts, "MOST_WAITING_BYTES", len(stroke.payload) + 9)
    assert post(client, reading, "strokes/parts/", part(stroke)).status_code == 200
    assert post(client, reading, "strokes/parts/", part(stroke)).status_code == 200, "the same again takes no room"
    full = post(client, reading, "strokes/parts/", {"payload": "A" * 40, "payload_sha256": sha256(b"\0" * 30)})
    assert (full.status_code, full.json()["error"]) == (409, "too_large")
    # What nobody fetched for a day makes room.
    StrokePart.objects.update(arrived_at=timezone.now() - timedelta(days=2))
    keep_part(mask=reading.mask, payload=b"\0" * 30, payload_sha256=sha256(b"\0" * 30), by=reading.reader)
    assert StrokePart.objects.get().payload_sha256 == sha256(b"\0" * 30)


def test_parts_keep_the_lease_of_the_tab_that_sends_them(place, reading, client):
    tab = Tab(reading, reading.reader)
    strokes = in_parts(tab, painted(reading)[1], 3)
    silent = timezone.now() - timedelta(seconds=50)
    Lease.objects.update(renewed_at=silent)
    post(client, reading, "strokes/parts/", {**part(strokes[0]), "tab": str(uuid.uuid4())})
    assert Lease.objects.get().renewed_at == silent, "another tab's parts do not"
    post(client, reading, "strokes/parts/", {**part(strokes[1]), "tab": str(tab.id)})
    assert Lease.objects.get().renewed_at > silent + timedelta(seconds=40)


def test_parts_are_their_senders_alone(place, reading):
    tab = Tab(reading, reading.reader)
    (stroke,) = in_parts(tab, painted(reading)[1], 8)
    keep_part(mask=reading.mask, payload=stroke.payload, payload_sha256=stroke.payload_sha256, by=place.other_reader)
    with pytest.raises(ActionRefused, match="have not arrived"):
        append_strokes(mask=reading.mask, sent=[dataclasses.replace(stroke, payload=None)], by=reading.reader)
    url = f"/api/readings/{reading.pk}/strokes/parts/"
    for user, status in ((place.other_reader, 404), (place.outsider, 404), (place.coordinator, 409)):
        stranger = Client()
        stranger.force_login(user)
        assert stranger.post(url, part(stroke), content_type="application/json").status_code == status


def test_edit_larger_than_any_may_be_is_refused_and_nothing_of_it_stays(reading, client, monkeypatch):
    tab = Tab(reading, reading.reader)
    edit = in_parts(tab, painted(reading)[1], 3)
    for stroke in edit:
        assert post(client, reading, "strokes/parts/", part(stroke)).status_code == 200
    monkeypatch.setattr(strokes, "MAX_BYTES", sum(len(stroke.payload) for stroke in edit) - 1)
    answer = post(client, reading, "strokes/", {"strokes": [wire(stroke) for stroke in edit]})
    assert (answer.status_code, answer.json()["error"], answer.json()["stroke"]) == (409, "too_large", str(edit[0].id))
    assert not reading.mask.strokes.exists()


def test_log_is_answered_in_pages(reading, client, monkeypatch):
    from webapp.readings import api

    tab = Tab(reading, reading.reader)
    tab.send(*in_parts(tab, painted(reading)[1], 2))
    monkeypatch.setattr(api, "LOG_BYTES", 10)
    url = f"/api/readings/{reading.pk}/strokes/"
    found, after, more = [], 0, True
    while more:
        said = client.get(url, {"after": after}).json()
        assert len(said["strokes"]) == 1
        found += said["strokes"]
        after, more = found[-1]["stroke_sequence"], said["more"]
    assert [stroke["stroke_sequence"] for stroke in found] == [1, 2, 3, 4]


@pytest.mark.slow
def test_noise_over_1500_slices_goes_the_whole_way(reading):
    """The largest edit that the browser lets through: sent ahead, appended, undone, and any state of it read back."""
    nz, ny, nx = 1500, 512, 512
    scan = reading.mask.scan
    scan.shape_zyx = [nz, ny, nx]
    scan.save()
    HeadSlice.objects.filter(mask=reading.mask).delete()
    Mask.objects.filter(pk=reading.mask_id).update(forked_from=None)
    reading.mask.refresh_from_db()
    tab = Tab(reading, reading.reader)
    roll = np.random.default_rng(2)
    noise = [np.sort(roll.choice(ny * nx // 2, 5300, replace=False)) * 2 for _ in range(7)]
    ones = np.ones(5300, np.uint8)
    delta = [SliceRuns(z, noise[z % 7].astype(np.int64), ones.astype(np.int64), ones * 0, ones * 3) for z in range(nz)]
    strokes = in_parts(tab, delta, 45)
    assert 28 * 2**20 < sum(len(stroke.payload) for stroke in strokes) <= 32 * 2**20
    for stroke in strokes:
        keep_part(mask=reading.mask, payload=stroke.payload, payload_sha256=stroke.payload_sha256, by=reading.reader)
    answers = tab.send(*[dataclasses.replace(stroke, payload=None) for stroke in strokes])
    assert {answer.status for answer in answers} == {"applied"}
    found = np.zeros(ny * nx, np.uint8)
    found[noise[1400 % 7]] = 3
    reading.mask.refresh_from_db()
    np.testing.assert_array_equal(state_at(reading.mask, len(strokes)).slice("findings", 1400).reshape(-1), found)
    half = state_at(reading.mask, 20)
    assert (half.slice("findings", 899).any(), half.slice("findings", 900).any()) == (True, False)
    back = in_parts(tab, invert_runs(delta), 45, undone=strokes)
    assert {answer.status for answer in tab.send(*back)} == {"applied"}
    assert not HeadSlice.objects.filter(mask=reading.mask).exists()
