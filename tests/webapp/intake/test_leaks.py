"""No string of a made-up identity survives, whichever way it came and whether it was accepted or refused.

Looked through: every stored file, every cell of the database, logs, what is printed, audit and push events, answers.
"""

import contextlib
import io
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pydicom
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pydicom.errors import InvalidDicomError
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage, SegmentationStorage

from tests.factories.identities import UID_ROOT, as_json, everything_in, found_in, write_identities
from tests.factories.segmentations import LUNG, a_seg, described
from tests.factories.sites import a_campaign, a_person
from webapp import push
from webapp.archive.models import Scan
from webapp.audit.actor import SYSTEM
from webapp.intake.actions import finish_batch
from webapp.intake.dimse import Listener
from webapp.intake.models import Batch, SeriesLine
from webapp.intake.quarantine import root
from webapp.intake.tasks import process_batch
from webapp.intake.watching import Watch
from webapp.masks.models import ImportedMask

pytestmark = pytest.mark.django_db(transaction=True)
BOUNDARY = "gg"


@pytest.fixture
def campaign(transactional_db):
    return a_campaign("covid")


@pytest.fixture
def client(campaign) -> Client:
    client = Client()
    client.force_login(a_person("clara", campaign, "coordinator"))
    return client


@pytest.fixture
def heard(monkeypatch) -> list[Any]:
    """Every push event."""
    events: list[Any] = []
    real = push.publish

    def publish(topic: str, kind: str, **data: Any) -> None:
        events.append([topic, kind, data])
        real(topic, kind, **data)

    monkeypatch.setattr(push, "publish", publish)
    return events


Way = Callable[[Path, Client], list[bytes]]


def by_upload(folder: Path, client: Client) -> list[bytes]:
    """Two in an archive under the patient's name, the others one by one; the pages looked at afterwards."""
    batch = client.post("/intake/batches/", {"campaign": "covid"}).json()
    paths = sorted(folder.iterdir())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in paths[:2]:
            archive.write(path, f"Cholmondeley {path.parent.name}/{path.name}")
    answers = [as_json(batch)]
    for name, content in [("Marjoribanks.zip", packed.getvalue()), *((p.name, p.read_bytes()) for p in paths[2:])]:
        answer = client.post(
            batch["files_url"],
            content,
            content_type="application/octet-stream",
            headers={"X-File-Name": f"Featherstonehaugh/{name}", "X-File-Size": str(len(content))},
        )
        assert answer.status_code == 201
        answers.append(answer.content)
    answers.append(client.post(batch["finish_url"]).content)
    return answers


def by_command(folder: Path, client: Client) -> list[bytes]:
    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command("ingest", str(folder), campaign="covid", stdout=out, no_color=True)
    return [out.getvalue().encode()]


def by_command_in_place(folder: Path, client: Client) -> list[bytes]:
    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command("ingest", str(folder), campaign="covid", no_hold=True, stdout=out, no_color=True)
    return [out.getvalue().encode()]


def by_stow(folder: Path, client: Client) -> list[bytes]:
    """The answer names images by the UIDs that they came with, as PS3.18 has it: those alone may stand in it."""
    body = b""
    for path in sorted(folder.iterdir()):
        body += f"\r\n--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + path.read_bytes()
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    answer = client.post("/dicomweb/covid/studies", body + f"\r\n--{BOUNDARY}--".encode(), content_type=kind)
    assert answer.status_code in (200, 202)
    finish_all()
    return [answer.content.replace(b"1.3.6.1.4.1.99999.7.5.", b"")]


def by_dicom(folder: Path, client: Client) -> list[bytes]:
    said: list[str] = []
    listener = Listener({"GROUNDGLASS": "covid"}, say=said.append)
    port = listener.start("127.0.0.1", 0)
    sender = AE(ae_title="CT01")
    sender.add_requested_context(CTImageStorage)
    sender.add_requested_context(SegmentationStorage)
    association = sender.associate("127.0.0.1", port, ae_title="GROUNDGLASS")
    for path in sorted(folder.iterdir()):
        with contextlib.suppress(InvalidDicomError):  # what is no DICOM at all cannot be sent so
            assert association.send_c_store(pydicom.dcmread(path)).Status in (0, 0xC000)
    association.release()
    listener.stop()
    finish_all()
    return ["\n".join(said).encode()]


def by_folder(folder: Path, client: Client) -> list[bytes]:
    said: list[str] = []
    watch = Watch(folder.parent, Batch._meta.get_field("campaign").related_model.objects.get(), 1, said.append)
    watch.look(0)
    assert watch.look(2) == 1
    return ["\n".join(said).encode()]


def finish_all() -> None:
    for batch in Batch.objects.filter(state="receiving"):
        finish_batch(batch=batch, by=SYSTEM)


