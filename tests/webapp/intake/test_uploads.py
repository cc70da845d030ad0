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
from webapp.intake import quarantine, rules
from webapp.intake.models import Batch, SeriesLine
from webapp.intake.queries import may_hear_batch
from webapp.intake.tasks import give_batch_up, process_batch

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator(campaign, settings, tmp_path):
    settings.GROUNDGLASS_HOME = tmp_path / "home"
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


def send(client: Client, batch: dict, name: str, content: bytes):
    return client.post(
        batch["files_url"], content, content_type="application/octet-stream", headers={"X-File-Name": name}
    )


def process(batch: dict) -> Batch:
    process_batch(batch_id=batch["id"])
    return Batch.objects.get(pk=batch["id"])


def test_upload_ends_as_cases_and_its_originals_go(client, coordinator, series, tmp_path):
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
    assert not quarantine.folder_of(ended.pk).exists()
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


def test_batch_that_failed_thrice_says_so_and_keeps_nothing(client):
    batch = open_batch(client)
    send(client, batch, "a.dcm", b"x")
    client.post(batch["finish_url"])
    give_batch_up(batch_id=batch["id"])
    assert "failed on it three times" in client.get(batch["url"]).content.decode()
    assert not quarantine.folder_of(uuid.UUID(batch["id"])).exists()


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
