"""The linkage table: off unless asked for, unreadable for the site, read with its key and only on the record."""

import csv
import io

import pytest
from django.core.management import CommandError, call_command

from webapp.archive import storage
from webapp.archive.models import Patient, Scan
from webapp.audit.models import Event
from webapp.campaigns.models import Case
from webapp.intake import linkage
from webapp.intake.identity import Identity

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(settings, tmp_path):
    """A private key's file; its public half is set."""
    path = tmp_path / "linkage.key"
    settings.LINKAGE_PUBLIC_KEY = call(("make-key", str(path))).strip()
    assert path.stat().st_mode & 0o077 == 0
    return path


def call(arguments) -> str:
    out = io.StringIO()
    call_command("linkage", *arguments, stdout=out)
    return out.getvalue()


def test_nothing_is_kept_unless_a_key_is_set(ingest, series):
    ingest(series()[0].parent)
    assert not linkage.table_path().exists()


def test_patients_are_noted_once_and_read_with_the_key(ingest, series, key):
    paths = series(patient_id="MRN-77")
    ingest(paths[0].parent)
    ingest(paths[0].parent)
    ingest(series("other", uid_seed="b", patient_id="MRN-88")[0].parent)
    sealed = linkage.table_path().read_bytes()
    assert b"MRN" not in sealed
    assert linkage.table_path().stat().st_mode & 0o077 == 0
    rows = list(csv.DictReader(io.StringIO(call(("read", "--key", str(key))))))
    assert {row["patient_id"] for row in rows} == {"MRN-77", "MRN-88"}
    assert {row["pseudonym"] for row in rows} == set(Patient.objects.values_list("pseudonym", flat=True))
    (row,) = csv.DictReader(io.StringIO(call(("read", "--key", str(key), rows[0]["pseudonym"]))))
    assert row == rows[0]
    events = [event.content["details"] for event in Event.objects.filter(name="linkage.read").order_by("id")]
    assert [(event["asked"], event["patients"]) for event in events] == [("all", 2), ([rows[0]["pseudonym"]], 1)]
    assert not any("MRN" in event.body for event in Event.objects.all())


def test_another_key_reads_nothing(ingest, series, key, tmp_path):
    ingest(series()[0].parent)
    other = tmp_path / "other.key"
    call(("make-key", str(other)))
    with pytest.raises(CommandError, match="another key"):
        call(("read", "--key", str(other)))
    (tmp_path / "none").write_text("no key")
    with pytest.raises(CommandError, match="no private key"):
        call(("read", "--key", str(tmp_path / "none")))
    with pytest.raises(CommandError, match="never written over"):
        call(("make-key", str(key)))


def test_key_that_is_none_refuses_series_before_they_are_filed(ingest, series, settings):
    settings.LINKAGE_PUBLIC_KEY = "not a key"
    out, status = ingest(series()[0].parent)
    assert status == 1
    assert "LINKAGE_PUBLIC_KEY is no key" in out
    assert Scan.objects.count() == 0


def test_no_patient_id_is_nobody(key):
    assert linkage.keep(Identity("", "Issuer", "1.2.3")) is False
    assert linkage.keep(Identity("1", "Issuer")) is True
    assert linkage.keep(Identity(" 1 ", "Issuer")) is False
    assert linkage.keep(Identity("1", "Other")) is True


def test_a_table_that_cannot_be_written_takes_the_scan_back(ingest, series, key, settings):
    paths = series(patient_id="MRN-77")
    linkage.table_path().mkdir(parents=True)
    out, status = ingest(paths[0].parent)
    assert status == 1
    assert "could not be stored. Nothing of it was kept" in out
    assert (Scan.objects.count(), Case.objects.count(), Patient.objects.count()) == (0, 0, 0)
    assert storage.stored_scans() == []
    linkage.table_path().rmdir()
    out, status = ingest(paths[0].parent)
    assert status == 0, out
    assert (Scan.objects.count(), Case.objects.count()) == (1, 1)
    assert len(linkage.table_path().read_text().splitlines()) == 1
