"""DICOM Segmentations and RT Structure Sets become masks of the scan that they were drawn on, voxel for voxel."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.sr.coding import Code

from inference.imaging.seg import ANATOMY_SEGMENTS, Author, Segment, write_seg
from inference.phantoms import Phantom, make_phantom, write_dicom_series
from tests.factories.doors import bring
from tests.factories.filed import PRONE, letter_f
from tests.factories.identities import found_in, write_identities
from tests.factories.pairs import lesion_of, the_import
from tests.factories.segmentations import (
    LUNG,
    a_seg,
    a_structure_set,
    contours_of,
    described,
    refer_to_series,
    saved,
)
from tests.factories.sites import a_campaign
from webapp.archive.models import Scan
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.campaigns.actions import set_deidentification
from webapp.campaigns.deidentification import DeidentificationOptions
from webapp.intake.models import SeriesLine
from webapp.masks.actions import create_mask, cut_version
from webapp.masks.models import ImportedMask, LabelSet, Version
from webapp.masks.presets import LABELS
from webapp.releases.objects import objects_of
from webapp.releases.segmentations import findings_segments

pytestmark = pytest.mark.django_db
UPRIGHT = np.array([[6.5, 0, 0, -190], [0, 7, 0, -161], [0, 0, 20, -300], [0, 0, 0, 1]], dtype=np.float64)


def in_z_order(paths: list[Path]) -> list[Any]:
    """The data sets of a series from feet to head."""
    datasets = [pydicom.dcmread(path) for path in paths]
    return sorted(datasets, key=lambda one: float(one.ImagePositionPatient[2]))


def write_layers(folder: Path, paths: list[Path], phantom: Phantom, findings: np.ndarray) -> list[Path]:
    """Segmentations of both layers as Groundglass writes them, over the series as its scanner sent it."""
    folder.mkdir(parents=True, exist_ok=True)
    segments = findings_segments(LabelSet(labels=LABELS))
    for name, mask, described_as in (
        ("one.dcm", phantom.anatomy, ANATOMY_SEGMENTS),
        ("two.dcm", findings, segments),
    ):
        write_seg(
            folder / name,
            mask,
            phantom.volume.affine_lps,
            in_z_order(paths),
            described_as,
            author=Author(person="Featherstonehaugh^A"),
            series_description="Drawn by Featherstonehaugh",
        )
    return sorted(folder.iterdir())


@pytest.mark.parametrize("order", [range(14), range(13, -1, -1)], ids=["feet first", "head first"])
@pytest.mark.parametrize("affine", [UPRIGHT, PRONE], ids=["supine", "prone"])
@pytest.mark.parametrize("together", [True, False], ids=["together", "later"])
def test_segmentations_come_back_voxel_for_voxel(campaign, tmp_path, order, affine, together):
    """An F of three labels in one layer, both lungs in the other; whichever way the slices were numbered."""
    phantom = make_phantom(3, shape_zyx=(14, 48, 64), spacing_zyx_mm=(20.0, 7.0, 6.5), affine_lps=affine)
    paths = write_dicom_series(phantom, tmp_path / "sent" / "ct", order=order)
    findings = letter_f((14, 48, 64))
    masks = write_layers(tmp_path / ("sent" if together else "later") / "masks", paths, phantom, findings)
    out, status = bring(campaign, tmp_path / "sent", data_set="Own")
    if not together:
        assert ImportedMask.objects.count() == 0
        out, status = bring(campaign, *masks, data_set="Own")
    assert status == 0, out
    imported, layers = the_import()
    assert np.array_equal(layers["findings"], findings)
    assert np.array_equal(layers["anatomy"], phantom.anatomy)
    assert imported.data_set.name == "Own"
    assert "Featherstonehaugh" not in out
    again, _ = bring(campaign, *masks, data_set="Own")
    assert "recognised and not doubled" in again
    assert ImportedMask.objects.count() == 1


def test_our_own_export_comes_back(campaign, tmp_path, chest):
    """What the archive made of a version, over its de-identified images, sent to the same campaign."""
    paths = write_dicom_series(chest, tmp_path / "ct")
    bring(campaign, *paths)
    scan = Scan.objects.get()
    layers = {"anatomy": chest.anatomy, "findings": letter_f((14, 48, 64))}
    mask = create_mask(scan=scan, label_set=campaign.label_set, by=SYSTEM, author_kind="person", layers=layers)
    version = cut_version(mask=mask, reason="sign", by=SYSTEM)
    for made in objects_of(version):
        if made.kind != "report":
            (tmp_path / f"{made.kind}.dcm").write_bytes(made.content)
    out, status = bring(campaign, tmp_path / "findings.dcm", tmp_path / "anatomy.dcm")
    assert status == 0, out
    _, imported = the_import()
    assert np.array_equal(imported["anatomy"], layers["anatomy"])
    assert np.array_equal(imported["findings"], layers["findings"])


@pytest.mark.parametrize("affine", [UPRIGHT, PRONE], ids=["supine", "prone"])
def test_structure_set_comes_back_voxel_for_voxel(campaign, tmp_path, affine):
    """Regions by their names: both lungs, and lesion in words of the table."""
    phantom = make_phantom(3, shape_zyx=(14, 48, 64), spacing_zyx_mm=(20.0, 7.0, 6.5), affine_lps=affine)
    paths = write_dicom_series(phantom, tmp_path / "sent" / "ct")
    regions = {
        "Lung_L": contours_of(phantom.anatomy == 1, affine),
        "Lung_R": contours_of(phantom.anatomy == 2, affine),
        "GGO and consolidation": contours_of(lesion_of(phantom), affine),
        "Heart of Featherstonehaugh": contours_of(phantom.anatomy == 1, affine)[:3],
    }
    first = pydicom.dcmread(paths[0])
    structures = a_structure_set(regions, first.FrameOfReferenceUID)
    refer_to_series(structures, first.SeriesInstanceUID, first.FrameOfReferenceUID)
    saved(structures, tmp_path / "sent" / "regions.dcm")
    out, status = bring(campaign, tmp_path / "sent")
    assert status == 0, out
    _, layers = the_import()
    assert np.array_equal(layers["anatomy"], phantom.anatomy)
    assert np.array_equal(layers["findings"], lesion_of(phantom))
    assert "Left out, since neither their code nor their name is known here: segments 4 (Heart of …)." in out


def test_codes_come_before_names(campaign, series, phantom):
    """A segment coded as lung is lung whatever it is called; a name alone decides where the code is not known."""
    paths = series()
    sources = in_z_order(paths)
    layers = np.stack([phantom.anatomy == 1, phantom.anatomy == 2, lesion_of(phantom) != 0], axis=-1)
    seg = a_seg(
        sources,
        layers.astype(np.uint8),
        segments=[
            described(1, "nodule", Code("44029006", "SCT", "Left lung")),
            described(2, "right lung", Code("85756007", "SCT", "Tissue")),
            described(3, "heart"),
        ],
    )
    path = paths[0].parent / "mask.dcm"
    seg.save_as(path)
    out, status = bring(campaign, paths[0].parent)
    assert status == 0, out
    _, imported = the_import()
    assert np.array_equal(imported["anatomy"], phantom.anatomy)
    assert np.array_equal(imported["findings"], lesion_of(phantom))


def test_lung_without_a_side_is_told_apart_by_place(campaign, tmp_path, chest):
    paths = write_dicom_series(chest, tmp_path / "ct")
    seg = a_seg(in_z_order(paths), (chest.anatomy > 0).astype(np.uint8), segments=[described(1, "organ", LUNG)])
    seg.save_as(tmp_path / "ct" / "mask.dcm")
    out, status = bring(campaign, tmp_path / "ct")
    assert status == 0, out
    assert "told apart by where they lie" in out
    assert np.array_equal(the_import()[1]["anatomy"], chest.anatomy)


def refusal_of(campaign, paths, change) -> str:
    """What is said of a lung segmentation after a change of its data set."""
    seg = a_seg(in_z_order(paths), np.ones((8, 32, 40), np.uint8), segments=[described(1, "lung", LUNG)])
    path = paths[0].parent.parent / "changed.dcm"
    seg.save_as(path)
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    out, status = bring(campaign, path)
    assert status == 1, out
    assert ImportedMask.objects.count() == 0
    return out


def test_what_does_not_fit_is_refused_with_the_reason(campaign, series):
    paths = series()

    def other_series(dataset):
        dataset.ReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3.4"

    assert "is not in this campaign. When it comes" in refusal_of(campaign, paths, lambda dataset: None)
    bring(campaign, *paths)
    assert "is not in this campaign" in refusal_of(campaign, paths, other_series)

    def other_frame(dataset):
        dataset.FrameOfReferenceUID = "1.2.3.4"

    assert "another frame of reference" in refusal_of(campaign, paths, other_frame)

    def one_slice_off(dataset):
        for item in dataset.PerFrameFunctionalGroupsSequence:
            place = item.PlanePositionSequence[0]
            place.ImagePositionPatient = [*place.ImagePositionPatient[:2], float(place.ImagePositionPatient[2]) + 20]

    assert "voxels and the scan" in refusal_of(campaign, paths, one_slice_off)

    def half_a_slice_off(dataset):
        for item in dataset.PerFrameFunctionalGroupsSequence:
            place = item.PlanePositionSequence[0]
            place.ImagePositionPatient = [*place.ImagePositionPatient[:2], float(place.ImagePositionPatient[2]) + 10]

    assert "mm away from the scan's voxels" in refusal_of(campaign, paths, half_a_slice_off)

    def unknown(dataset):
        dataset.SegmentSequence[0].SegmentLabel = "Godmanchester gland"
        dataset.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeValue = "T-99"

    said = refusal_of(campaign, paths, unknown)
    assert "Neither the codes nor the names of its segments are known here: 1 (…)" in said
    assert Scan.objects.count() == 1


def test_scan_of_another_campaign_is_not_found(campaign, series):
    """Whoever sends a mask learns nothing of other campaigns' scans."""
    paths = series()
    bring(campaign, *paths)
    other = a_campaign("other")
    assert "is not in this campaign" in refusal_of(other, paths, lambda dataset: None)


