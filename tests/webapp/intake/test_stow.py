"""STOW-RS: who may store, what is answered for each image, and that nothing half-arrived is kept."""

import base64
import io
import json
from urllib.parse import quote, urlencode

import pydicom
import pytest
from django.test import Client

from tests.factories.sites import PASSWORD, a_person
from webapp.archive.models import Scan
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.intake import quarantine
from webapp.intake.actions import finish_batch
from webapp.intake.models import Batch
from webapp.intake.stow import FAILED, OTHER_FAILURES, REFERENCED
from webapp.masks.imports import name_data_set
from webapp.masks.models import DataSet

pytestmark = pytest.mark.django_db
STUDIES = "/dicomweb/covid/studies"
BOUNDARY = "gg-boundary"
RELATED = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


@pytest.fixture
def clara(campaign):
    return a_person("clara", campaign, "coordinator")


@pytest.fixture
def client(clara) -> Client:
    client = Client()
    client.force_login(clara)
    return client


def body(*parts: bytes, kind: str = "application/dicom", end: bool = True) -> bytes:
    message = b"".join(f"\r\n--{BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n".encode() + part for part in parts)
    return message + (f"\r\n--{BOUNDARY}--".encode() if end else b"")


def store(client: Client, content: bytes, url: str = STUDIES, **options):
    return client.post(url, content, content_type=options.pop("content_type", RELATED), **options)


def contents(paths) -> list[bytes]:
    return [path.read_bytes() for path in paths]


def uids(answer, sequence: str) -> list[str]:
    return [item["00081155"]["Value"][0] for item in answer.json().get(sequence, {}).get("Value", [])]


def reasons(answer) -> list[int]:
    found = []
    for sequence in (FAILED, OTHER_FAILURES):
        found += [item["00081197"]["Value"][0] for item in answer.json().get(sequence, {}).get("Value", [])]
    return found


def staged() -> list:
    folder = quarantine.root() / "incoming"
    return list(folder.iterdir()) if folder.is_dir() else []


def test_images_are_stored_answered_for_and_filed_when_their_series_is_whole(client, clara, series, run_jobs):
    paths = series()
    answer = store(client, body(*contents(paths)))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/dicom+json")
    assert uids(answer, REFERENCED) == [str(pydicom.dcmread(path).SOPInstanceUID) for path in paths]
    assert (
        pydicom.Dataset.from_json(answer.json()).ReferencedSOPSequence[0].ReferencedSOPClassUID
        == "1.2.840.10008.5.1.4.1.1.2"
    )
    batch = Batch.objects.get()
    assert (batch.source, batch.by, batch.file_count, batch.sent_whole) == ("stow", clara, 8, True)
    finish_batch(batch=batch, by=clara)
    run_jobs()
    assert Scan.objects.count() == 1


def test_each_image_has_its_own_answer(client, series):
    first, second, third, *_ = series()
    capture = pydicom.dcmread(second)
    capture.SOPClassUID = capture.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    buffer = io.BytesIO()
    capture.save_as(buffer)
    nameless = pydicom.dcmread(third)
    del nameless.SeriesInstanceUID
    other = io.BytesIO()
    nameless.save_as(other)
    answer = store(client, body(first.read_bytes(), buffer.getvalue(), b"not an image", other.getvalue()))
    assert answer.status_code == 202
    assert len(uids(answer, REFERENCED)) == 1
    assert uids(answer, FAILED) == [str(capture.SOPInstanceUID), str(nameless.SOPInstanceUID)]
    assert reasons(answer) == [0x0122, 0xC000, 0xC000]
    assert Batch.objects.get().file_count == 1
    assert staged() == []


def test_images_of_another_study_than_the_address_are_refused(client, series):
    paths = series()
    study = str(pydicom.dcmread(paths[0]).StudyInstanceUID)
    assert store(client, body(*contents(paths[:2])), f"{STUDIES}/{study}").status_code == 200
    answer = store(client, body(*contents(paths[2:4])), f"{STUDIES}/1.2.3")
    assert (answer.status_code, reasons(answer)) == (409, [0xA900, 0xA900])
    assert Batch.objects.get().file_count == 2


def test_request_that_breaks_off_keeps_whole_images_and_does_not_make_their_series_whole(client, series):
    paths = series()
    answer = store(client, body(*contents(paths[:3]), end=False))
    assert answer.status_code == 400
    assert "2 images that came before are kept" in answer.json()["sentence"]
    batch = Batch.objects.get()
    assert (batch.file_count, batch.sent_whole) == (2, False)
    assert staged() == []
    assert store(client, body(*contents(paths))).status_code == 200
    batch.refresh_from_db()
    assert (Batch.objects.count(), batch.file_count, batch.sent_whole) == (1, 8, True)


@pytest.mark.parametrize(
    ("content_type", "accept", "status"),
    [
        ("application/dicom", "*/*", 415),
        ("multipart/form-data; boundary=x", "*/*", 415),
        ('multipart/related; type="application/dicom"', "*/*", 415),
        ('multipart/related; type="application/dicom+json"; boundary=x', "*/*", 415),
        (RELATED, "application/dicom+xml", 406),
        (RELATED, "application/dicom+json;q=0.9, */*;q=0.1", 200),
    ],
)
def test_media_types_are_negotiated(client, series, content_type, accept, status):
    content = body(series()[0].read_bytes())
    answer = store(client, content, content_type=content_type, headers={"accept": accept})
    assert answer.status_code == status
    assert Batch.objects.count() == (status == 200)


