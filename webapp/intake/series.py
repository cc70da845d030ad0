"""One DICOM series, from its files to a scan in the archive and a case of the campaign."""

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pydicom.dataset import Dataset, FileDataset

from inference.imaging.dicom import (
    CheckedSeries,
    SeriesVolume,
    assemble_volume,
    check_series,
    image_sha256,
    same_by_pixels,
)
from inference.imaging.elements import file_name, numbers, text
from inference.imaging.findings import Finding, SeriesRefused
from inference.imaging.frames import Image, image_of
from webapp.archive.actions import file_scan
from webapp.archive.filing import NewInstance, NewScan, clean_site
from webapp.archive.models import Scan
from webapp.archive.queries import filed_scan, has_spacing
from webapp.archive.writing import Begun, begun
from webapp.campaigns.actions import add_case, name_site
from webapp.campaigns.models import Case
from webapp.intake import linkage, rules
from webapp.intake.deidentification import Deidentifier
from webapp.intake.identity import Identity, series_key
from webapp.intake.lines import Delivery, Filed
from webapp.intake.personal import Identifiers, identifiers_in
from webapp.intake.profile import DEVICE, Profile
from webapp.intake.queries import earlier_line
from webapp.intake.reading import Slices
from webapp.intake.shifting import age_years, parsed_day
from webapp.intake.sources import Found

# Only whoever sent it knows whether the first or the last slices are missing.
BROKE_OFF = {
    "code": "broke_off",
    "sentence": (
        "Its sender broke off: slices may be missing at its ends. Compare the number of slices with the sender's."
    ),
}
OTHER_OPTIONS = "It came in before under other options of de-identification, and stays as it was filed then."
OTHER_IMAGES = "A series with the same UID but other images is a case of this campaign already; nothing was replaced."


def file_dicom_series(files: list[Found], delivery: Delivery, advance: Callable[[float], None]) -> Filed:
    """Check, de-identify and file one series. Raises SeriesRefused, ActionRefused, IdentityFound, OSError.

    Memory holds the volume and one file: each file is read for its header, for its voxels, and to be filed.
    """
    slices = Slices(files)
    profile = Profile(delivery.campaign.deidentification_options)
    kept = DEVICE if profile.options.device else frozenset()
    identifiers = identifiers_in(slices.headers, kept)
    try:
        return _file(slices, identifiers, profile, delivery, advance)
    except SeriesRefused as refusal:
        # A sentence may quote a tag (a modality, say), and a hospital may have written anything there.
        raise SeriesRefused(
            refusal.code,
            identifiers.cleaned(refusal.sentence),
            [Finding(d.code, identifiers.cleaned(d.sentence)) for d in refusal.details],
        ) from None


def _file(
    slices: Slices,
    identifiers: Identifiers,
    profile: Profile,
    delivery: Delivery,
    advance: Callable[[float], None],
) -> Filed:
    rules.require_takeable(slices.headers)
    repeated = _drop_repeats(slices)
    checked = check_series(slices.headers, same_image=same_by_pixels(slices.whole))
    first = slices.headers[checked.places[0].file]
    deidentifier = Deidentifier(_identity_of(first), identifiers, profile)
    linkage.is_on()  # a key that is none refuses the series before anything of it is filed
    known = filed_scan(deidentifier.new_uid(text(first, "SeriesInstanceUID"))) is not None
    earlier = earlier_line(delivery.campaign, series_key(text(first, "SeriesInstanceUID")))
    instances = _instances(slices, checked, deidentifier)
    files = len(checked.slices_by_file)
    with contextlib.ExitStack() as stack:
        images: Iterator[NewInstance] | Begun = instances
        if not known and earlier is None:
            images = stack.enter_context(begun(instances, in_second_process=delivery.in_second_process))
        series = assemble_volume(checked, slices.whole, lambda part: advance(0.5 * part))
        new = replace(_new_scan(deidentifier, first, series), site=delivery.site)
        if delivery.broke_off:
            new = replace(new, warnings=[*new.warnings, BROKE_OFF])
        if not known and earlier is not None and earlier.scan is not None:
            return _under_other_options(earlier.scan, series, delivery)
        said = (new, series, images, delivery, deidentifier.identity)
        filed = file_with_case(*said, lambda written: advance(0.5 + 0.5 * written / files))
    noun = "file was" if repeated == 1 else "files were"
    notes = [f"{repeated} {noun} sent twice; each image counts once."] if repeated else []
    notes += [note.sentence for note in series.notes]
    return Filed(*filed, new.description, sentence_of(filed[0], filed[1], known), notes)


def _under_other_options(earlier: Scan, series: SeriesVolume, delivery: Delivery) -> Filed:
    """The scan that the campaign has of this very series, filed while its options were others. Raises SeriesRefused."""
    now = series.volume.voxels_sha256(), series.volume.geometry_sha256()
    if now != (earlier.voxels_sha256, earlier.geometry_sha256):
        raise SeriesRefused("series_differs", OTHER_IMAGES)
    case_number = add_case(campaign=delivery.campaign, scan=earlier, by=delivery.by).number
    return Filed(earlier, case_number, earlier.description, sentence_of(earlier, case_number, True), [OTHER_OPTIONS])