def test_scan_filed_under_other_options_is_found(campaign, series, phantom):
    """UIDs are mapped as they were when the scan was filed."""
    paths = series()
    bring(campaign, *paths)
    options = DeidentificationOptions("remove", False, True, "remove")
    set_deidentification(campaign=campaign, options=options, by=SYSTEM)
    seg = a_seg(in_z_order(paths), (phantom.anatomy == 1).astype(np.uint8), segments=[described(1, "left lung", LUNG)])
    path = paths[0].parent.parent / "mask.dcm"
    seg.save_as(path)
    out, status = bring(campaign, path)
    assert status == 0, out
    assert "frame of reference" not in out
    assert np.array_equal(the_import()[1]["anatomy"], (phantom.anatomy == 1).astype(np.uint8))


def test_mask_without_references_finds_its_scan_by_the_frame_of_reference(campaign, series, phantom):
    paths = series()
    bring(campaign, *paths)
    frame = pydicom.dcmread(paths[0]).FrameOfReferenceUID
    lung = contours_of(phantom.anatomy == 1, phantom.volume.affine_lps)
    structures = a_structure_set({"left lung": lung}, frame)
    structures.SeriesInstanceUID = "1.2.3"
    path = saved(structures, paths[0].parent.parent / "regions.dcm")
    out, status = bring(campaign, path)
    assert status == 0, out
    assert np.array_equal(the_import()[1]["anatomy"], (phantom.anatomy == 1).astype(np.uint8))


