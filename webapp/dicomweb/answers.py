"""Results of a search as DICOM JSON (PS3.18 10.6.3.3, Annex F)."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from webapp.archive.models import Series, Study
from webapp.dicomweb.attributes import INSTANCE, RETRIEVE_URL, SERIES, STUDY, Attribute, of_level, tag_of
from webapp.dicomweb.facts import StudyFacts
from webapp.dicomweb.parameters import Search

Model = dict[str, Any]
STUDY_UID, SERIES_UID, SOP_UID = map(tag_of, ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"))


def study_model(search: Search, study: Study, facts: StudyFacts, root_url: str, only_asked: bool = False) -> Model:
    """A study with the attributes of its level; `only_asked` leaves out those that nobody asked for."""
    known = {
        "StudyDate": study.shifted_date,
        "StudyTime": facts.study_time,
        "InstanceAvailability": "ONLINE",
        "ModalitiesInStudy": facts.modalities,
        "StudyDescription": facts.study_description,
        "PatientName": study.patient.pseudonym,
        "PatientID": study.patient.pseudonym,
        "PatientSex": facts.sex,
        "StudyInstanceUID": study.uid,
        "StudyID": facts.study_id,
        "NumberOfStudyRelatedSeries": facts.series,
        "NumberOfStudyRelatedInstances": facts.instances,
    }
    model = _chosen(search, of_level(STUDY), known, only_asked)
    if not only_asked:
        model[RETRIEVE_URL] = {"vr": "UR", "Value": [f"{root_url}/studies/{study.uid}"]}
    # Found by its study, whatever was asked for.
    model[STUDY_UID] = {"vr": "UI", "Value": [study.uid]}
    return in_order(model)


def series_model(search: Search, row: Series, root_url: str) -> Model:
    """A series with the attributes of its level."""
    known = {
        "Modality": row.modality,
        "SeriesDescription": row.description,
        "SeriesInstanceUID": row.uid,
        "SeriesNumber": row.number,
        "NumberOfSeriesRelatedInstances": row.instance_count,
        "BodyPartExamined": row.body_part,
        "ProtocolName": row.protocol_name,
        "Manufacturer": row.manufacturer,
        "ManufacturerModelName": row.model_name,
    }
    study_uid = row.scan.study.uid
    model = _chosen(search, of_level(SERIES), known)
    model[STUDY_UID] = {"vr": "UI", "Value": [study_uid]}
    model[RETRIEVE_URL] = {"vr": "UR", "Value": [f"{root_url}/studies/{study_uid}/series/{row.uid}"]}
    return model


def instance_model(search: Search, row: Series, header: Model, facts: StudyFacts, root_url: str, within: str) -> Model:
    study = row.scan.study
    sop_uid = value_of(header, SOP_UID)
    model = dict(header)
    series = series_model(search, row, root_url)
    whole = {**study_model(search, study, facts, root_url), **series}
    if within == "all" or search.everything:
        model = {**whole, **model}
    elif within == "study":
        model = {**series, **model}
    model = {**{tag: item for tag, item in whole.items() if tag in search.include}, **model}
    model[tag_of("InstanceAvailability")] = {"vr": "CS", "Value": ["ONLINE"]}
    model[STUDY_UID] = {"vr": "UI", "Value": [study.uid]}
    model[SERIES_UID] = {"vr": "UI", "Value": [row.uid]}
    url = f"{root_url}/studies/{study.uid}/series/{row.uid}/instances/{sop_uid}"
    model[RETRIEVE_URL] = {"vr": "UR", "Value": [url]}
    return in_order(_addressed(model, url))


def asked_of(search: Search, header: Model) -> Model:
    """Of an instance's header what is answered: its level's attributes and those asked for, or all of it."""
    wanted = {attribute.tag for attribute in of_level(INSTANCE)} | search.include
    return header if search.everything else {tag: item for tag, item in header.items() if tag in wanted}


def value_of(header: Mapping[str, Any], tag: str) -> str:
    """The first value of an attribute of a header; empty where there is none."""
    values = header.get(tag, {}).get("Value") or [""]
    return str(values[0])


def _addressed(model: Model, url: str) -> Model:
    """The model with the addresses of its bulk data under the instance's URL."""
    return {
        tag: {**item, "BulkDataURI": f"{url}/bulkdata/{item['BulkDataURI'][2:]}"} if "BulkDataURI" in item else item
        for tag, item in model.items()
    }


def _chosen(search: Search, attributes: list[Attribute], known: dict[str, Any], only_asked: bool = False) -> Model:
    """The attributes to answer: the default ones (unless only those asked for), and what was asked for."""
    model = {}
    for attribute in attributes:
        asked = search.everything or attribute.tag in search.include
        if asked or (attribute.default and not only_asked):
            model[attribute.tag] = _element(attribute, known.get(attribute.keyword))
    return model


def _element(attribute: Attribute, value: Any) -> Model:
    if value in (None, "", ()):
        return {"vr": attribute.vr}
    if isinstance(value, date):
        value = f"{value:%Y%m%d}"
    elif isinstance(value, time):
        value = f"{value:%H%M%S.%f}".rstrip("0").rstrip(".") if value.microsecond else f"{value:%H%M%S}"
    values = list(value) if isinstance(value, tuple) else [value]
    if attribute.vr == "PN":
        values = [{"Alphabetic": name} for name in values]
    return {"vr": attribute.vr, "Value": values}


def in_order(model: Model) -> Model:
    """The model by ascending tags, as DICOM writes data sets."""
    return dict(sorted(model.items()))
