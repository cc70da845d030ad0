"""DICOM structured reports (TID 1500, PS3.16) of what a mask measures, beside the SEGs that hold the mask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import highdicom as hd
from highdicom.sr import (
    AlgorithmIdentification,
    ComprehensiveSR,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ReferencedSegment,
    SourceSeriesForSegmentation,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference.imaging.seg import LATERALITY, MANUFACTURER, TRACKING_PREFIX, Author, Segment, completed

SCHEME = "99GROUNDGLASS"
LUNG = Code("39607008", "SCT", "Lung")
BOTH = Code("51440002", "SCT", "Bilateral")
VOLUME, MASS = Code("118565006", "SCT", "Volume"), Code("118538004", "SCT", "Mass")
ATTENUATION = Code("112031", "DCM", "Attenuation Coefficient")
MEAN, DEVIATION = Code("373098007", "SCT", "Mean"), Code("386136009", "SCT", "Standard Deviation")
MILLILITRE, GRAM = Code("mL", "UCUM", "mL"), Code("g", "UCUM", "g")
PERCENT, HOUNSFIELD = Code("%", "UCUM", "Percent"), Code("[hnsf'U]", "UCUM", "Hounsfield unit")
# The standard's dictionaries have no code for these: docs/reference/export-formats.md lists them.
EXTENT = Code("EXTENT", SCHEME, "Extent of lesion in lung")
LESION = Code("LESION", SCHEME, "Lesion of any lesion label")
INSIDE_LUNG = Code("INSIDELUNG", SCHEME, "Voxels inside the lung mask")
OUTSIDE_LUNG = Code("OUTSIDELUNG", SCHEME, "Voxels outside the lung mask")
LUNG_PROPER = Code("LUNGPROPER", SCHEME, "Lung mask less findings that do not count as lung")

Uid = Callable[[str], str]
Group = MeasurementsAndQualitativeEvaluations | VolumetricROIMeasurementsAndQualitativeEvaluations


@dataclass(frozen=True, eq=False)
class MeasuredMask:
    """What a report is about.

    `values` are inference.measures.quantification.Measurements as plain numbers. `findings` and `anatomy` are the
    SEGs of the two layers (without pixels), which the report refers to; `segments` describes the findings labels and
    `lesion_values` says which of them are lesion. `parameters` are sentences ("name=value") kept with the numbers.
    """

    values: Mapping[str, Any]
    findings: Dataset
    anatomy: Dataset
    segments: Sequence[Segment]
    lesion_values: Sequence[int]
    parameters: Sequence[str]


def write_report(
    path: Path,
    mask: MeasuredMask,
    source_datasets: Sequence[Dataset],
    *,
    author: Author,
    series_description: str,
    series_number: int,
    uid: Uid,
    created: datetime,
) -> None:
    """Write a Comprehensive SR of the TID 1500 kind: extent, weight and volumes of the lungs, the lesion, each label.

    `uid` gives the UID for a name ("series", "instance", "group lungs", ...), always the same for the same name.
    What is undefined (extent without lung, weight without HU) is left out, never written as 0. Numbers stand in full
    precision in FloatingPointValue beside the 16 characters of NumericValue.
    """
    evidence = [*map(completed, source_datasets), mask.findings, mask.anatomy]
    report = MeasurementReport(
        observation_context=_observers(author, uid),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=_groups(mask, uid),
        title=codes.DCM.ImagingMeasurementReport,
    )
    document = ComprehensiveSR(
        evidence=evidence,
        content=report[0],
        series_instance_uid=uid("series"),
        series_number=series_number,
        sop_instance_uid=uid("instance"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=author.algorithm is None,
        specific_character_set="ISO_IR 192",
    )
    document.SeriesDescription = series_description[:64]
    _settle(document, created)
    document.save_as(path, enforce_file_format=True)


def _observers(author: Author, uid: Uid) -> hd.sr.ObservationContext:
    if author.algorithm is None:
        person = hd.sr.PersonObserverIdentifyingAttributes(name=author.person)
        context = hd.sr.ObserverContext(codes.DCM.Person, person)
        return hd.sr.ObservationContext(observer_person_context=context)
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=uid("device"), name=author.algorithm[:64], manufacturer_name=MANUFACTURER, serial_number=None
    )
    context = hd.sr.ObserverContext(codes.DCM.Device, device)
    return hd.sr.ObservationContext(observer_device_context=context)


def _groups(mask: MeasuredMask, uid: Uid) -> list[Group]:
    values, build = mask.values, _Groups(mask, uid)
    lesion = _lesion_code(mask)
    lung = [_number(VOLUME, values["lung_volume_ml"], MILLILITRE, LUNG_PROPER)]
    lung += [_number(MASS, values["lung_weight_g"], GRAM, LUNG_PROPER)]
    found = [build.plain("lungs", LUNG, BOTH, lung)]
    for number, side in ((1, "left"), (2, "right")):
        volume = [_number(VOLUME, values[side]["lung_volume_ml"], MILLILITRE, LUNG_PROPER)]
        found.append(build.of_segment(f"{side} lung", mask.anatomy, number, LUNG, LATERALITY[side], volume))
    found.append(build.plain("lesion", lesion, BOTH, _lesion_numbers(values)))
    for side in ("left", "right"):
        one = values[side]
        numbers = [_number(EXTENT, one["extent_percent"], PERCENT)]
        numbers += [_number(VOLUME, one["lesion_volume_ml"], MILLILITRE, INSIDE_LUNG)]
        numbers += [_number(MASS, one["weight_g"], GRAM, INSIDE_LUNG)]
        found.append(build.plain(f"lesion in {side} lung", lesion, LATERALITY[side], numbers))
    for segment in mask.segments:
        one = values["by_label"].get(str(segment.value), {"volume_ml": 0.0, "weight_g": 0.0})
        weight_g = one["weight_g"] if values["weight_g"] is not None else None
        numbers = [_number(VOLUME, one["volume_ml"], MILLILITRE, INSIDE_LUNG)]
        numbers += [_number(MASS, weight_g, GRAM, INSIDE_LUNG)]
        scheme, value, meaning = segment.code
        code = Code(value, scheme, meaning[:64])
        if _segment_number(mask.findings, segment.value) is not None:
            name = f"{TRACKING_PREFIX}{segment.value}"
            found.append(build.of_segment(name, mask.findings, segment.value, code, BOTH, numbers))
    return found


def _lesion_numbers(values: Mapping[str, Any]) -> list[Measurement | None]:
    numbers = [
        _number(EXTENT, values["extent_percent"], PERCENT),
        _number(VOLUME, values["lesion_volume_ml"], MILLILITRE, INSIDE_LUNG),
        _number(MASS, values["weight_g"], GRAM, INSIDE_LUNG),
        _number(VOLUME, values["lesion_outside_lung_ml"], MILLILITRE, OUTSIDE_LUNG),
        _number(ATTENUATION, values["lesion_mean_hu"], HOUNSFIELD, INSIDE_LUNG, MEAN),
        _number(ATTENUATION, values["lesion_sd_hu"], HOUNSFIELD, INSIDE_LUNG, DEVIATION),
    ]
    for name, volume_ml in (values["band_volumes_ml"] or {}).items():
        low, high = values["options"]["bands_hu"][name]
        words = f"Voxels inside the lung mask, {low:g} <= HU < {high:g}"
        numbers.append(_number(VOLUME, volume_ml, MILLILITRE, Code(band_code(name), SCHEME, words)))
    return numbers


def band_code(name: str) -> str:
    """The private code (at most 16 characters) of a band of HU."""
    return f"BAND{''.join(c for c in name.upper() if c.isalnum())}"[:16]


def _lesion_code(mask: MeasuredMask) -> Code:
    """What lesion is: the one lesion label's own code, or the private code for any of several."""
    lesions = [segment for segment in mask.segments if segment.value in set(mask.lesion_values)]
    if len(lesions) != 1:
        return LESION
    scheme, value, meaning = lesions[0].code
    return Code(value, scheme, meaning[:64])