def test_two_findings_in_one_voxel_are_refused(campaign, series, phantom):
    paths = series()
    both = np.stack([phantom.anatomy == 1, phantom.anatomy == 1], axis=-1).astype(np.uint8)
    effusion = Code("60046008", "SCT", "Pleural effusion")
    seg = a_seg(in_z_order(paths), both, segments=[described(1, "a"), described(2, "b", effusion)])
    seg.save_as(paths[0].parent / "mask.dcm")
    out, status = bring(campaign, paths[0].parent)
    assert status == 1
    assert "voxels belong to two findings, COVID-19 and Pleural effusion" in out
    assert Scan.objects.count() == 1


def test_damaged_segmentations_get_their_line(campaign, series, phantom):
    paths = series()
    seg = a_seg(in_z_order(paths), phantom.anatomy.clip(0, 1), segments=[described(1, "lung", LUNG)])
    path = paths[0].parent / "mask.dcm"
    seg.save_as(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.9)])
    out, status = bring(campaign, paths[0].parent)
    assert status == 1
    assert "unforeseen" not in out
    assert "1 accepted, 1 refused." in out


HOSTILE = "<script>alert(1)</script> {regions} %s {0.__class__}"


@pytest.mark.parametrize("kind", ["seg", "rtstruct"])
def test_identity_and_hostile_text_in_masks_do_not_survive(campaign, series, phantom, kind, caplog):
    """Segment labels, region names, creators, algorithms, descriptions: accepted, left out and refused."""
    folder = write_identities(series("Featherstonehaugh"))
    paths = sorted(folder.iterdir())
    sources = in_z_order(paths)
    labels = ["Featherstonehaugh left lung", "MRN-77-04711-XQ", HOSTILE, "left lung"]
    if kind == "seg":
        layers = np.stack([phantom.anatomy == 1] * 4, axis=-1).astype(np.uint8)
        other = Code("T-99", "SRT", "Organ of Marjoribanks")
        seg = a_seg(
            sources,
            layers,
            segments=[described(n + 1, label, other) for n, label in enumerate(labels)],
            content_creator_name="Beauchamp^A",
            content_description="Cholmondeley",
        )
        for segment in seg.SegmentSequence:
            segment.SegmentAlgorithmName = "Pontefract"
            segment.SegmentDescription = segment.TrackingID = "Todmorden"
            segment.TrackingUID = "1.3.6.1.4.1.99999.7.9"
        seg.SeriesDescription = "Drawn for Featherstonehaugh"
        seg.save_as(folder / "Marjoribanks.dcm")
    else:
        contours = contours_of(phantom.anatomy == 1, phantom.volume.affine_lps)
        first = sources[0]
        structures = a_structure_set({label: contours for label in labels}, first.FrameOfReferenceUID)
        refer_to_series(structures, first.SeriesInstanceUID, first.FrameOfReferenceUID)
        structures.PatientName, structures.PatientID = first.PatientName, first.PatientID
        structures.StructureSetLabel = structures.StructureSetName = "Featherstonehaugh"
        for item in structures.StructureSetROISequence:
            item.ROIDescription, item.ROIGenerationAlgorithm = "Todmorden", "Pontefract"
        structures.SpecificCharacterSet = "ISO_IR 192"
        saved(structures, folder / "Marjoribanks.dcm")
    out, status = bring(campaign, folder)
    assert status == 0, out
    assert set(the_import()[0].layers) == {"anatomy"}
    assert "segments 1 (… left lung), 2 (…" in out
    rows = [str(row) for model in (SeriesLine, ImportedMask, Version) for row in model.objects.values()]
    events = [event.body for event in Event.objects.all()]
    everything = "\n".join((out, caplog.text, *rows, *events)).encode()
    assert found_in(everything) == []
    assert b"script" not in everything


