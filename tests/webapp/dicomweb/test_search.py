"""QIDO-RS over a filed case: every resource and kind of key, paging, fields, and what a blinded reader never sees."""

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pydicom import dcmread

from tests.factories.filed import a_filed_scan, draft_case, letter_f, read_and_sign
from tests.factories.sites import a_campaign, restage
from tests.webapp.dicomweb.conftest import ROOT, client_of, first
from webapp.archive.models import Instance, Patient, Scan, Series, Study
from webapp.archive.queries import files_of
from webapp.audit.models import Event
from webapp.campaigns.models import Case
from webapp.campaigns.protocols import Terms

STUDY_UID, SERIES_UID, SOP_UID = "0020000D", "0020000E", "00080018"
MODALITY, MODALITIES = "00080060", "00080061"
IN_STUDY, IN_SERIES, SERIES_COUNT = "00201208", "00201209", "00201206"


def found(client, path: str, **query: str) -> list[dict]:
    answer = client.get(f"{ROOT}{path}", query)
    assert answer.status_code in (200, 204), answer.content
    if answer.status_code == 204:
        assert answer.content == b""
        return []
    assert answer.headers["Content-Type"] == "application/dicom+json"
    return answer.json()


@pytest.fixture
def reader(place):
    return client_of(place.reader)


@pytest.fixture
def study_uid(place) -> str:
    return place.case.scan.study.uid


# Resources


def test_a_study_has_the_attributes_of_the_standard(place, reader, study_uid):
    (study,) = found(reader, "/studies")
    assert first(study, STUDY_UID) == study_uid
    assert first(study, "00100020") == place.case.scan.study.patient.pseudonym
    assert first(study, "00100010") == {"Alphabetic": place.case.scan.study.patient.pseudonym}
    assert first(study, "00081190") == f"http://testserver{ROOT}/studies/{study_uid}"
    required = "00080020 00080030 00080050 00080061 00080090 00100010 00100020 00100030 00100040 0020000D 00200010"
    assert set(required.split()) <= set(study)
    assert study["00080050"] == {"vr": "SH"}
    assert list(study) == sorted(study)


def test_series_and_instances_of_a_study(place, reader, study_uid):
    series = found(reader, f"/studies/{study_uid}/series")
    scan = next(one for one in series if first(one, MODALITY) == "CT")
    assert first(scan, SERIES_UID) == place.case.scan.series_uid
    assert first(scan, IN_SERIES) == 14
    instances = found(reader, f"/studies/{study_uid}/series/{place.case.scan.series_uid}/instances")
    assert [first(one, SOP_UID) for one in instances] == list(
        place.case.scan.instances.order_by("z").values_list("sop_uid", flat=True)
    )
    header = dcmread(io.BytesIO(next(files_of(place.case.scan))), stop_before_pixels=True)
    assert (first(instances[0], "00280010"), first(instances[0], "00280011")) == (header.Rows, header.Columns)
    assert first(instances[0], "00200013") == header.InstanceNumber
    assert len(found(reader, f"/studies/{study_uid}/instances")) == 14 + 3  # and the AI draft's objects


def test_relational_resources_answer_the_levels_above_too(place, reader, study_uid):
    series = found(reader, "/series")
    assert {first(one, STUDY_UID) for one in series} == {study_uid}
    assert all("00100020" in one and IN_STUDY in one for one in series)
    instances = found(reader, "/instances")
    assert all(IN_STUDY in one and MODALITY in one for one in instances)
    assert "00100020" not in found(reader, f"/studies/{study_uid}/series")[0]


def test_an_unknown_study_is_404_with_a_sentence(place, reader):
    answer = reader.get(f"{ROOT}/studies/1.2.3/series")
    assert answer.status_code == 404
    assert answer.json()["sentence"] == "There is no such study in this campaign."


def test_every_instance_leads_to_itself(place, reader):
    for one in found(reader, "/instances", limit="20"):
        assert reader.get(first(one, "00081190").removeprefix("http://testserver")).status_code == 200


# Matching