def _number(
    name: Code, value: float | None, unit: Code, method: Code | None = None, derivation: Code | None = None
) -> Measurement | None:
    if value is None:
        return None
    return Measurement(name=name, value=float(value), unit=unit, method=method, derivation=derivation)


def _segment_number(seg: Dataset, value: int) -> int | None:
    """The number of the segment that holds a label value; None where the value occurs nowhere in the mask."""
    for item in seg.SegmentSequence:
        if str(item.TrackingID) == f"{TRACKING_PREFIX}{value}":
            return int(item.SegmentNumber)
    return None


class _Groups:
    """Builds the measurement groups of one report."""

    def __init__(self, mask: MeasuredMask, uid: Uid) -> None:
        self.mask, self.uid = mask, uid
        self.algorithm = AlgorithmIdentification(
            name="Groundglass quantification", version="1", parameters=list(mask.parameters), manufacturer=MANUFACTURER
        )

    def plain(self, name: str, finding: Code, side: Code, numbers: Sequence[Measurement | None]) -> Group:
        """A group about the mask as a whole."""
        return MeasurementsAndQualitativeEvaluations(**self._common(name, finding, side, numbers))

    def of_segment(
        self, name: str, seg: Dataset, value: int, finding: Code, side: Code, numbers: Sequence[Measurement | None]
    ) -> Group:
        """A group about one segment of a SEG; about nothing drawn where the label occurs nowhere."""
        number = _segment_number(seg, value)
        if number is None:
            return self.plain(name, finding, side, numbers)
        series = seg.ReferencedSeriesSequence[0].SeriesInstanceUID
        segment = ReferencedSegment(
            sop_class_uid=seg.SOPClassUID,
            sop_instance_uid=seg.SOPInstanceUID,
            segment_number=number,
            # The series, not each of its hundreds of images again in every group.
            source_series=SourceSeriesForSegmentation(series),
        )
        common = self._common(name, finding, side, numbers)
        return VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_segment=segment, **common)

    def _common(self, name: str, finding: Code, side: Code, numbers: Sequence[Measurement | None]) -> dict[str, Any]:
        return {
            "tracking_identifier": TrackingIdentifier(uid=self.uid(f"group {name}"), identifier=name),
            "finding_type": finding,
            "algorithm_id": self.algorithm,
            "finding_sites": [FindingSite(LUNG, laterality=side)],
            "measurements": [number for number in numbers if number is not None],
        }


def _settle(document: Dataset, created: datetime) -> None:
    """Give what the library took from the clock the version's own time, so that the same report is the same file."""
    day, time = created.strftime("%Y%m%d"), created.strftime("%H%M%S")
    document.ContentDate = document.SeriesDate = document.InstanceCreationDate = day
    document.ContentTime = document.SeriesTime = document.InstanceCreationTime = time
    for item in document.get("ContributingEquipmentSequence", []):
        if "ContributionDateTime" in item:
            item.ContributionDateTime = created.strftime("%Y%m%d%H%M%S.%f")