WAYS = [by_upload, by_command, by_command_in_place, by_stow, by_dicom, by_folder]


def spoil_nothing(folder: Path) -> None:
    """A series that is accepted, and a letter beside it."""
    (folder / "Marjoribanks letter.txt").write_text("Dear Mr Featherstonehaugh")


def spoil_gap(folder: Path) -> None:
    """A slice is missing."""
    sorted(folder.iterdir())[3].unlink()


def spoil_kind(folder: Path) -> None:
    """Refused with a sentence that quotes what the hospital wrote."""
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.Modality = "CHOLMONDELEY"
        dataset.save_as(path)


def spoil_numbers(folder: Path) -> None:
    """Words where numbers are wanted."""
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.add_new("PixelSpacing", "LO", ["Featherstonehaugh", "Marjoribanks"])
        dataset.save_as(path)


def spoil_bytes(folder: Path) -> None:
    """Cut in the middle, and no DICOM at all."""
    paths = sorted(folder.iterdir())
    paths[0].write_bytes(paths[0].read_bytes()[:1500])
    paths[1].write_bytes(b"Featherstonehaugh" * 100)
    paths[2].write_bytes(paths[2].read_bytes()[:-100])


def spoil_with_a_mask(folder: Path) -> None:
    """A segmentation beside the series: who drew it, of whom and why stands wherever programs write it."""
    slices = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    slices.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    lung = np.zeros((8, 32, 40, 2), np.uint8)
    lung[:, 8:20, 24:34, 0] = lung[:, 8:20, 6:16, 1] = 1
    labels = [described(1, "left lung", LUNG), described(2, "Cholmondeley MRN-77-04711-XQ")]
    labels[1].SegmentedPropertyTypeCodeSequence[0].CodeValue = "T-99"
    labels[1].SegmentedPropertyTypeCodeSequence[0].CodeMeaning = "Organ of Marjoribanks"
    seg = a_seg(slices, lung, segments=labels, content_creator_name="Beauchamp^A", content_description="Todmorden")
    seg.SeriesDescription, seg.OperatorsName = "Drawn for Featherstonehaugh", "Leveson^G"
    seg.SeriesInstanceUID, seg.SOPInstanceUID = f"{UID_ROOT}.8", f"{UID_ROOT}.5.99"
    seg.file_meta.MediaStorageSOPInstanceUID = seg.SOPInstanceUID
    seg.save_as(folder / "Featherstonehaugh lung.dcm")


@pytest.mark.parametrize("spoil", [spoil_nothing, spoil_gap, spoil_kind, spoil_numbers, spoil_bytes, spoil_with_a_mask])
@pytest.mark.parametrize("way", WAYS)
def test_no_string_of_the_identity_survives(way: Way, spoil, client, series, heard, caplog, capfd):
    folder = write_identities(series("Featherstonehaugh MRN-77-04711-XQ"))
    assert found_in(sorted(folder.iterdir())[0].read_bytes()), "the search itself finds nothing"
    spoil(folder)
    with caplog.at_level(logging.DEBUG):
        answers = way(folder, client)
        while batch := Batch.objects.exclude(state__in=("done", "failed", "discarded")).order_by("opened_at").first():
            process_batch(batch_id=str(batch.pk))
    pages = [client.get(f"/intake/batches/{batch.pk}/").content for batch in Batch.objects.all()]
    pages += [client.get("/intake/").content, client.get("/campaigns/covid/").content]
    assert SeriesLine.objects.exists()
    said = list(SeriesLine.objects.values_list("sentence", flat=True))
    assert Scan.objects.count() == (spoil in (spoil_nothing, spoil_with_a_mask)), said
    if spoil is spoil_with_a_mask:
        assert [mask.words for mask in ImportedMask.objects.all()] == ["lung"], said
    captured = capfd.readouterr()
    places = {
        "an answer": b"\n".join(answers),
        "a page": b"\n".join(pages),
        "a push event": as_json(heard),
        "the log": (caplog.text + captured.out + captured.err).encode(),
        "the archive": b"\n".join(
            path.read_bytes() for path in Path(default_storage.path("")).rglob("*") if path.is_file()
        ),
        "the archive's names": "\n".join(map(str, Path(default_storage.path("")).rglob("*"))).encode(),
        "quarantine": b"\n".join(path.read_bytes() for path in root().rglob("*") if path.is_file()),
        "quarantine's names": "\n".join(str(path.relative_to(root())) for path in root().rglob("*")).encode(),
    }
    parameters = connection.get_connection_params()
    address = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port")}
    with psycopg.connect(**address) as elsewhere:
        places |= {f"the table {table}": content for table, content in everything_in(elsewhere)}
    leaks = {where: found for where, content in places.items() if (found := found_in(content))}
    assert leaks == {}