@pytest.fixture
def many(place) -> None:
    """A second and a third study, of other patients and days, with words to search by."""
    for number, (day, words) in enumerate((("2021-03-04", "THORAX nativ"), ("2022-05-06", "100%_sure\\x")), start=2):
        patient = Patient.objects.create(pseudonym=f"GG-EXTRA{number}")
        study = Study.objects.create(patient=patient, uid=f"1.2.{number}", shifted_date=day)
        scan = Scan.objects.create(
            study=study,
            series_uid=f"1.3.{number}",
            sex="MF"[number % 2],
            source="dicom",
            shape_zyx=[1, 1, 1],
            affine_lps=[],
            geometry_sha256="",
            voxels_sha256="",
            slabs=[],
        )
        Case.objects.create(campaign=place.campaign, scan=scan, number=number)
        Series.objects.create(
            scan=scan,
            uid=scan.series_uid,
            modality="CT",
            number=number,
            description=f"Lung {number}.0",
            study_description=words,
            study_time=f"{number + 8:02}:30:15",
            study_id=f"S{number}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            instance_count=7,
            headers=b"",
        )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"PatientID": "GG-EXTRA2"}, {"1.2.2"}),
        ({"PatientID": "gg-extra2"}, {"1.2.2"}),
        ({"00100020": "GG-EXTRA*"}, {"1.2.2", "1.2.3"}),
        ({"PatientName": "*extra?"}, {"1.2.2", "1.2.3"}),
        ({"PatientName": "EXTRA"}, set()),
        ({"StudyInstanceUID": "1.2.2,1.2.3,1.2.4"}, {"1.2.2", "1.2.3"}),
        ({"StudyDate": "20210304"}, {"1.2.2"}),
        ({"StudyDate": "20210304-20220505"}, {"1.2.2"}),
        ({"StudyDate": "20210305-"}, {"1.2.3"}),
        ({"StudyDate": "-20210304"}, {"1.2.2"}),
        ({"StudyTime": "10"}, {"1.2.2"}),
        ({"StudyTime": "1030"}, {"1.2.2"}),
        ({"StudyTime": "103015-113014"}, {"1.2.2"}),
        ({"StudyTime": "-113015"}, {"1.2.2", "1.2.3"}),
        ({"StudyTime": "1031-1130"}, {"1.2.3"}),
        ({"StudyDescription": "thorax*"}, {"1.2.2"}),
        ({"StudyDescription": "100%_sure\\x"}, {"1.2.3"}),
        ({"StudyDescription": "100%?sure\\*"}, {"1.2.3"}),
        ({"StudyDescription": "1%"}, set()),
        ({"StudyDescription": "1%*"}, set()),
        ({"PatientSex": "F"}, {"1.2.3"}),
        ({"StudyID": "S2"}, {"1.2.2"}),
        ({"ModalitiesInStudy": "CT", "PatientID": "GG-EXTRA3"}, {"1.2.3"}),
        ({"ModalitiesInStudy": "MR"}, set()),
        ({"AccessionNumber": "A1"}, set()),
        ({"AccessionNumber": "*", "PatientID": "GG-EXTRA2"}, {"1.2.2"}),
        ({"PatientID": "'; DROP TABLE archive_study; --"}, set()),
    ],
)
def test_studies_match_by(many, reader, study_uid, query, expected):
    matches = {first(study, STUDY_UID) for study in found(reader, "/studies", **query)}
    if "StudyTime" in query:  # the phantom has a time of its own
        matches.discard(study_uid)
    assert matches == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"SeriesDescription": "LUNG ?.0", "PatientID": "GG-EX*"}, {"1.3.2", "1.3.3"}),
        ({"SeriesNumber": "3"}, {"1.3.3"}),
        ({"SeriesNumber": "99999999999"}, set()),
        ({"SeriesInstanceUID": "1.3.2\\1.3.3"}, {"1.3.2", "1.3.3"}),
        ({"Modality": "CT", "StudyDate": "2022*"}, None),
        ({"Modality": "CT", "StudyDate": "20220101-20221231"}, {"1.3.3"}),
        ({"ModalitiesInStudy": "CT", "StudyInstanceUID": "1.2.2"}, {"1.3.2"}),
        ({"PatientName": "gg-extra3"}, {"1.3.3"}),
        ({"PerformedProcedureStepStartDate": "20240101"}, set()),
    ],
)
def test_series_match_by(many, reader, query, expected):
    if expected is None:
        assert reader.get(f"{ROOT}/series", query).status_code == 400
    else:
        assert {first(series, SERIES_UID) for series in found(reader, "/series", **query)} == expected