def test_parts_of_other_types_are_not_kept(client, series):
    assert store(client, body(b"{}", kind="application/dicom+json")).status_code == 415
    mixed = body(series()[0].read_bytes(), end=False) + body(b"{}", kind="application/json")
    answer = store(client, mixed)
    assert (answer.status_code, len(uids(answer, REFERENCED))) == (202, 1)
    assert Batch.objects.get().file_count == 1


@pytest.mark.parametrize(
    "content", [b"nothing", b"--gg-boundary\r\n", b"\r\n--other\r\n\r\nx\r\n--other--", bytes(2000)]
)
def test_what_is_no_multipart_message_is_said_to_be_none(client, content):
    answer = store(client, content)
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


def test_empty_message_stores_nothing(client):
    assert store(client, f"--{BOUNDARY}--".encode()).status_code in (400, 409)


def test_full_disk_is_answered_and_what_was_there_before_stays(client, series, monkeypatch):
    paths = series()
    store(client, body(paths[0].read_bytes()))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("webapp.intake.sealing.os.fsync", full)
        answer = store(client, body(*contents(paths[1:3])))
    assert (answer.status_code, reasons(answer)) == (503, [0xA700, 0xA700])
    batch = Batch.objects.get()
    assert batch.file_count == 1
    assert staged() == []


def test_password_in_http_basic_is_enough_and_a_wrong_one_is_counted(clara, series):
    def basic(password: str) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(f"clara:{password}".encode()).decode()}

    content = body(series()[0].read_bytes())
    assert store(Client(), content, headers=basic(PASSWORD)).status_code == 200
    refused = store(Client(), content, headers=basic("wrong"))
    assert (refused.status_code, refused["WWW-Authenticate"].split()[0]) == (401, "Basic")
    assert (
        Event.objects.filter(name="person.sign_in_refused").count() == 1
        or Event.objects.filter(name__contains="refused").exists()
    )
    assert store(Client(), content, headers={"authorization": "Basic !"}).status_code == 401
    assert store(Client(), content).status_code == 401


def test_session_needs_its_csrf_token(clara, series):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(clara)
    content = body(series()[0].read_bytes())
    assert store(strict, content).json()["error"] == "csrf"
    strict.get("/")
    token = strict.cookies["csrftoken"].value
    assert store(strict, content, headers={"x-csrftoken": token}).status_code == 200


def test_only_coordinators_store(campaign, series):
    content = body(series()[0].read_bytes())
    for role, status in (("radiologist", 403), ("auditor", 403), (None, 404)):
        client = Client()
        client.force_login(a_person(role or "outsider", campaign, *([role] if role else [])))
        assert store(client, content).status_code == status
    assert Batch.objects.count() == 0


SAID = {"site": "Kliniik Põhi", "data-set": "Chest set", "licence": "CC BY 4.0", "citation": "Doe 2026"}


@pytest.mark.parametrize("by_header", [False, True], ids=["address", "header"])
def test_request_names_the_site_and_the_data_set(client, series, run_jobs, by_header):
    content = body(*contents(series()))
    if by_header:
        answer = store(client, content, headers={f"groundglass-{word}": quote(text) for word, text in SAID.items()})
    else:
        answer = store(client, content, f"{STUDIES}?{urlencode(SAID)}")
    assert answer.status_code == 200
    batch = Batch.objects.get()
    assert (batch.site, batch.data_set.name) == ("Kliniik Põhi", "Chest set")
    assert (batch.data_set.licence, batch.data_set.citation) == ("CC BY 4.0", "Doe 2026")
    finish_batch(batch=batch, by=batch.by)
    run_jobs()
    assert Scan.objects.get().site == "Kliniik Põhi"


def test_request_that_says_nothing_leaves_the_campaigns_site(client, campaign, series, run_jobs):
    campaign.default_site = "Clinic South"
    campaign.save()
    assert store(client, body(*contents(series()))).status_code == 200
    batch = Batch.objects.get()
    assert (batch.site, batch.data_set) == ("", None)
    finish_batch(batch=batch, by=batch.by)
    run_jobs()
    assert Scan.objects.get().site == "Clinic South"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"data-set": "Chest set", "licence": "proprietary"}, 409, "data_set_differs"),
        ({"licence": "CC BY 4.0"}, 400, "no_data_set"),
    ],
)
def test_what_cannot_be_said_of_a_data_set_stores_nothing(client, series, query, status, code):
    name_data_set(name="Chest set", licence="CC BY 4.0", by=SYSTEM)
    answer = store(client, body(*contents(series())), f"{STUDIES}?{urlencode(query)}")
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert Batch.objects.count() == 0
    assert staged() == []


def test_who_may_not_store_names_no_data_set(campaign, series):
    client = Client()
    client.force_login(a_person("reader", campaign, "radiologist"))
    assert store(client, body(*contents(series())), f"{STUDIES}?data-set=Mine").status_code == 403
    assert DataSet.objects.count() == 0


def test_answer_is_json_that_names_no_patient(client, series):
    paths = series(patient_name="Featherstonehaugh^F", patient_id="MRN-77")
    answer = store(client, body(*contents(paths)))
    text = json.dumps(answer.json())
    assert "Featherstonehaugh" not in text
    assert "MRN" not in text


def test_uids_in_addresses_are_not_logged(client, series, caplog):
    study = str(pydicom.dcmread(series()[0]).StudyInstanceUID)
    assert store(client, b"nothing", f"{STUDIES}/{study}").status_code == 400
    assert Client().post(f"/dicomweb/elsewhere/studies/{study}/series/{study}").status_code == 401
    assert "/dicomweb/" in caplog.text
    assert study not in caplog.text
