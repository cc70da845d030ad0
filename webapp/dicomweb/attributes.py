"""What can be searched by and what is answered (PS3.18 10.6): one table of attributes."""

from dataclasses import dataclass

from pydicom.datadict import dictionary_VR, tag_for_keyword

STUDY, SERIES, INSTANCE = "study", "series", "instance"
LEVELS = (STUDY, SERIES, INSTANCE)
PATIENT = "scan__study__patient"


@dataclass(frozen=True)
class Attribute:
    """One attribute: its level, how it is matched, and where the archive keeps it, as a path from a series.

    `match` is uid, date, time, text, code, integer, modalities, header (in the instance's own header), empty (the
    archive keeps no value of it, by de-identification: nothing but a universal key matches) or answer (only answered).
    `default` ones are answered without being asked for.
    """

    keyword: str
    level: str
    match: str
    column: str = ""
    default: bool = True

    @property
    def tag(self) -> str:
        """The tag as eight hexadecimal digits."""
        return tag_of(self.keyword)

    @property
    def vr(self) -> str:
        """The value representation."""
        return dictionary_VR(int(self.tag, 16))


def tag_of(keyword: str) -> str:
    """The tag of a standard keyword as eight hexadecimal digits; empty where there is no such keyword."""
    tag = tag_for_keyword(keyword)
    return "" if tag is None else f"{tag:08X}"


TABLE = (
    Attribute("StudyDate", STUDY, "date", "scan__study__shifted_date"),
    Attribute("StudyTime", STUDY, "time", "study_time"),
    Attribute("AccessionNumber", STUDY, "empty"),
    Attribute("InstanceAvailability", STUDY, "answer"),
    Attribute("ModalitiesInStudy", STUDY, "modalities", "modality"),
    Attribute("ReferringPhysicianName", STUDY, "empty"),
    Attribute("StudyDescription", STUDY, "text", "study_description"),
    Attribute("PatientName", STUDY, "text", f"{PATIENT}__pseudonym"),
    Attribute("PatientID", STUDY, "text", f"{PATIENT}__pseudonym"),
    Attribute("PatientBirthDate", STUDY, "empty"),
    Attribute("PatientSex", STUDY, "code", "scan__sex"),
    Attribute("StudyInstanceUID", STUDY, "uid", "scan__study__uid"),
    Attribute("StudyID", STUDY, "text", "study_id"),
    Attribute("NumberOfStudyRelatedSeries", STUDY, "answer"),
    Attribute("NumberOfStudyRelatedInstances", STUDY, "answer"),
    Attribute("Modality", SERIES, "code", "modality"),
    Attribute("SeriesDescription", SERIES, "text", "description"),
    Attribute("SeriesInstanceUID", SERIES, "uid", "uid"),
    Attribute("SeriesNumber", SERIES, "integer", "number"),
    Attribute("NumberOfSeriesRelatedInstances", SERIES, "answer"),
    Attribute("BodyPartExamined", SERIES, "code", "body_part", default=False),
    Attribute("ProtocolName", SERIES, "text", "protocol_name", default=False),
    Attribute("Manufacturer", SERIES, "text", "manufacturer", default=False),
    Attribute("ManufacturerModelName", SERIES, "text", "model_name", default=False),
    Attribute("PerformedProcedureStepStartDate", SERIES, "empty", default=False),
    Attribute("PerformedProcedureStepStartTime", SERIES, "empty", default=False),
    Attribute("SOPClassUID", INSTANCE, "header"),
    Attribute("SOPInstanceUID", INSTANCE, "header"),
    Attribute("InstanceNumber", INSTANCE, "header"),
    Attribute("Rows", INSTANCE, "answer"),
    Attribute("Columns", INSTANCE, "answer"),
    Attribute("BitsAllocated", INSTANCE, "answer"),
    Attribute("NumberOfFrames", INSTANCE, "answer"),
)
BY_TAG = {attribute.tag: attribute for attribute in TABLE}
RETRIEVE_URL = tag_of("RetrieveURL")
# Keys inside Request Attributes Sequence, which the standard requires and de-identification leaves empty.
REQUEST_KEYS = {f"00400275.{tag}" for tag in ("00400009", "00401001")}
# Attributes that speak of the request's own text and times, not of what is sought.
IGNORED = {tag_of("SpecificCharacterSet"), tag_of("TimezoneOffsetFromUTC")}


def of_level(*levels: str) -> list[Attribute]:
    """The attributes of some levels in the table's order."""
    return [attribute for attribute in TABLE if attribute.level in levels]


def names_of_keys(level: str) -> str:
    """The keywords that a search at a level may match by, for sentences."""
    reach = LEVELS[: LEVELS.index(level) + 1]
    return ", ".join(a.keyword for a in of_level(*reach) if a.match != "answer")
