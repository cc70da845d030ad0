"""The listener: who is let in, what is answered, and when a series counts as whole."""

import io
import ssl
import subprocess
import threading
from datetime import timedelta
from pathlib import Path

import pydicom
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from pynetdicom import AE
from pynetdicom.dsutils import encode
from pynetdicom.sop_class import CTImageStorage, SecondaryCaptureImageStorage, Verification

from tests.dcmtk import dcmtk
from tests.factories.sites import a_campaign
from webapp.archive.models import Scan
from webapp.intake import dimse, quarantine
from webapp.intake.dimse import Listener, tls_context
from webapp.intake.models import Batch
from webapp.intake.tasks import close_quiet_batches, process_batch

pytestmark = pytest.mark.django_db(transaction=True)
NATIVE = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]


@pytest.fixture
def campaign(transactional_db):
    return a_campaign("covid")


class Ear:
    """A listener of a test, and what it said."""

    def __init__(self, campaigns=None, callers=(), tls=None) -> None:
        self.said: list[str] = []
        self.ended = threading.Semaphore(0)
        self.listener = Listener(campaigns or {"GROUNDGLASS": "covid"}, callers, say=self._hear)
        self.port = self.listener.start("127.0.0.1", 0, tls)

    def _hear(self, line: str) -> None:
        self.said.append(line)
        self.ended.release()

    def wait(self) -> str:
        """The next line it says."""
        assert self.ended.acquire(timeout=60)
        return self.said[-1]


@pytest.fixture
def listen(campaign):
    ears = []

    def start(**options) -> Ear:
        ears.append(Ear(**options))
        return ears[-1]

    yield start
    for ear in ears:
        ear.listener.stop()


def associate(ear: Ear, called: str = "GROUNDGLASS", calling: str = "CT01", tls=None, classes=(CTImageStorage,)):
    scu = AE(ae_title=calling)
    scu.add_requested_context(Verification)
    for uid in classes:
        scu.add_requested_context(uid, NATIVE)
    return scu.associate("127.0.0.1", ear.port, ae_title=called, tls_args=(tls, None) if tls else None)


def send(association, paths) -> list[int]:
    return [association.send_c_store(pydicom.dcmread(path)).Status for path in paths]


def test_series_is_stored_image_by_image_and_filed_when_it_is_whole(listen, series, settings):
    ear = listen()
    association = associate(ear)
    assert association.send_c_echo().Status == 0x0000
    assert send(association, series()) == [0x0000] * 8
    batch = Batch.objects.get()
    assert (batch.source, batch.sender, batch.file_count, batch.sent_whole) == ("dimse", "CT01", 8, False)
    association.release()
    assert ear.wait() == "CT01 (127.0.0.1): ended; 8 stored, 0 refused."
    batch.refresh_from_db()
    assert batch.sent_whole
    Batch.objects.update(last_arrival_at=timezone.now() - timedelta(seconds=settings.INTAKE_QUIET_S))
    close_quiet_batches()
    process_batch(batch_id=str(batch.pk))
    batch.refresh_from_db()
    assert (batch.state, Scan.objects.count()) == ("done", 1)
    assert [sent.name for sent in quarantine.waiting(batch)] == ["image.dcm"] * 8


def test_sender_that_breaks_off_leaves_what_was_answered_and_nothing_half(listen, series):
    ear = listen()
    association = associate(ear)
    assert send(association, series()[:3]) == [0x0000] * 3
    association.abort()
    assert "broke off; 3 stored" in ear.wait()
    batch = Batch.objects.get()
    assert (batch.file_count, batch.sent_whole, batch.state) == (3, False, "receiving")
    assert len(list(quarantine.waiting(batch))) == 3
    again = associate(ear)
    assert send(again, series()) == [0x0000] * 8
    again.release()
    ear.wait()
    batch.refresh_from_db()
    assert (Batch.objects.count(), batch.file_count, batch.sent_whole) == (1, 8, True)


