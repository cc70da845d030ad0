"""The door in the browser: who may send, what is refused, and that an upload ends as cases."""

import json
import uuid
import zipfile

import pytest
from django.test import Client

from tests.factories.sites import a_person
from webapp.archive.models import Scan
from webapp.audit.models import Event
from webapp.campaigns.models import Case
from webapp.intake import api, forms, quarantine, rules, sealing
from webapp.intake.models import Batch, SeriesLine
from webapp.intake.queries import may_hear_batch
from webapp.intake.tasks import give_batch_up, process_batch

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator(campaign):
    return a_person("clara", campaign, "coordinator")


@pytest.fixture
def client(coordinator) -> Client:
    client = Client()
    client.force_login(coordinator)
    return client


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def open_batch(client: Client) -> dict:
    answer = client.post("/intake/batches/", json.dumps({"campaign": "covid"}), content_type="application/json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def send(client: Client, batch: dict, name: str, content: bytes, **headers: object):
    said = {"X-File-Name": name, "X-File-Size": len(content), "X-File-Mark": "1"}
    said |= {f"X-{key.replace('_', '-')}": value for key, value in headers.items()}
    return client.post(
        batch["files_url"],
        content,
        content_type="application/octet-stream",
        headers={key: str(value) for key, value in said.items()},
    )


def ask(client: Client, batch: dict, *files: tuple[str, int]) -> list[int]:
    asked = [{"path": path, "size": size, "mark": "1"} for path, size in files]
    answer = client.post(batch["known_url"], json.dumps({"files": asked}), content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()["received"]


def process(batch: dict) -> Batch:
    process_batch(batch_id=batch["id"])
    return Batch.objects.get(pk=batch["id"])


def test_upload_ends_as_cases_and_its_originals_are_held(client, coordinator, series, tmp_path):
    batch = open_batch(client)
    archive = tmp_path / "scan.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in series():
            packed.write(path, path.name)
    assert send(client, batch, "Featherstonehaugh%20scan.zip", archive.read_bytes()).status_code == 201
    for path in series(uid_seed="other"):
        send(client, batch, f"Featherstonehaugh/{path.name}", path.read_bytes())
    send(client, batch, "letter.txt", b"Dear Mr Featherstonehaugh")
    waiting = list(quarantine.folder_of(uuid.UUID(batch["id"])).iterdir())
    assert len(waiting) == 10
    assert all(b"Featherstonehaugh" not in path.read_bytes() for path in waiting)
    assert client.post(batch["finish_url"]).json()["state"] == "waiting"
    ended = process(batch)
    assert (ended.state, ended.file_count) == ("done", 10)
    assert (Scan.objects.count(), Case.objects.count()) == (2, 2)
    assert ended.holds_originals
    assert len(list(quarantine.waiting(ended))) == 10
    lines = SeriesLine.objects.filter(batch=ended)
    assert sorted(line.state for line in lines) == ["accepted", "accepted", "refused"]
    assert not any("Featherstonehaugh" in f"{line.title} {line.sentence}" for line in lines)
    page = client.get(batch["url"]).content.decode()
    assert "It is not a DICOM file." in page
    assert "/campaigns/covid/cases/1/" in page
    assert "2 accepted" in client.get("/intake/").content.decode()
    names = list(Event.objects.filter(subject=f"batch:{ended.pk}").order_by("id").values_list("name", flat=True))
    assert names == ["batch.opened", "batch.finished", "batch.processed"]


def test_processing_twice_doubles_nothing(client, series):
    batch = open_batch(client)
    for path in series():
        send(client, batch, path.name, path.read_bytes())
    client.post(batch["finish_url"])
    process(batch)
    assert process(batch).state == "done"
    assert (Scan.objects.count(), SeriesLine.objects.count()) == (1, 1)


def test_batch_whose_worker_died_begins_again(client, series):
    batch = open_batch(client)
    for path in series():
        send(client, batch, path.name, path.read_bytes())
    client.post(batch["finish_url"])
    row = Batch.objects.get(pk=batch["id"])
    Batch.objects.update(state="processing")
    SeriesLine.objects.create(batch=row, number=1, title="half", state="accepted", sentence="half")
    assert process(batch).state == "done"
    assert [line.title.startswith("series 1") for line in SeriesLine.objects.all()] == [True]


def test_batch_that_failed_thrice_says_so_and_can_be_tried_again(client):
    batch = open_batch(client)
    send(client, batch, "a.dcm", b"x")
    client.post(batch["finish_url"])
    give_batch_up(batch_id=batch["id"])
    page = client.get(batch["url"]).content.decode()
    assert "failed on it three times" in page
    assert "Try again" in page
    assert quarantine.folder_of(uuid.UUID(batch["id"])).exists()


def test_sender_learns_which_files_are_here_and_where_a_large_one_goes_on(client):
    batch = open_batch(client)
    size = sealing.CHUNK + 5
    assert ask(client, batch, ("a/1.dcm", 3), ("a/big.zip", size)) == [-1, -1]
    send(client, batch, "a/1.dcm", b"one")
    first = send(client, batch, "a/big.zip", bytes(sealing.CHUNK), File_Size=size)
    assert (first.status_code, first.json()) == (201, {"received": sealing.CHUNK, "whole": False})
    assert ask(client, batch, ("a/1.dcm", 3), ("a/big.zip", size), ("a/1.dcm", 4)) == [3, sealing.CHUNK, -1]
    wrong = send(client, batch, "a/big.zip", b"12345", File_Size=size)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "piece")
    behind = send(client, batch, "a/big.zip", b"", File_Size=size, Offset=size)
    assert (behind.status_code, behind.json()["received"]) == (409, sealing.CHUNK)
    assert client.post(batch["finish_url"]).json()["error"] == "parts"
    last = send(client, batch, "a/big.zip", b"12345", File_Size=size, Offset=sealing.CHUNK)
    assert last.json() == {"received": size, "whole": True}
    assert client.post(batch["finish_url"]).json()["state"] == "waiting"


def bundle(*files: tuple[str, bytes]) -> bytes:
    body = b""
    for path, content in files:
        said = json.dumps({"path": path, "size": len(content), "mark": "1"}).encode()
        body += len(said).to_bytes(4, "little") + said + content
    return body


def test_small_files_come_together(client):
    batch = open_batch(client)
    send(client, batch, "b/ü.dcm", b"two")
    body = bundle(("a.dcm", b"one"), ("b/ü.dcm", b"two"), ("empty", b""))
    answer = client.post(batch["files_url"], body, content_type=api.BUNDLE)
    assert (answer.status_code, answer.json()) == (201, {"files": 3, "whole": True})
    assert ask(client, batch, ("a.dcm", 3), ("b/ü.dcm", 3), ("empty", 0)) == [3, 3, 0]
    for bad in (b"", body[:-1] + b"!!", body[:20], bundle(("", b"x")), b"\x02\0\0\0[]", bundle(*[("a", b"")] * 65)):
        answer = client.post(batch["files_url"], bad, content_type=api.BUNDLE)
        assert (answer.status_code, answer.json()["error"]) == (400, "malformed"), bad
    assert Batch.objects.get(pk=batch["id"]).file_count == 3


def test_parts_are_let_go_when_their_sender_says_so(client):
    batch = open_batch(client)
    send(client, batch, "a.dcm", b"one")
    send(client, batch, "big.zip", bytes(sealing.CHUNK), File_Size=2 * sealing.CHUNK)
    said = json.dumps({"drop_parts": True})
    assert client.post(batch["finish_url"], said, content_type="application/json").json()["state"] == "waiting"
    row = Batch.objects.get(pk=batch["id"])
    assert (row.file_count, row.byte_count, row.originals.count()) == (1, 3, 1)


def test_unfinished_uploads_are_listed_for_their_sender_alone(client, campaign):
    batch = open_batch(client)
    send(client, batch, "a.dcm", b"one")
    (listed,) = client.get("/api/uploads/").json()["uploads"]
    assert (listed["id"], listed["files"], listed["bytes"]) == (batch["id"], 1, 3)
    assert "Unfinished uploads of yours" in client.get("/intake/").content.decode()
    other = signed_in(a_person("second", campaign, "coordinator"))
    assert other.get("/api/uploads/").json() == {"uploads": []}
    client.post(batch["finish_url"])
    assert client.get("/api/uploads/").json() == {"uploads": []}


def test_upload_is_cancelled_by_its_code(client):
    batch = open_batch(client)
    send(client, batch, "a.dcm", b"one")
    assert client.post(batch["discard_url"], "{}", content_type="application/json").status_code == 400
    assert quarantine.folder_of(uuid.UUID(batch["id"])).exists()
    said = json.dumps({"code": batch["code"]})
    assert client.post(batch["discard_url"], said, content_type="application/json").json() == {"state": "discarded"}
    assert not quarantine.folder_of(uuid.UUID(batch["id"])).exists()
    assert send(client, batch, "b.dcm", b"two").json()["error"] == "closed"


@pytest.mark.parametrize("role", ["technician", "radiologist", "adjudicator", "auditor"])
def test_only_coordinators_may_send(campaign, role):
    client = signed_in(a_person("someone", campaign, role))
    answer = client.post("/intake/batches/", {"campaign": "covid"})
    assert answer.status_code == 403
    assert "coordinator" in answer.json()["sentence"]
    assert Batch.objects.count() == 0


def test_outsiders_see_neither_campaign_nor_batch(client, campaign):
    batch = open_batch(client)
    for user in (a_person("outsider"), a_person("reader", campaign, "radiologist")):
        other = signed_in(user)
        assert other.get(batch["url"]).status_code == 404
        assert send(other, batch, "a.dcm", b"x").status_code == 404
        assert other.post(batch["finish_url"]).status_code == 404
        assert not may_hear_batch(user, batch["id"])
        assert batch["url"] not in other.get("/intake/").content.decode()
    assert signed_in(a_person("stranger")).post("/intake/batches/", {"campaign": "covid"}).status_code == 404


def test_another_coordinator_sees_the_batch_and_may_not_add_to_it(client, campaign):
    batch = open_batch(client)
    other = signed_in(a_person("second", campaign, "coordinator"))
    assert other.get(batch["url"]).status_code == 200
    assert send(other, batch, "a.dcm", b"x").status_code == 409
    assert other.post(batch["finish_url"]).status_code == 409


def test_signed_out_scripts_get_401_and_people_the_sign_in_page(campaign):
    assert Client().post("/intake/batches/").json()["error"] == "signed_out"
    assert Client().get("/intake/").status_code == 302
    assert not may_hear_batch(a_person("x"), "no id")


def test_too_large_files_and_finished_uploads_take_no_more(client, monkeypatch):
    batch = open_batch(client)
    monkeypatch.setattr(rules, "LARGEST_UPLOAD_BYTES", 10)
    answer = send(client, batch, "a.dcm", bytes(11))
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    monkeypatch.setattr(forms, "PIECE_BYTES", 10)
    assert send(client, batch, "a.dcm", bytes(11), File_Size=20).status_code == 400
    assert send(client, batch, "a.dcm", bytes(10)).status_code == 201
    client.post(batch["finish_url"])
    assert send(client, batch, "a.dcm", bytes(10)).json()["error"] == "closed"
    assert client.post(batch["finish_url"]).status_code == 200


def test_posting_needs_the_csrf_token(coordinator):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(coordinator)
    assert strict.post("/intake/batches/", {"campaign": "covid"}).status_code == 403


def test_hostile_text_is_escaped(client, coordinator, campaign):
    batch = Batch.objects.create(campaign=campaign, by=coordinator, state="done")
    evil = "<script>alert(1)</script>"
    SeriesLine.objects.create(batch=batch, number=1, title=evil, state="refused", sentence=evil, warnings=[evil])
    page = client.get(f"/intake/batches/{batch.pk}/").content.decode()
    assert evil not in page
    assert page.count("&lt;script&gt;") == 3


def test_malformed_requests_are_answered(client):
    for body in ("[]", "{", '{"campaign": "no such campaign!"}'):
        answer = client.post("/intake/batches/", body, content_type="application/json")
        assert answer.status_code == 400
    assert client.post(f"/intake/batches/{uuid.uuid4()}/files/").status_code == 404
    batch = open_batch(client)
    for headers in ({}, {"X-File-Name": "a"}, {"X-File-Name": "a", "X-File-Size": "-1"}, {"X-File-Size": "3"}):
        answer = client.post(batch["files_url"], b"abc", content_type="application/octet-stream", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "malformed")
    for asked in ({}, {"files": []}, {"files": [3]}, {"files": [{"path": "a", "size": True}]}):
        answer = client.post(batch["known_url"], json.dumps(asked), content_type="application/json")
        assert answer.status_code == 400
    assert Batch.objects.get(pk=batch["id"]).file_count == 0
