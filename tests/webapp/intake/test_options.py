"""What each option of the de-identification changes, and that a campaign's coordinators choose it."""

import io
from dataclasses import replace
from datetime import date, datetime, timedelta

import pydicom
import pytest
from django.core.management import call_command
from django.test import Client
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

from tests.factories.sites import a_campaign, a_person
from webapp.archive.models import Scan, Study
from webapp.archive.queries import files_of
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import set_deidentification
from webapp.campaigns.deidentification import DeidentificationOptions
from webapp.campaigns.models import Campaign, Case
from webapp.intake.deidentification import Deidentifier
from webapp.intake.identity import Identity
from webapp.intake.personal import Identifiers
from webapp.intake.profile import Profile

DEFAULT = DeidentificationOptions()
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
IDENTITY = Identity("MRN-77", "Issuer")


def an_image(**values: object) -> Dataset:
    """A CT slice's header with what the options are about."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    dataset.StudyDate, dataset.StudyTime, dataset.AcquisitionDate = "20200401", "101500", "20200402"
    dataset.AcquisitionDateTime, dataset.ContentDate, dataset.ContentTime = "20200401101500.5", "20200401", "1015"
    dataset.PatientAge, dataset.PatientSex, dataset.PatientWeight, dataset.PatientSize = "093Y", "F", "71.5", "1.68"
    dataset.SmokingStatus, dataset.EthnicGroup = "NO", "Cornish"
    dataset.StationName, dataset.DeviceSerialNumber, dataset.GantryID = "ROOM9", "SN42", "G1"
    dataset.DeviceUID, dataset.DateOfLastCalibration = "1.2.9", "20191231"
    dataset.Manufacturer, dataset.ManufacturerModelName = "ACME", "Spiral 3"
    dataset.StudyDescription, dataset.SeriesDescription = "CT CHEST Dr Nobody", "Lung 1.0"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset.set_original_encoding(False, True)
    return dataset


def cleaned(dataset: Dataset, **options: object) -> Dataset:
    """The data set as it is read back from its de-identified file."""
    profile = Profile(replace(DEFAULT, **options))
    deidentifier = Deidentifier(IDENTITY, Identifiers(["Nobody"]), profile)
    return pydicom.dcmread(io.BytesIO(deidentifier.file_of(deidentifier.clean(dataset))))


def day(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()


def codes(dataset: Dataset) -> set[str]:
    return {item.CodeValue for item in dataset.DeidentificationMethodCodeSequence}


def test_dates_are_moved_or_removed():
    moved = cleaned(an_image())
    assert day(moved.StudyDate) == date(2020, 4, 1) - timedelta(days=IDENTITY.shift_days)
    assert day(moved.AcquisitionDate) - day(moved.StudyDate) == timedelta(days=1)
    assert (moved.StudyTime, moved.ContentTime) == ("101500", "1015")
    assert moved.AcquisitionDateTime == f"{moved.StudyDate}101500.5"
    assert moved.LongitudinalTemporalInformationModified == "MODIFIED"
    assert "113107" in codes(moved)
    without = cleaned(an_image(), dates="remove")
    assert (without.StudyDate, without.StudyTime, without.ContentDate, without.ContentTime) == ("", "", "", "")
    assert not {"AcquisitionDate", "AcquisitionDateTime", "DateOfLastCalibration"} & set(without.dir())
    assert without.LongitudinalTemporalInformationModified == "REMOVED"
    assert "113107" not in codes(without)


def test_files_of_many_frames_keep_dates_that_say_nothing():
    frame = Dataset()
    content = Dataset()
    content.FrameAcquisitionDateTime, content.FrameReferenceDateTime = "20200401101500", "20200401101500"
    frame.FrameContentSequence = Sequence([content])
    without = cleaned(
        an_image(SOPClassUID=ENHANCED_CT, PerFrameFunctionalGroupsSequence=Sequence([frame])), dates="remove"
    )
    assert (without.ContentDate, without.ContentTime) == ("19000101", "000000")
    inner = without.PerFrameFunctionalGroupsSequence[0].FrameContentSequence[0]
    assert inner.FrameAcquisitionDateTime == inner.FrameReferenceDateTime == "19000101000000"


def test_patient_characteristics_are_kept_or_removed():
    kept = cleaned(an_image())
    assert (kept.PatientAge, kept.PatientSex, kept.PatientWeight, kept.SmokingStatus) == ("090Y", "F", 71.5, "NO")
    assert "EthnicGroup" not in kept
    assert "113108" in codes(kept)
    without = cleaned(an_image(), characteristics=False)
    assert without.PatientSex == ""
    assert not {"PatientAge", "PatientWeight", "PatientSize", "SmokingStatus"} & set(without.dir())
    assert "113108" not in codes(without)


def test_device_is_removed_or_kept():
    without = cleaned(an_image())
    assert not {"StationName", "DeviceSerialNumber", "GantryID"} & set(without.dir())
    assert without.DeviceUID != "1.2.9"
    assert (without.Manufacturer, without.ManufacturerModelName) == ("ACME", "Spiral 3")
    assert "113109" not in codes(without)
    kept = cleaned(an_image(), device=True)
    assert (kept.StationName, kept.DeviceSerialNumber, kept.GantryID, kept.DeviceUID) == (
        "ROOM9",
        "SN42",
        "G1",
        "1.2.9",
    )
    assert "113109" in codes(kept)


def test_descriptions_are_cleaned_or_removed():
    clean = cleaned(an_image())
    assert (clean.StudyDescription, clean.SeriesDescription) == ("CT CHEST", "Lung 1.0")
    assert "113105" in codes(clean)
    without = cleaned(an_image(), descriptors="remove")
    assert not {"StudyDescription", "SeriesDescription", "ProtocolName"} & set(without.dir())
    assert "113105" not in codes(without)


def test_every_choice_is_a_profile_of_its_own_and_salts_the_uids():
    choices = [
        DeidentificationOptions(dates, characteristics, device, descriptors)
        for dates in ("shift", "remove")
        for characteristics in (True, False)
        for device in (True, False)
        for descriptors in ("clean", "remove")
    ]
    profiles = [Profile(options) for options in choices]
    assert len({profile.name for profile in profiles}) == 16
    assert all(len(profile.name) <= 64 for profile in profiles)
    uids = {str(cleaned(an_image(), **options.kept).SOPInstanceUID) for options in choices}
    assert len(uids) == 16
    for options in choices:
        assert DeidentificationOptions.of(options.kept) == options
        assert len(options.words) == 4


def test_what_is_no_option_is_refused():
    for wrong in ({"dates": "keep"}, {"descriptors": ""}, {"device": "yes"}, {"characteristics": 1}):
        with pytest.raises(ValueError, match="no such option"):
            DeidentificationOptions.of(wrong)


@pytest.mark.django_db
def test_scans_are_filed_under_their_campaigns_options(series, ingest, campaign):
    options = DeidentificationOptions("remove", False, True, "remove")
    set_deidentification(campaign=campaign, options=options, by=SYSTEM)
    ingest(series()[0].parent)
    scan = Scan.objects.get()
    assert Study.objects.get().shifted_date is None
    assert (scan.description, scan.patient_age_years, scan.sex) == ("", None, "")
    first = pydicom.dcmread(io.BytesIO(next(iter(files_of(scan)))))
    assert list(first.DeidentificationMethod) == ["Groundglass", Profile(options).name]
    event = Event.objects.get(name="campaign.deidentification_set")
    assert event.content["details"] == {"before": DEFAULT.kept, "after": options.kept}


@pytest.mark.django_db
def test_case_stays_one_case_when_the_options_changed_meanwhile(series, ingest, campaign):
    paths = series()
    ingest(paths[0].parent)
    set_deidentification(campaign=campaign, options=replace(DEFAULT, dates="remove"), by=SYSTEM)
    out, status = ingest(paths[0].parent)
    assert status == 0
    assert "recognised and not doubled" in out
    assert "under other options of de-identification" in out
    assert (Scan.objects.count(), Case.objects.count()) == (1, 1)
    dataset = pydicom.dcmread(paths[3])
    dataset.PixelData = bytes(len(dataset.PixelData))
    dataset.save_as(paths[3])
    out, status = ingest(paths[0].parent)
    assert status == 1
    assert "other images is a case of this campaign already" in out


@pytest.mark.django_db
def test_two_campaigns_with_other_options_have_a_scan_each_of_one_patient(series, ingest, campaign):
    paths = series()
    ingest(paths[0].parent)
    other = a_campaign("other")
    set_deidentification(campaign=other, options=replace(DEFAULT, dates="remove"), by=SYSTEM)
    call_command("ingest", str(paths[0].parent), campaign="other", stdout=io.StringIO())
    first, second = Scan.objects.order_by("filed_at")
    assert first.series_uid != second.series_uid
    assert first.study.patient == second.study.patient
    assert first.voxels_sha256 == second.voxels_sha256


@pytest.mark.django_db
@pytest.mark.parametrize("keeps_first", [True, False], ids=["kept first", "removed first"])
def test_sex_that_one_campaign_kept_shows_in_no_other(series, ingest, campaign, keeps_first, run_jobs):
    other = a_campaign("other")
    without = other if keeps_first else campaign
    options = replace(DEFAULT, characteristics=False)
    set_deidentification(campaign=without, options=options, by=SYSTEM)
    folder = series(patient_sex="F")[0].parent
    ingest(folder)
    call_command("ingest", str(folder), campaign="other", stdout=io.StringIO())
    run_jobs()
    assert Scan.objects.count() == 2
    assert Scan.objects.values("study__patient").distinct().count() == 1
    for place in (campaign, other):
        sex = "" if place == without else "F"
        scan = Scan.objects.get(cases__campaign=place)
        assert scan.sex == sex
        client = Client()
        client.force_login(a_person(f"robin-{place.slug}", place, "coordinator"))
        listed, shown = (client.get(url).content.decode() for url in ("/scans/", f"/scans/{scan.pk}/"))
        assert ("<td>F</td>" in listed, "female" in shown) == (bool(sex), bool(sex))
        found = client.get(f"/dicomweb/{place.slug}/studies", headers={"Accept": "application/dicom+json"}).json()
        assert [study["00100040"].get("Value", [""]) for study in found] == [[sex]]
        asked = client.get(f"/dicomweb/{place.slug}/studies?PatientSex=F", headers={"Accept": "application/dicom+json"})
        assert (asked.status_code == 200 and len(asked.json())) == (1 if sex else 0)


@pytest.mark.django_db
def test_coordinator_chooses_on_the_page_and_members_read_it(campaign):
    coordinator, reader = Client(), Client()
    coordinator.force_login(a_person("clara", campaign, "coordinator"))
    reader.force_login(a_person("robin", campaign, "radiologist"))
    page = "/campaigns/covid/de-identification/"
    assert "moved back by each patient" in reader.get(page).content.decode()
    assert "from now on</button>" not in reader.get(page).content.decode()
    chosen = {"dates": "remove", "characteristics": "False", "device": "True", "descriptors": "clean"}
    assert reader.post(page, chosen).status_code == 403
    assert coordinator.post(page, chosen, follow=True).status_code == 200
    assert Campaign.objects.get().deidentification_options == DeidentificationOptions("remove", False, True, "clean")
    assert "Dates and times are removed." in coordinator.get(page).content.decode()
    assert coordinator.post(page, chosen).status_code == 409
    assert coordinator.post(page, {"dates": "never"}).status_code == 400


@pytest.mark.django_db
def test_only_coordinators_set_options(campaign):
    with pytest.raises(ActionRefused):
        set_deidentification(
            campaign=campaign, options=replace(DEFAULT, device=True), by=a_person("kim", campaign, "technician")
        )