def test_called_title_chooses_the_campaign_and_others_are_turned_away(listen, series):
    a_campaign("trial")
    ear = listen(campaigns={"GROUNDGLASS": "covid", "TRIAL": "trial"})
    association = associate(ear, called="TRIAL")
    assert send(association, series()[:1]) == [0x0000]
    association.release()
    assert Batch.objects.get().campaign.slug == "trial"
    stranger = associate(ear, called="ELSEWHERE")
    assert stranger.is_rejected
    assert stranger.acceptor.primitive.result_source == 0x01
    assert stranger.acceptor.primitive.diagnostic == 0x07


def test_only_known_callers_are_let_in(listen):
    ear = listen(callers=["CT01"])
    known = associate(ear)
    assert known.is_established
    known.release()
    stranger = associate(ear, calling="SOMEONE")
    assert stranger.is_rejected
    assert stranger.acceptor.primitive.diagnostic == 0x03


def test_other_classes_are_not_negotiated_and_false_ones_refused(listen, series):
    ear = listen()
    association = associate(ear, classes=[CTImageStorage, SecondaryCaptureImageStorage])
    assert [cx.abstract_syntax for cx in association.rejected_contexts] == [SecondaryCaptureImageStorage]
    association.release()
    ear.wait()


def test_image_that_is_not_the_announced_one_is_refused(listen, series, monkeypatch):
    ear = listen()
    association = associate(ear)
    other = pydicom.dcmread(series()[1])

    def encode_another(dataset, *encoding):
        return encode(other, *encoding)

    with monkeypatch.context() as patch:
        patch.setattr("pynetdicom.association.encode", encode_another)
        assert send(association, series()[:1]) == [0xA900]
    association.release()
    assert "0 stored, 1 refused" in ear.wait()
    assert Batch.objects.count() == 0
    assert not list((quarantine.root() / "incoming").glob("*"))


def test_full_disk_is_answered_as_such_and_the_series_is_not_whole(listen, series, monkeypatch):
    ear = listen()
    association = associate(ear)
    paths = series()
    assert send(association, paths[:2]) == [0x0000] * 2

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("webapp.intake.sealing.os.fsync", full)
        assert send(association, paths[2:3]) == [0xA700]
    association.release()
    assert ear.wait().endswith("ended; 2 stored, 1 refused.")
    batch = Batch.objects.get()
    assert (batch.file_count, batch.sent_whole) == (2, False)
    assert not list((quarantine.root() / "incoming").glob("*"))


def test_lost_database_is_a_failure_that_the_sender_may_repeat(listen, series, monkeypatch):
    ear = listen()
    association = associate(ear)
    with monkeypatch.context() as patch:
        patch.setattr("webapp.intake.instances.receive_instance", lambda **_: (_ for _ in ()).throw(OperationalError()))
        assert send(association, series()[:1]) == [0x0110]
    assert send(association, series()[:1]) == [0x0000]
    association.release()
    ear.wait()


def test_sender_of_a_message_without_end_is_broken_off_before_it_fills_the_memory(listen, series, monkeypatch):
    monkeypatch.setattr(dimse, "LARGEST_FILE_BYTES", 64 * 1024)
    monkeypatch.setattr(dimse, "ROOM_FOR_COMMANDS", 1024)
    ear = listen()
    image = pydicom.dcmread(series()[0])
    small = associate(ear)
    # Many images of the size that one may have are no message without end.
    assert [small.send_c_store(image).Status for _ in range(40)] == [0] * 40
    small.release()
    assert "40 stored, 0 refused" in ear.wait()
    image.Rows, image.Columns, image.PixelData = 1000, 1000, bytes(2_000_000)
    large = associate(ear)
    answer = large.send_c_store(image)
    assert "Status" not in answer
    ear.wait()
    assert "0 stored" in ear.wait()
    assert "CT01: more than 0 MB in one message." in ear.said
    assert Batch.objects.get().file_count == 1


def test_broken_image_is_answered_and_the_next_is_taken(listen, series):
    ear = listen()
    association = associate(ear)
    paths = series()
    dataset = pydicom.dcmread(paths[0])
    del dataset.SeriesInstanceUID
    assert association.send_c_store(dataset).Status == 0xC000
    assert send(association, paths[1:3]) == [0x0000] * 2
    association.release()
    assert "2 stored, 1 refused" in ear.wait()