def file_with_case(
    new: NewScan,
    series: SeriesVolume,
    instances: Iterable[NewInstance] | Begun,
    delivery: Delivery,
    identity: Identity | None = None,
    advance: Callable[[int], object] = lambda written: None,
) -> tuple[Scan, int]:
    """File a scan, make it a case and note whose it is in the linkage table: all of it or nothing.

    A known scan without a site of its own gets the sender's.
    """
    campaign, by = delivery.campaign, delivery.by
    cases: list[Case] = []

    def then(scan: Scan) -> None:
        cases.append(add_case(campaign=campaign, scan=scan, by=by))
        if delivery.site and scan.site in ("", campaign.default_site) and scan.site != clean_site(delivery.site):
            name_site(scans=[scan], site=delivery.site, by=by)
        if identity is not None:
            # The last of all: a table that cannot be written takes back what the database did.
            linkage.keep(identity)

    scan = file_scan(
        new=new,
        volume=series.volume,
        instances=instances,
        by=by,
        then=then,
        advance=advance,
    )
    return scan, cases[0].number


def sentence_of(scan: Scan, case_number: int, known: bool) -> str:
    """What the line of an accepted series says."""
    nz, ny, nx = scan.shape_zyx
    spacing = " x ".join(f"{step:.2f}" for step in reversed(_spacing_zyx_mm(scan))) + " mm"
    size = spacing if has_spacing(scan) else "of no known size"
    noun = "slice" if nz == 1 else "slices"
    what = f"{nz} {noun} of {nx} x {ny}, {size}, patient {scan.study.patient.pseudonym}, case {case_number}."
    return ("Already in the archive, recognised and not doubled: " if known else "") + what


def _spacing_zyx_mm(scan: Scan) -> list[float]:
    columns = [[scan.affine_lps[row][axis] for row in range(3)] for axis in (2, 1, 0)]
    return [sum(value * value for value in column) ** 0.5 for column in columns]


def _identity_of(header: Dataset) -> Identity:
    return Identity(
        patient_id=text(header, "PatientID"),
        issuer=text(header, "IssuerOfPatientID"),
        study_uid=text(header, "StudyInstanceUID"),
        series_uid=text(header, "SeriesInstanceUID"),
    )


def _instances(slices: Slices, checked: CheckedSeries, deidentifier: Deidentifier) -> Iterator[NewInstance]:
    """The de-identified files. Whoever takes them may be another process: nothing here asks the database."""
    for index, frames in checked.slices_by_file.items():
        dataset = deidentifier.clean(slices.as_read(index))
        content, slices_of_it = deidentifier.file_of(dataset), tuple(sorted(frames.values()))
        yield NewInstance(str(dataset.SOPClassUID), str(dataset.SOPInstanceUID), content, slices_of_it)


def _new_scan(deidentifier: Deidentifier, header: FileDataset, series: SeriesVolume) -> NewScan:
    """What the archive keeps of the header, all of it taken after de-identification."""
    clean = deidentifier.clean(copy.deepcopy(header))
    image = image_of(clean, series.places[0].frame)
    thickness, kvp = numbers(image, "SliceThickness", 1), numbers(image, "KVP", 1)
    study_uid = text(clean, "StudyInstanceUID")
    series_uid = text(clean, "SeriesInstanceUID")
    return NewScan(
        pseudonym=deidentifier.identity.pseudonym,
        study_uid=study_uid or deidentifier.new_uid(f"study of {series_uid}"),
        series_uid=series_uid,
        source="dicom",
        sex=text(clean, "PatientSex"),
        shifted_date=parsed_day(text(clean, "StudyDate")),
        frame_of_reference_uid=text(clean, "FrameOfReferenceUID"),
        warnings=[{"code": w.code, "sentence": w.sentence} for w in series.warnings],
        description=(text(clean, "SeriesDescription") or text(clean, "StudyDescription"))[:200],
        manufacturer=text(clean, "Manufacturer")[:64],
        model_name=text(clean, "ManufacturerModelName")[:64],
        kernel=text(image, "ConvolutionKernel")[:64],
        slice_thickness_mm=thickness[0] if thickness else None,
        kvp=kvp[0] if kvp else None,
        contrast_agent=text(clean, "ContrastBolusAgent")[:64],
        patient_age_years=age_years(text(clean, "PatientAge")),
        body_part=text(clean, "BodyPartExamined")[:32],
        # Enhanced images have names of their own for them, in mA and mAs (PS3.3 C.8.15.3.8).
        tube_current_ma=_number(image, "XRayTubeCurrent") or _number(image, "XRayTubeCurrentInmA"),
        exposure_mas=_number(image, "Exposure") or _number(image, "ExposureInmAs"),
        ctdi_vol_mgy=_number(image, "CTDIvol"),
    )


def _number(clean: Image, keyword: str) -> float | None:
    """One positive number of a header; None where it is missing, or is none."""
    found = numbers(clean, keyword, 1)
    return found[0] if found and found[0] > 0 else None


def _drop_repeats(slices: Slices) -> int:
    """Keep one file for each SOP Instance UID and count the rest; raises SeriesRefused where two differ."""
    kept: dict[str, int] = {}
    for index, header in enumerate(slices.headers):
        uid = text(header, "SOPInstanceUID")
        if not uid:
            raise SeriesRefused("no_sop_uid", f"{file_name(header)} has no SOPInstanceUID.")
        other = kept.setdefault(uid, index)
        if other != index and image_sha256(slices.whole(index)) != image_sha256(slices.whole(other)):
            pair = f"{file_name(slices.headers[other])} and {file_name(header)}"
            raise SeriesRefused("other_pixels", f"{pair} have the same SOP Instance UID but different pixels.")
    repeated = len(slices.headers) - len(kept)
    if repeated:
        slices.only(kept.values())
    return repeated