def test_labelled_segment_set_of_ours_keeps_every_label(campaign, series, phantom):
    """Each label of the label set by its code, exclusions too."""
    paths = series()
    findings = np.zeros((8, 32, 40), np.uint8)
    for label in LABELS:
        findings[label["value"] - 1, 4:9, 4:9] = label["value"]
    segments = [
        Segment(x["value"], "a name of its own", (x["code"]["scheme"], x["code"]["value"], x["code"]["meaning"]))
        for x in LABELS
    ]
    write_seg(
        paths[0].parent / "mask.dcm",
        findings,
        phantom.volume.affine_lps,
        in_z_order(paths),
        segments,
        author=Author(algorithm="Net", algorithm_version="1"),
        series_description="x",
    )
    out, status = bring(campaign, paths[0].parent)
    assert status == 0, out
    assert np.array_equal(the_import()[1]["findings"], findings)


def test_mask_that_came_before_its_scan_finds_it(campaign, series, phantom, run_jobs):
    """By itself, when the scan comes; the batch of the mask is told so in the trail."""
    paths = series()
    seg = a_seg(in_z_order(paths), phantom.anatomy.clip(0, 1), segments=[described(1, "lung", LUNG)])
    path = paths[0].parent.parent / "mask.dcm"
    seg.save_as(path)
    out, status = bring(campaign, path)
    assert status == 1
    assert "When it comes" in out
    line = SeriesLine.objects.get()
    assert line.series_key
    bring(campaign, *paths)
    run_jobs()
    assert the_import()[0].words == "lung"
    line = line.batch.lines.get()
    assert line.state == "accepted"
    assert Event.objects.filter(name="batch.tried_again").count() == 1
    bring(campaign, *paths)
    run_jobs()
    assert Event.objects.filter(name="batch.tried_again").count() == 1