def test_several_senders_at_once_keep_their_series_apart(listen, series):
    ear = listen()
    sent = [series(f"s{n}", uid_seed=f"s{n}") for n in range(3)]
    results: list[list[int]] = []

    def one(paths, title):
        association = associate(ear, calling=title)
        results.append(send(association, paths))
        association.release()

    threads = [threading.Thread(target=one, args=(paths, f"CT{n}")) for n, paths in enumerate(sent)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in threads:
        ear.wait()
    assert results == [[0x0000] * 8] * 3
    assert sorted(Batch.objects.values_list("sender", "file_count")) == [("CT0", 8), ("CT1", 8), ("CT2", 8)]


# TLS


def certificate(folder: Path, name: str, signer=None):
    """A key and its certificate, by itself or by a signer (certificate, key); as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = timezone.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[0].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .sign(signer[1] if signer else key, hashes.SHA256())
    )
    (folder / f"{name}.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / f"{name}.key").write_bytes(pem)
    return made, key


def test_tls_lets_in_whom_the_ca_signed_and_no_one_else(listen, series, tmp_path):
    authority = certificate(tmp_path, "ca")
    certificate(tmp_path, "server", authority)
    certificate(tmp_path, "scanner", authority)
    certificate(tmp_path, "stranger")
    ear = listen(tls=tls_context(tmp_path / "server.crt", tmp_path / "server.key", tmp_path / "ca.crt"))

    def context(name: str | None) -> ssl.SSLContext:
        client = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
        client.check_hostname = False
        if name:
            client.load_cert_chain(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        return client

    association = associate(ear, tls=context("scanner"))
    assert send(association, series()[:2]) == [0x0000] * 2
    association.release()
    assert "2 stored" in ear.wait()
    for wrong in (context(None), context("stranger"), None):
        assert not associate(ear, tls=wrong).is_established
    assert Batch.objects.get().file_count == 2


@pytest.mark.parametrize("name", ["scanner", "stranger"])
def test_dcmtk_stores_over_tls_with_a_certificate_that_the_ca_signed(listen, series, tmp_path, name):
    program = dcmtk("storescu")
    if "OpenSSL" not in subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout:
        pytest.skip("this DCMTK was built without TLS")
    authority = certificate(tmp_path, "ca")
    certificate(tmp_path, "server", authority)
    certificate(tmp_path, "scanner", authority)
    certificate(tmp_path, "stranger")
    ear = listen(tls=tls_context(tmp_path / "server.crt", tmp_path / "server.key", tmp_path / "ca.crt"))
    folder = series()[0].parent
    keys = ["+tls", str(tmp_path / f"{name}.key"), str(tmp_path / f"{name}.crt"), "+cf", str(tmp_path / "ca.crt")]
    command = [program, *keys, "-aec", "GROUNDGLASS", "-aet", "DCMTK", "+sd", "127.0.0.1", str(ear.port), str(folder)]
    sent = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if name == "scanner":
        assert sent.returncode == 0, sent.stderr
        assert "8 stored" in ear.wait()
        assert Batch.objects.get().file_count == 8
    else:
        assert sent.returncode != 0
        assert Batch.objects.count() == 0


# The command


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--campaign", "nowhere"], "There is no campaign called 'nowhere'"),
        (["--campaign", "covid", "--campaign", "covid"], "Each AE title is for one campaign"),
        (["--campaign", "covid", "--aet", "TITLE OF MORE THAN SIXTEEN"], "is no AE title"),
        (["--campaign", "covid", "--calling", "   "], "is no AE title"),
        (["--campaign", "covid", "--tls-key", "x"], "TLS needs both"),
        (["--campaign", "covid", "--tls-key", "x", "--tls-certificate", "y"], "TLS cannot be set up"),
    ],
)
def test_command_says_what_is_wrong_with_its_arguments(campaign, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("dicom_listener", *arguments)


def test_taken_port_is_said(listen):
    ear = listen()
    with pytest.raises(CommandError, match="cannot be had"):
        call_command("dicom_listener", "--campaign", "covid", "--port", str(ear.port), stdout=io.StringIO())
