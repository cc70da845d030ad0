"""DICOM Segmentations and RT Structure Sets as masks of scans that are here, or that came in the same sending.

They find their scan by the series, or else the frame of reference, that they name, as the archive knows it. Labels of
segments decide where they go and are shown only as far as they are made of known words; who drew them is not kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import pydicom
from django.db.models import QuerySet
from pydicom.dataset import Dataset
from pydicom.uid import UID

from inference.imaging.elements import items, number, text
from inference.imaging.findings import SeriesRefused
from inference.imaging.foreign_masks import ForeignMask
from inference.imaging.foreign_rtstruct import RTSTRUCT, read_rtstruct
from inference.imaging.foreign_seg import SEG_CLASSES, TYPES, read_foreign_seg
from webapp.archive.models import Scan
from webapp.archive.queries import instance_bytes, instances_of
from webapp.campaigns.models import Case
from webapp.intake.identity import new_uid, series_key
from webapp.intake.layers import Claim, Labelling, Target, claims_of_parts
from webapp.intake.lines import Delivery
from webapp.intake.mask_files import Ground, Laid
from webapp.intake.names import shown_words
from webapp.intake.personal import Identifiers, identifiers_in
from webapp.intake.profile import Profile
from webapp.intake.queries import earlier_line
from webapp.intake.reading import read
from webapp.intake.sources import Found

MASK_CLASSES = frozenset({*SEG_CLASSES, RTSTRUCT})
MOST_LISTED = 8
MOST_REFERENCES = 1000

Mapped = Callable[[str], str]


class NoScan(SeriesRefused):
    """The scan of a mask is not here; `series_key` is what the series that it names would be known by."""

    def __init__(self, sentence: str, key: str) -> None:
        super().__init__("mask_without_scan", sentence)
        self.series_key = key


@dataclass(frozen=True)
class Known:
    """A scan of the campaign, and how UIDs of its sender stand in it."""

    ground: Ground
    mapped: Mapped


def laid_object(found: Found, delivery: Delivery) -> Laid:
    """A segmentation or structure set, to be laid over the scan that it refers to. Raises SeriesRefused."""
    header = read(found, pixels=False)
    known = _scan_of(header, delivery)
    return Laid(known.ground, found.label, lambda: _claims(found, known, delivery))


def _claims(found: Found, known: Known, delivery: Delivery) -> list[Claim]:
    dataset = read(found)
    identifiers = identifiers_in([dataset])
    try:
        labels = _without_words(dataset, known.mapped)
        scan = known.ground.scan
        reader = read_rtstruct if text(dataset, "SOPClassUID") == RTSTRUCT else read_foreign_seg
        mask = reader(dataset, known.ground.grid, frame_of_reference_uid=scan.frame_of_reference_uid)
        came_as = "rtstruct" if reader is read_rtstruct else "seg"
        return _claims_of(mask, labels, known.ground, delivery, found.label, came_as, identifiers)
    except SeriesRefused as refusal:
        # A sentence may quote a tag, and somebody's program may have written anything there.
        raise SeriesRefused(refusal.code, identifiers.cleaned(refusal.sentence)) from None


def _claims_of(
    mask: ForeignMask,
    labels: dict[int, str],
    ground: Ground,
    delivery: Delivery,
    title: str,
    came_as: str,
    identifiers: Identifiers,
) -> list[Claim]:
    labelling = Labelling(delivery.campaign.label_set)
    parts, left_out = [], []
    for segment in mask.segments:
        target: Target | None = labelling.of_segment(segment, labels.get(segment.number, ""))
        if target is None:
            left_out.append(f"{segment.number} ({segment.label})")
        else:
            parts.append((target, mask.mask(segment.number)))
    if not parts:
        sentence = "Neither the codes nor the names of its segments are known here"
        raise SeriesRefused("mask_labels", f"{sentence}: {_listed(left_out)}. Nothing is guessed.")
    told = [identifiers.cleaned(finding.sentence) for finding in (*mask.warnings, *mask.notes)]
    if left_out:
        sentence = f"Left out, since neither their code nor their name is known here: segments {_listed(left_out)}."
        told.append(identifiers.cleaned(sentence))
    return claims_of_parts(parts, ground.grid.affine_lps, labelling, title=title, came_as=came_as, notes=told)


def _scan_of(header: Dataset, delivery: Delivery) -> Known:
    """The scan that an object refers to. Raises SeriesRefused."""
    series = _referenced_series(header)
    found = {known.ground.scan.pk: known for uid in series if (known := _by_series(uid, delivery)) is not None}
    if not found and not series:
        frames = _frames_of_reference(header)
        found = {known.ground.scan.pk: known for uid in frames for known in _by_frame_of_reference(uid, delivery)}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        sentence = "It fits several scans of this campaign, and does not say on which it was drawn."
        raise SeriesRefused("mask_without_scan", sentence)
    absent = "The scan that it was drawn on is not in this campaign"
    if not series:
        raise NoScan(f"{absent}: send the scan first, or both together.", "")
    sentence = f"{absent}. When it comes, the mask is laid over it by itself, as long as its original is held."
    raise NoScan(sentence, series_key(series[0]))


def _by_series(uid: str, delivery: Delivery) -> Known | None:
    line = earlier_line(delivery.campaign, series_key(uid))
    if line is not None and line.scan is not None:
        return _known(line.scan, delivery, uid)
    profile = Profile(delivery.campaign.deidentification_options)
    for series_uid in (new_uid(uid, profile.name), uid):
        case = _cases(delivery).filter(scan__series_uid=series_uid).first()
        if case is not None:
            return _known(case.scan, delivery, uid)
    return None


def _by_frame_of_reference(uid: str, delivery: Delivery) -> list[Known]:
    profile = Profile(delivery.campaign.deidentification_options)
    cases = _cases(delivery).filter(scan__frame_of_reference_uid__in=(new_uid(uid, profile.name), uid))
    return [known for case in cases[:2] if (known := _known(case.scan, delivery, uid)) is not None]


def _cases(delivery: Delivery) -> QuerySet[Case]:
    return Case.objects.filter(campaign=delivery.campaign).select_related("scan")


def _known(scan: Scan, delivery: Delivery, uid: str) -> Known | None:
    case = _cases(delivery).filter(scan=scan).first()
    if case is None:
        return None
    ours = uid in (scan.series_uid, scan.frame_of_reference_uid)
    return Known(Ground(scan, case.number), (lambda sent: sent) if ours else _mapped_as(scan))


def _mapped_as(scan: Scan) -> Mapped:
    """How UIDs were mapped when a scan was filed: under the profile that its files name."""
    for instance in instances_of(scan)[:1]:
        content = BytesIO(instance_bytes(instance))
        header = pydicom.dcmread(content, stop_before_pixels=True, specific_tags=["DeidentificationMethod"])
        method = header.get("DeidentificationMethod")
        if method is not None and not isinstance(method, str) and len(method) > 1:
            profile = str(method[1])
            return lambda uid: uid if not uid or UID(uid).type else new_uid(uid, profile)
    return lambda uid: ""  # not known: positions alone are compared, and that is said


def _referenced_series(header: Dataset) -> list[str]:
    """The series that an object names, in the places where segmentations and structure sets name them."""
    found = [text(item, "SeriesInstanceUID") for item in items(header, "ReferencedSeriesSequence")]
    for frame in items(header, "ReferencedFrameOfReferenceSequence"):
        for study in items(frame, "RTReferencedStudySequence"):
            found += [text(item, "SeriesInstanceUID") for item in items(study, "RTReferencedSeriesSequence")]
    return list(dict.fromkeys(uid for uid in found[:MOST_REFERENCES] if uid))


def _frames_of_reference(header: Dataset) -> list[str]:
    found = [text(header, "FrameOfReferenceUID")]
    found += [text(item, "FrameOfReferenceUID") for item in items(header, "ReferencedFrameOfReferenceSequence")]
    found += [text(item, "ReferencedFrameOfReferenceUID") for item in items(header, "StructureSetROISequence")]
    return list(dict.fromkeys(uid for uid in found[:MOST_REFERENCES] if uid))


def _without_words(dataset: Dataset, mapped: Mapped) -> dict[int, str]:
    """Take the sender's own words out of what sentences may quote, map what places it, and return segments' labels."""
    labels = {}
    if text(dataset, "SegmentationType").upper() not in TYPES:
        dataset.SegmentationType = ""
    for sequence, at, label in (
        ("SegmentSequence", "SegmentNumber", "SegmentLabel"),
        ("StructureSetROISequence", "ROINumber", "ROIName"),
    ):
        for item in items(dataset, sequence):
            written, place = text(item, label), number(item, at)
            setattr(item, label, shown_words(written))
            if place is not None:
                labels[int(place)] = written
            frame = text(item, "ReferencedFrameOfReferenceUID")
            if frame:
                item.ReferencedFrameOfReferenceUID = mapped(frame)
    if frame := text(dataset, "FrameOfReferenceUID"):
        dataset.FrameOfReferenceUID = mapped(frame)
    return labels


def _listed(segments: list[str]) -> str:
    return ", ".join(segments[:MOST_LISTED]) + (", ..." if len(segments) > MOST_LISTED else "")