def test_instances_match_by(place, reader, study_uid):
    third = place.case.scan.instances.order_by("z")[2].sop_uid
    for path in ("/instances", f"/studies/{study_uid}/instances"):
        assert [first(one, SOP_UID) for one in found(reader, path, SOPInstanceUID=f"{third},1.2.3")] == [third]
    number = first(found(reader, "/instances", SOPInstanceUID=third)[0], "00200013")
    by_number = found(reader, "/instances", InstanceNumber=str(number), Modality="CT")
    assert [first(one, SOP_UID) for one in by_number] == [third]
    segmentations = found(reader, "/instances", SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    assert len(segmentations) == 2
    sop = first(segmentations[0], SOP_UID)
    assert [first(one, SOP_UID) for one in found(reader, "/instances", SOPInstanceUID=sop)] == [sop]


def test_a_number_is_not_sought_through_a_whole_campaign(place, many, reader, monkeypatch):
    from webapp.dicomweb import search

    monkeypatch.setattr(search, "MOST_OPENED", 2)
    answer = reader.get(f"{ROOT}/instances", {"InstanceNumber": "1"})
    assert answer.status_code == 413
    assert "name the study or the series" in answer.json()["sentence"]


# Paging and fields


def test_pages_follow_each_other_and_say_how_much_is_left(many, reader):
    everything = [first(study, STUDY_UID) for study in found(reader, "/studies")]
    assert len(everything) == 3
    assert everything[:2] == ["1.2.3", "1.2.2"]  # the youngest first, those without a date last
    paged = []
    for offset in range(4):
        answer = reader.get(f"{ROOT}/studies", {"limit": "1", "offset": str(offset)})
        left = max(0, 2 - offset)
        warning = f"299 http://testserver{ROOT}: There are {left} additional results that can be requested"
        assert answer.headers.get("Warning") == (warning if left else None)
        paged += [first(study, STUDY_UID) for study in answer.json()] if answer.status_code == 200 else ["end"]
    assert paged == [*everything, "end"]


def test_pages_of_instances_run_through_series_without_opening_those_outside(place, reader, study_uid):
    everything = [first(one, SOP_UID) for one in found(reader, f"/studies/{study_uid}/instances")]
    paged = []
    for offset in range(0, 18, 5):
        answer = reader.get(f"{ROOT}/studies/{study_uid}/instances", {"limit": "5", "offset": str(offset)})
        paged += [first(one, SOP_UID) for one in answer.json()]
        left = len(everything) - len(paged)
        assert answer.headers.get("Warning", "").endswith(
            f"There are {left} additional results that can be requested" if left else ""
        )
    assert paged == everything
    assert reader.get(f"{ROOT}/instances", {"offset": "99999999999999"}).status_code == 204
    assert reader.get(f"{ROOT}/studies", {"offset": "99999999999999"}).status_code == 204
    assert reader.get(f"{ROOT}/studies", {"limit": "0"}).status_code == 204


def test_the_server_has_a_limit_of_its_own(many, reader, monkeypatch):
    from webapp.dicomweb import parameters

    monkeypatch.setattr(parameters, "MOST_RESULTS", 2)
    monkeypatch.setattr(parameters.Search, "__init__", _with_limit(parameters.Search.__init__, 2))
    answer = reader.get(f"{ROOT}/studies", {"limit": "500"})
    assert len(answer.json()) == 2
    assert "There are 1 additional results" in answer.headers["Warning"]


def _with_limit(init, limit):
    def made(self, level):
        init(self, level, limit=limit)

    return made


def test_fields_come_when_asked_for(place, reader, study_uid):
    path = f"/studies/{study_uid}/series"
    assert "00080070" not in found(reader, path)[0]
    (scan,) = found(reader, path, includefield="Manufacturer,00100020", Modality="CT")
    assert first(scan, "00080070") == "Groundglass"
    assert first(scan, "00100020") == place.case.scan.study.patient.pseudonym
    instances = f"{path}/{place.case.scan.series_uid}/instances"
    assert "00200032" not in found(reader, instances)[0]
    assert len(found(reader, instances, includefield="ImagePositionPatient")[0]["00200032"]["Value"]) == 3
    whole = found(reader, instances, includefield="all", limit="1")[0]
    assert {"00200032", "00280030", "00100020", "00081190"} <= set(whole)
    assert whole["7FE00010"]["BulkDataURI"] == f"{first(whole, '00081190')}/bulkdata/7FE00010"


def test_fuzzy_matching_is_answered_literally_with_the_standards_warning(place, reader):
    answer = reader.get(f"{ROOT}/studies", {"fuzzymatching": "true", "PatientName": "*"})
    assert answer.headers["Warning"] == (
        f"299 http://testserver{ROOT}: The fuzzymatching parameter is not supported. "
        "Only literal matching has been performed."
    )


def test_xml_and_406(place, reader):
    from xml.etree import ElementTree

    accept = {"Accept": 'multipart/related; type="application/dicom+xml"'}
    answer = reader.get(f"{ROOT}/studies", headers=accept)
    assert answer.headers["Content-Type"].startswith('multipart/related; type="application/dicom+xml"; boundary=')
    document = answer.content.split(b"\r\n\r\n", 1)[1].split(b"\r\n--")[0]
    tags = {item.get("keyword"): item for item in ElementTree.fromstring(document)}
    assert tags["PatientID"].find("Value").text == place.case.scan.study.patient.pseudonym
    assert reader.get(f"{ROOT}/studies", headers={"Accept": "text/html"}).status_code == 406


def test_a_search_takes_few_queries_however_much_it_finds(place, many, reader):
    found(reader, "/studies")  # the token's use is noted once
    with CaptureQueriesContext(connection) as one:
        found(reader, "/studies", PatientID="GG-EXTRA2")
    with CaptureQueriesContext(connection) as three:
        found(reader, "/studies")
    assert len(three) == len(one) <= 16
    with CaptureQueriesContext(connection) as series:
        assert len(found(reader, "/series")) > 3
    assert len(series) <= 16


# Rights and blinding


def test_a_scan_of_another_campaign_is_not_there(place, tmp_path, reader, run_jobs):
    other = a_campaign("other")
    scan, _, phantom = a_filed_scan(tmp_path, seed=5)
    draft_case(other, scan, {"anatomy": phantom.anatomy, "findings": (phantom.findings > 0).astype("uint8")})
    run_jobs()
    assert len(found(reader, "/studies")) == 1
    assert reader.get(f"{ROOT}/studies/{scan.study.uid}/series").status_code == 404
    assert reader.get("/dicomweb/other/studies").status_code == 404


def modalities(client) -> tuple[set[str], int, int, list[str]]:
    (study,) = found(client, "/studies")
    series = found(client, "/series")
    return (
        set(study[MODALITIES]["Value"]),
        first(study, SERIES_COUNT),
        first(study, IN_STUDY),
        sorted(first(one, "0008103E") for one in series),
    )


def test_a_reader_sees_their_own_objects_and_the_draft_and_an_overseer_everything(place, signed):
    draft = [
        f"{what}, AI draft by {place.campaign.draft_algorithm}"[:64] for what in ("Findings", "Lungs", "Measurements")
    ]
    own = [f"{what}, signed by Covid-Reader" for what in ("Findings", "Lungs", "Measurements")]
    for person in (place.reader, place.coordinator):
        assert modalities(client_of(person)) == ({"CT", "SEG", "SR"}, 7, 20, sorted([*own, *draft, "Lung 1.0"]))
    assert modalities(client_of(place.other_reader)) == ({"CT", "SEG", "SR"}, 4, 17, sorted([*draft, "Lung 1.0"]))


def test_a_reader_blinded_to_the_ai_and_to_others_finds_the_images_alone(place, signed):
    """Neither counts, nor modalities, nor any search or address tells that anything was made of the case."""
    restage(place.campaign, starts_from="empty")
    blind = client_of(place.other_reader)
    assert modalities(blind) == ({"CT"}, 1, 14, ["Lung 1.0"])
    assert found(blind, "/studies", ModalitiesInStudy="SEG") == []
    for query in ({"Modality": "SEG"}, {"Modality": "SR"}, {"SeriesDescription": "*signed*"}, {"SeriesNumber": "901"}):
        assert found(blind, "/series", **query) == []
    study_uid = place.case.scan.study.uid
    hidden = Series.objects.exclude(made_from=None)
    assert hidden.count() == 6
    for series in hidden:
        sop_uid = series.derived.sop_uid
        assert found(blind, "/instances", SOPInstanceUID=sop_uid) == []
        base = f"{ROOT}/studies/{study_uid}/series/{series.uid}"
        inside = ("", "/metadata", "/rendered", "/frames/1", "/frames/1/rendered", "/bulkdata", "/bulkdata/7FE00010")
        addresses = [
            base,
            *(f"{base}/{name}" for name in ("metadata", "instances", "rendered", "thumbnail", "bulkdata")),
        ]
        addresses += [f"{base}/instances/{sop_uid}{name}" for name in (*inside, "/thumbnail", "/frames/1/thumbnail")]
        told = [blind.get(address) for address in addresses]
        assert {answer.status_code for answer in told} == {404}
        for answer in told:
            assert answer.json()["sentence"] == "There is no such series in this campaign."
    seen = client_of(place.reader)
    assert seen.get(f"{ROOT}/studies/{study_uid}/series/{hidden.first().uid}").status_code in (200, 404)
    whole = blind.get(f"{ROOT}/studies/{study_uid}/metadata").json()
    assert {first(one, MODALITY) for one in whole} == {"CT"}


def test_a_superseded_reading_takes_its_objects_off_the_shelf(place, signed):
    from webapp.readings.models import Reading

    Reading.objects.filter(pk=signed.pk).update(state=Reading.SUPERSEDED)
    assert all("signed by" not in name for name in modalities(client_of(place.coordinator))[3])


def test_readers_of_one_case_do_not_see_each_other_while_they_are_blinded(place, signed, run_jobs):
    restage(place.campaign, readers=2)
    place.campaign.protocols.update(terms=Terms(unblinded_when="campaign_closed").stored)
    read_and_sign(place.case, place.other_reader, letter_f(place.volume.shape_zyx) * 0)
    run_jobs()
    names = {person.username: modalities(client_of(person))[3] for person in (place.reader, place.other_reader)}
    assert not any("Covid-Other" in name for name in names["covid-reader"])
    assert not any("Covid-Reader" in name for name in names["covid-other"])
    everyone = modalities(client_of(place.coordinator))[3]
    assert sum("signed by" in name for name in everyone) == 6


def test_searching_leaves_no_trace_and_looking_does(place, reader):
    before = Event.objects.count()
    found(reader, "/studies")
    assert Event.objects.count() == before


def test_hostile_addresses_get_sentences(place, reader):
    answers = {
        "/studies/..%2f..%2fetc/series": (400, 404),
        "/studies/1.2.3'--/series": (400,),
        "/studies/%00/series": (400,),
        f"/studies/{'1' * 65}/series": (400,),
        "/studies/1..2/metadata": (400,),
    }
    for path, expected in answers.items():
        answer = reader.get(f"{ROOT}{path}")
        assert answer.status_code in expected, path
    assert reader.get("/dicomweb/no-such/studies").json()["sentence"] == "There is no such campaign."
    assert Instance.objects.exists()


def test_only_reading_is_allowed(place, reader):
    for method in ("post", "put", "delete", "patch"):
        answer = getattr(reader, method)(f"{ROOT}/series")
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD"
    assert reader.head(f"{ROOT}/studies").status_code == 200
