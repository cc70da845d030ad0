"""Whatever is done to files, their batch ends, each thing has a sentence without identity, nothing is left behind."""

import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from inference.phantoms import Phantom, make_phantom, write_dicom_series
from inference.phantoms.enhanced import write_enhanced_series
from tests.factories.identities import add_identity, found_in
from tests.factories.mutations import Mutation, mutations
from tests.factories.pairs import write_volumes
from tests.factories.segmentations import LUNG, a_seg, a_structure_set, contours_of, described, refer_to_series, saved
from tests.factories.sites import a_person
from webapp.archive.models import Scan
from webapp.archive.upkeep import files_named_by
from webapp.intake import quarantine
from webapp.intake.actions import finish_batch, open_batch
from webapp.intake.models import Batch, SeriesLine
from webapp.intake.receiving import Incoming, receive_files
from webapp.intake.tasks import process_batch
from webapp.masks.verify import faults

pytestmark = pytest.mark.django_db
Files = dict[str, bytes]
MANNER = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}
KINDS = ["slices", "enhanced", "segmentation", "structure set", "zip", "NIfTI", "NIfTI with masks"]


def in_folder(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def slices_of(phantom: Phantom, folder: Path) -> list[pydicom.Dataset]:
    """The series as a hospital would send it, feet first."""
    datasets = []
    for number, path in enumerate(write_dicom_series(phantom, folder)):
        dataset = pydicom.dcmread(path)
        add_identity(dataset, number)
        dataset.save_as(path)
        datasets.append(dataset)
    return datasets[::-1]


def sendings_of(folder: Path) -> dict[str, Files]:
    """A small good sending of each kind; what is damaged is the first file."""
    phantom = make_phantom(4, shape_zyx=(4, 16, 20), spacing_zyx_mm=(30.0, 18.0, 16.0))
    slices = slices_of(phantom, folder / "slices")
    whole = in_folder(folder / "slices")
    write_enhanced_series(phantom, folder / "enhanced", patient_name="Featherstonehaugh^Marjoribanks")
    seg = a_seg(slices, phantom.anatomy > 0, segments=[described(1, "Lung of Cholmondeley", LUNG)])
    saved(seg, folder / "a mask.dcm")
    regions = {"Lung_L": contours_of(phantom.anatomy == 1, phantom.volume.affine_lps)[:6]}
    structures = a_structure_set(regions, slices[0].FrameOfReferenceUID)
    refer_to_series(structures, slices[0].SeriesInstanceUID, slices[0].FrameOfReferenceUID)
    structures.PatientName = "Featherstonehaugh"
    saved(structures, folder / "regions.dcm")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in whole.items():
            archive.writestr(f"Marjoribanks/{name}", content)
    write_volumes(folder / "masks", phantom, ".nii")
    volumes = in_folder(folder / "masks")
    return {
        "slices": whole,
        "enhanced": in_folder(folder / "enhanced"),
        "segmentation": {"a mask.dcm": (folder / "a mask.dcm").read_bytes(), **whole},
        "structure set": {"regions.dcm": (folder / "regions.dcm").read_bytes(), **whole},
        "zip": {"Featherstonehaugh.zip": packed.getvalue()},
        "NIfTI": {"Featherstonehaugh 1931-03-04.nii": volumes["case01.nii"]},
        "NIfTI with masks": {"case01_lung.nii": volumes["case01_lung.nii"], "case01.nii": volumes["case01.nii"]},
    }


@pytest.fixture(scope="module")
def sendings(tmp_path_factory) -> dict[str, Files]:
    return sendings_of(tmp_path_factory.mktemp("sendings"))


@pytest.fixture
def kept_promises(campaign) -> Callable[[Files], list[SeriesLine]]:
    """Send files, process the batch, look at everything that must hold; and take it all back."""
    clara = a_person("clara", campaign, "coordinator")

    def send(files: Files) -> list[SeriesLine]:
        batch = open_batch(campaign=campaign, by=clara, source="upload")
        sent = [Incoming(f"Featherstonehaugh/{name}", len(content), "", content) for name, content in files.items()]
        receive_files(batch=batch, files=sent, by=clara)
        finish_batch(batch=batch, by=clara)
        process_batch(batch_id=str(batch.pk))
        return lines_of(Batch.objects.get(pk=batch.pk))

    def look(files: Files) -> list[SeriesLine]:
        try:
            with transaction.atomic():
                lines = send(files)
                transaction.set_rollback(True)
            return lines
        finally:
            for folder in (Path(default_storage.path("")), quarantine.root()):
                shutil.rmtree(folder, ignore_errors=True)

    return look


def lines_of(batch: Batch) -> list[SeriesLine]:
    """The lines of a batch that must have ended well, whatever was sent."""
    assert batch.state == "done", batch.sentence
    lines = list(batch.lines.order_by("number"))
    assert lines
    for line in lines:
        told = [line.title, line.sentence, *line.warnings]
        assert line.sentence.endswith("."), line.sentence
        assert line.state in ("accepted", "refused")
        assert (line.state == "accepted") == (line.scan is not None)
        assert not found_in("\n".join(told).encode()), told
        assert not any("Traceback" in words or 'File "' in words for words in told), told
    named = {path for scan in Scan.objects.all() for _, path, _ in files_named_by(scan)}
    stored = {path for path in Path(default_storage.path("")).rglob("*") if path.is_file()}
    assert stored == {Path(default_storage.path(name)) for name in named}
    originals = [path for path in quarantine.root().rglob("*") if path.is_file()]
    assert {path.parent.name for path in originals} == {str(batch.pk)}
    assert list(faults()) == []
    return lines


@pytest.mark.parametrize("kind", KINDS)
def test_good_sendings_are_accepted(sendings, kept_promises, kind):
    """What is mutated below is good in itself: else the mutations would show nothing."""
    lines = kept_promises(sendings[kind])
    assert {line.state for line in lines} == {"accepted"}, [line.sentence for line in lines]
    assert any(line.imported_mask_id for line in lines) == (
        kind in ("segmentation", "structure set", "NIfTI with masks")
    )


def mutated(files: Files, damages: list[Mutation]) -> Files:
    """The sending with its first file damaged."""
    first = next(iter(files))
    content = files[first]
    for damage in damages:
        content = damage.of(content)
    return {**files, first: content}


@settings(max_examples=30, derandomize=True, **MANNER)
@given(kind=st.sampled_from(KINDS), damages=mutations())
def test_damaged_files_end_in_sentences(sendings, kept_promises, kind, damages):
    for line in kept_promises(mutated(sendings[kind], damages)):
        event(f"{line.state} {line.code}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, **MANNER)
@given(damages=mutations())
def test_files_damaged_in_many_ways_end_in_sentences(sendings, kept_promises, kind, damages):
    for line in kept_promises(mutated(sendings[kind], damages)):
        event(f"{line.state} {line.code}")
