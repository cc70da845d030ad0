"""No string of a made-up identity survives: in files, rows, lines, logs, whatever the hospital hid it in."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEGLSLossless, RLELossless, generate_uid

from tests.factories.identities import UID_ROOT, write_identities
from webapp.archive.models import Instance, Patient, Scan, Study
from webapp.archive.queries import files_of
from webapp.campaigns.deidentification import DeidentificationOptions
from webapp.intake import deidentification, identity
from webapp.intake.deidentification import Deidentifier
from webapp.intake.descriptors import clean_description
from webapp.intake.identity import Identity
from webapp.intake.names import shown_name, shown_words
from webapp.intake.personal import Identifiers, identifiers_in
from webapp.intake.profile import Profile
from webapp.intake.shifting import capped_age, shifted_date, shifted_datetime

OLD_UID_ROOT = UID_ROOT
DEFAULT = Profile(DeidentificationOptions())


def new_uid(uid: str, profile: Profile = DEFAULT) -> str:
    return identity.new_uid(uid, profile.name)


@pytest.fixture
def sent(series):
    """A series full of its patient's identity (tests/webapp/intake/test_leaks.py looks for what survives)."""
    return write_identities(series("Featherstonehaugh_MRN-77-04711-XQ"))


@pytest.mark.django_db
def test_what_reading_needs_is_kept_and_marked(sent, ingest):
    ingest(sent)
    scan = Scan.objects.get()
    first = pydicom.dcmread(io.BytesIO(next(iter(files_of(scan)))))
    assert first.PatientName == first.PatientID == Patient.objects.get().pseudonym
    assert first.PatientIdentityRemoved == "YES"
    assert list(first.DeidentificationMethod) == ["Groundglass", DEFAULT.name]
    codes = {item.CodeValue for item in first.DeidentificationMethodCodeSequence}
    assert codes == {"113100", "113105", "113107", "113108"}
    assert first.LongitudinalTemporalInformationModified == "MODIFIED"
    assert (first.PatientAge, scan.patient_age_years) == ("090Y", 90)
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID
    assert first.ConvolutionKernel == scan.kernel == "B60f"
    assert scan.description == "Lung 1.0"
    assert list(first.ImageType)[:3] == ["ORIGINAL", "PRIMARY", "AXIAL"]
    reference = first.ReferencedImageSequence[0]
    assert reference.ReferencedSOPInstanceUID == new_uid(f"{OLD_UID_ROOT}.1")
    assert reference.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert Instance.objects.filter(sop_uid=new_uid(f"{OLD_UID_ROOT}.5.0")).exists()
    identity = Identity("MRN-77-04711-XQ", "Godmanchester")
    assert first.StudyDate == shifted_date(identity, "20200401") != "20200401"
    assert f"{Study.objects.get().shifted_date:%Y%m%d}" == first.StudyDate


@pytest.mark.django_db
def test_name_in_a_comment_of_compressed_pixels_goes_and_voxels_stay(series, ingest):
    ingest(series()[0].parent)
    plain = Scan.objects.get()
    paths = series("with comments", patient_id="another")
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.PatientName = "Featherstonehaugh"
        dataset.SeriesInstanceUID += ".1"
        dataset.SOPInstanceUID += ".1"
        dataset.compress(JPEGLSLossless, generate_instance_uid=False)
        frame = pydicom.encaps.get_frame(dataset.PixelData, 0, number_of_frames=1)
        comment = b"\xff\xfe\x00\x14Featherstonehaugh\x00"
        dataset.PixelData = pydicom.encaps.encapsulate([frame[:2] + comment + frame[2:]])
        dataset.save_as(path)
    out, status = ingest(paths[0].parent)
    assert status == 0, out
    scan = Scan.objects.exclude(pk=plain.pk).get()
    assert scan.voxels_sha256 == plain.voxels_sha256
    assert not any(b"featherstonehaugh" in content.lower() for content in files_of(scan))


@pytest.mark.django_db
@pytest.mark.parametrize("written", [b"Featherstonehaugh", b"FEATHERSTONEHAUGH"])
def test_name_that_is_spelled_by_compressed_pixels_refuses_the_series(series, ingest, written):
    paths = series()
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.PatientName = "Featherstonehaugh"
        values = np.frombuffer(dataset.PixelData, "<u2").copy()
        values[: len(written)] = list(written)
        dataset.PixelData = values.tobytes()
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    out, status = ingest(paths[0].parent)
    assert status == 1
    assert "still inside the image data" in out
    assert Scan.objects.count() == 0


HISTORIES = [
    "Clinical Information: cough, groundglass opacities. Chest and lung, contrast medium given; original study axial.",
    "Basic application of an inhaler; clean profile, dates modified by the clinic, patient characteristics too.",
    "Klinische Angaben: Husten seit 3 Wochen, Milchglas beidseits, Lunge und Thorax nativ, Kontrast; 2019 COVID-19.",
    "Smoker, forty pack years, works in a performance group; portable oxygen, standard kernel, Siemens machine.",
]


@pytest.mark.django_db
@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("keyword", ["AdditionalPatientHistory", "PatientComments"])
def test_a_history_in_plain_words_changes_nothing(series, ingest, keyword, history):
    kept = ("SeriesDescription", "BodyPartExamined", "ConvolutionKernel", "Manufacturer", "ImageType", "FilterType")
    said = ("Lung 1.0 with contrast", "CHEST", "STANDARD", "SIEMENS", ["ORIGINAL", "PRIMARY", "AXIAL"], "BODY FILTER")
    paths = series()
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.PatientName = "Prima^Ann"
        dataset.InstitutionalDepartmentName, dataset.StationName = "Chest Imaging", "CTLUNG"
        setattr(dataset, keyword, history)
        dataset.MedicalAlerts, dataset.Occupation = "Contrast allergy", "Performance artist"
        for name, value in zip(kept, said, strict=True):
            setattr(dataset, name, value)
        dataset.save_as(path)
    out, status = ingest(paths[0].parent)
    assert status == 0, out
    first = pydicom.dcmread(io.BytesIO(next(iter(files_of(Scan.objects.get())))))
    assert tuple(first[name].value for name in kept) == said
    assert keyword not in first


@pytest.mark.parametrize("keyword", ["AdditionalPatientHistory", "PatientComments", "MedicalAlerts"])
def test_a_name_in_a_free_text_is_found_wherever_it_stands(keyword):
    dataset = Dataset()
    dataset.PatientName = "Featherstonehaugh^Jo"
    setattr(dataset, keyword, "cough; neighbour of Todmorden and Ng-Rees, knows Mr Featherstonehaugh, MRN 4711-XQ")
    identifiers = identifiers_in([dataset])
    assert identifiers.cleaned("v1 for Todmorden, REES and FeatherstonehaughX 4711") == "v1 for , and X"
    assert identifiers.have_word_of("TODMORDEN_1")
    assert identifiers.may_be_in(b"for todmorden")
    assert identifiers.are_in_elements(b"xxFEATHERSTONEHAUGHxx")


def test_what_a_free_text_says_alone_refuses_nothing():
    """It is taken out of what is kept; a history's word in the finished file means nobody."""
    dataset = Dataset()
    dataset.PatientComments = "performance of Todmorden"
    identifiers = identifiers_in([dataset])
    assert not identifiers.are_in_elements(b"performance of Todmorden")
    assert identifiers.cleaned("High Performance for Todmorden") == "High for"


def test_a_persons_attribute_is_no_free_text_whatever_the_file_calls_it():
    dataset = Dataset()
    dataset.add_new(0x00100010, "LT", "Chest^Lung")
    assert {"Chest", "Lung"} <= identifiers_in([dataset]).words


@pytest.mark.parametrize("hidden", ["Smith", "SMITH", "smith", "xSmithx"])
def test_short_names_are_found_in_elements_in_any_case(hidden):
    identifiers = Identifiers(["Smith^Jo"])
    assert identifiers.are_in_elements(b"LO\x06\x00" + hidden.encode() + b"SH")
    assert not identifiers.are_in_elements(b"LO\x06\x00ORIGINAL")


@pytest.mark.parametrize(
    "written",
    [
        *("19480312", "1948-03-12", "1948/03/12", "12.03.1948", "12.3.1948", "03/12/1948", "3/12/1948", "12/03/1948"),
        *("12-03-1948", "12031948", "12 Mar 1948", "12-MAR-1948", "12MAR1948", "March 12, 1948", "12. März 1948"),
        *("12.03.48", "12/03/48", "03/12/48", "48-03-12", "480312", "120348"),
    ],
)
def test_a_birth_date_is_found_however_it_is_written(written):
    dataset = Dataset()
    dataset.PatientBirthDate = "19480312"
    identifiers = identifiers_in([dataset])
    assert identifiers.cleaned(f"v1 of {written}, x") == "v1 of , x"
    assert identifiers.may_be_in(f"v1 of {written}".encode())
    whole_year = "1948" in written
    assert identifiers.are_in_elements(b"LO\x0c\x00" + written.encode() + b"SH") == whole_year


def test_a_time_or_a_version_that_looks_like_a_short_date_refuses_nothing():
    identifiers = Identifiers(["19480312"])
    assert not identifiers.are_in_elements(b"TM\x06\x00120348LO\x08\x0012.03.48")
    assert identifiers.cleaned("5120348 2.25.4803129") == "5120348 2.25.4803129"


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Li^Na", "for LI, na and Lin", "for , and Lin"),
        ("Ng^A", "FILTER A of Ng", "FILTER A of"),
        ("Ge^Ct", "GE CT scanner", "GE CT scanner"),
        ("山田^太郎", "v1山田様", "v1 様"),
        ("山田花^太郎", "v1山田花様", "v1 様"),
        ("王^小东", "为王先生", "为 先生"),
        ("Dr^Jo", "Dr and Jo", "Dr and"),
    ],
)
def test_short_names_are_taken_out_where_they_stand_alone(name, text, left):
    dataset = Dataset()
    dataset.SpecificCharacterSet, dataset.PatientName = "ISO_IR 192", name
    identifiers = identifiers_in([dataset])
    assert identifiers.cleaned(text) == left
    assert identifiers.may_be_in(text.encode()) or text == left


def test_short_names_go_from_codes_and_versions_of_a_file():
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99LOCAL", "Chest of Li"
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    dataset.PatientName, dataset.PatientBirthDate = "Li^Ng", "19480312"
    dataset.SoftwareVersions, dataset.AnatomicRegionSequence = ["v1 Ng", "12.03.1948", "of 12/03/48"], Sequence([code])
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset.set_original_encoding(False, True)
    deidentifier = Deidentifier(Identity("1"), identifiers_in([dataset]), DEFAULT)
    read = pydicom.dcmread(io.BytesIO(deidentifier.file_of(deidentifier.clean(dataset))))
    assert list(read.SoftwareVersions) == ["v1", "", "of"]
    assert read.AnatomicRegionSequence[0].CodeMeaning == "Chest of"


def test_a_name_within_an_ordinary_word_is_not_there():
    assert not Identifiers(["Prima^Ann"]).are_in_elements(b"ORIGINAL\\PRIMARY\\AXIAL")
    assert Identifiers(["Prima^Ann"]).are_in_elements(b"ORIGINAL\\PRIMAX\\AXIAL")


def test_pseudonyms_depend_on_issuer_and_id_and_key(settings):
    one = Identity("123", "A")
    assert one.pseudonym == Identity(" 123 ", "A", "other study").pseudonym
    assert len({one.pseudonym, Identity("123", "B").pseudonym, Identity("3", "A12").pseudonym}) == 3
    before = one.pseudonym, one.shift_days, new_uid("1.2.3")
    settings.PSEUDONYM_KEY = "another key"
    after = one.pseudonym, one.shift_days, new_uid("1.2.3")
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_empty_id_never_merges_two_people():
    assert Identity("", "A", "1.2").pseudonym != Identity("", "A", "1.3").pseudonym
    assert Identity("  ", "", "", "1.4").pseudonym != Identity("", "", "", "1.5").pseudonym
    assert Identity("", "A", "1.2", "1.4").pseudonym == Identity("", "B", "1.2", "1.5").pseudonym


def test_new_uids_are_valid_and_always_the_same():
    uid = new_uid("1.2.3")
    assert uid == new_uid("1.2.3") != new_uid("1.2.4")
    assert pydicom.uid.UID(uid).is_valid
    assert len(uid) <= 64


def test_a_patients_dates_keep_their_distance():
    identity = Identity("123")
    first, second = (shifted_date(identity, day) for day in ("20200401", "20200415"))
    days = [np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in (first, second)]
    assert (days[1] - days[0]).astype(int) == 14
    assert shifted_datetime(identity, "20200401101500.123+0100") == first + "101500.123+0100"
    assert shifted_date(identity, "Jane's birthday") == ""
    assert shifted_datetime(identity, "20200401 Jane") == first


@pytest.mark.parametrize(
    ("age", "kept"),
    [("089Y", "089Y"), ("090Y", "090Y"), ("101Y", "090Y"), ("1100M", "090Y"), ("018M", "018M"), ("Jane", ""), ("", "")],
)
def test_ages_above_89_become_90(age, kept):
    assert capped_age(age) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ThorRoutine  2.0  D40s", "ThorRoutine 2.0 D40s"),
        ("CT CHEST Dr. Featherstonehaugh 19310304", "CT CHEST"),
        ("Lung 1.25 mm axial", "Lung 1.25 mm axial"),
        ("<script>alert(1)</script>", ""),
        ("4711", ""),
        ("Chest 12.03.48", "Chest"),
        ("lung 12/03/1948", "lung"),
        ("CT 12 03 48 lung", "CT lung"),
        ("12-03-48 mm lung", "mm lung"),
        ("Lung 12.03", "Lung"),
        ("Lung 3.12", "Lung"),
        ("Lung 12 + 03", "Lung"),
        ("Chest 48", "Chest"),
        ("thorax 47 11", "thorax"),
        ("Lung 0.625", "Lung 0.625"),
        ("Thorax 1.25mm B60f", "Thorax 1.25 mm B60f"),
        ("Thorax 1.0 x 0.7 B60f", "Thorax 1.0 x 0.7 B60f"),
    ],
)
def test_descriptions_keep_known_words_only(text, kept):
    assert clean_description(text) == kept


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("000012.dcm", "000012.dcm"),
        ("slice-0001.dcm", "slice-0001.dcm"),
        ("Doe_Jane_19600101.dcm", "….dcm"),
        ("../../etc/passwd", "…"),
        ("<script>.dcm", "….dcm"),
        ("Meier_1948-03-12.dcm", "….dcm"),
        ("scan 1948-03-12.dcm", "scan ….dcm"),
        ("scan1948.dcm", "scan….dcm"),
        ("04.03.1931.dcm", "….dcm"),
        ("0157-5550123.dcm", "….dcm"),
        ("image 12 Mar 48.dcm", "image ….dcm"),
        ("MRN 4711.dcm", "….dcm"),
        ("MRN 0004711.dcm", "….dcm"),
        ("4711.dcm", "….dcm"),
        ("12.dcm", "12.dcm"),
        ("IM4711.dcm", "IM4711.dcm"),
        ("I0000123", "I0000123"),
        ("Series 3 Image 12.dcm", "Series … Image 12.dcm"),
        ("coronacases_001.nii.gz", "…_001.nii.gz"),
        ("export/IM-0001-0012.dcm", "IM-0001-0012.dcm"),
        ("IM-0003-0140-0001.dcm", "IM-0003-0140-0001.dcm"),
        ("IM-0012-1948.dcm", "IM-….dcm"),
        ("IM-1203-0048.dcm", "IM-….dcm"),
        ("IM-12-03-1948.dcm", "IM-….dcm"),
        ("IM-0001-0012-4711.dcm", "IM-….dcm"),
        ("Meier-IM-0001-0012.dcm", "…-IM-….dcm"),
        ("MR-0001-0012.dcm", "….dcm"),
        ("IM-0001-0012.Meier", "IM-…"),
    ],
)
def test_file_names_are_shown_without_names(name, shown):
    assert shown_name(name) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Lesion 3", "Lesion 3"),
        ("COVID-19", "COVID-19"),
        ("Lung 12.03.48", "Lung …"),
        ("lesion 12 03", "lesion …"),
        ("lobe 12 Mar 48", "lobe …"),
        ("Meier 12", "…"),
    ],
)
def test_names_of_segments_are_shown_without_dates(name, shown):
    assert shown_words(name) == shown


def test_identifiers_in_other_alphabets_are_found():
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = "山田^太郎=Yamada^Tarou"
    dataset.PatientID = "99-1"
    identifiers = identifiers_in([dataset])
    assert identifiers.cleaned("scan of YAMADA tarou") == "scan of"


def test_every_level_of_nesting_is_cleaned():
    deep = Dataset()
    deep.PatientName = "Featherstonehaugh"
    deep.ReferencedSOPInstanceUID = "1.2.3"
    middle = Dataset()
    middle.PurposeOfReferenceCodeSequence = Sequence([deep])
    middle.ReferencedImageSequence = Sequence([deep])
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", generate_uid()
    dataset.SourceImageSequence = Sequence([middle])
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset.set_original_encoding(False, True)
    deidentifier = Deidentifier(Identity("1"), Identifiers(["Featherstonehaugh"]), DEFAULT)
    content = deidentifier.file_of(deidentifier.clean(dataset))
    assert b"Featherstonehaugh" not in content
    assert new_uid("1.2.3").encode() in content


def cleaned(*identifiers: str, **values: object) -> bytes:
    """The de-identified file of a small data set; `values` may be (VR, value) by a tag in hexadecimal."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    for name, value in values.items():
        if name.startswith("x"):
            dataset.add_new(int(name[1:], 16), *value)  # type: ignore[misc]
        else:
            setattr(dataset, name, value)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=False, implicit_vr=False, little_endian=True)
    sent = pydicom.dcmread(io.BytesIO(buffer.getvalue()), force=True)
    deidentifier = Deidentifier(Identity("1"), Identifiers(identifiers), DEFAULT)
    return deidentifier.file_of(deidentifier.clean(sent))


@pytest.mark.parametrize(
    "hidden",
    [
        {"x00180060": ("LO", "Nobody^Known")},  # KVP as text
        {"x00189306": ("UT", "Nobody Known")},  # a double as unlimited text
        {"x00280030": ("LO", "Nobody\\Known")},  # PixelSpacing
        {"x00080060": ("LO", "Nobody Known")},  # Modality in small letters
        {"x00080020": ("LO", "Nobody Known")},  # StudyDate
        {"x00080030": ("LO", "Nobody Known")},  # StudyTime
        {"x0020000D": ("LO", "1.2.840.10008.Nobody.Known")},  # a UID that is none
        {"x00080018": ("LO", "Nobody.Known")},
        {"x00100010": ("UN", b"Nobody^Known")},
        {"x00100010": ("OB", b"Nobody^Known")},
        {"x00100020": ("LT", "Nobody Known")},
        {"x00081030": ("UN", b"Nobody Known")},
        {"x00280010": ("OB", b"Nobody Known" * 2)},  # Rows
        {"x00189999": ("LO", "Nobody Known")},  # in no dictionary
        {"x00080000": ("UL", 1), "x00090010": ("LO", "Nobody Known"), "x00091001": ("PN", "Nobody^Known")},
        {"x60020022": ("LO", "Nobody Known"), "x50000030": ("LO", "Nobody Known")},
        {"x00420011": ("OB", b"%PDF Nobody Known")},
        {"x00880200": ("SQ", [Dataset()]), "x00204000": ("LT", "Nobody Known")},
        {"x00080201": ("SH", "Nobody Known")},
        {"x00181250": ("SH", "Nobody Known")},  # a coil's name: no attribute of CT
    ],
)
def test_text_that_no_one_expects_goes_though_nobody_knows_the_words(hidden):
    content = cleaned(**hidden)
    assert b"Nobody" not in content
    assert b"Known" not in content


def test_only_uids_that_dicom_registers_stay():
    content = cleaned(StudyInstanceUID="1.2.840.10008.19310304.4711", FrameOfReferenceUID="1.2.840.10008.1.4.1.1")
    assert b"19310304" not in content
    assert b"1.2.840.10008.1.4.1.1" in content


def test_code_words_stay_unless_they_are_the_patients():
    content = cleaned(
        "Mono",
        "CHOLMONDELEY",
        PhotometricInterpretation="MONOCHROME2",
        ImageType=["ORIGINAL", "CHOLMONDELEY_1", "MONO"],
    )
    dataset = pydicom.dcmread(io.BytesIO(content))
    assert (dataset.PhotometricInterpretation, list(dataset.ImageType)) == ("MONOCHROME2", ["ORIGINAL", "", ""])


@pytest.mark.parametrize("charset", ["ISO_IR 192", "ISO 2022 IR 87", "ISO 2022 IR 149", "GB18030", "ISO_IR 144"])
def test_character_sets_stay_and_hide_nothing(charset):
    names = {
        "ISO_IR 192": "Wymondham^Grüße",
        "ISO 2022 IR 87": "山田^太郎",
        "ISO 2022 IR 149": "김희중",
        "GB18030": "王小东",
        "ISO_IR 144": "Люкceмбypг",
    }
    charsets = ["", charset] if "2022" in charset else charset
    dataset = Dataset()
    dataset.SpecificCharacterSet = charsets
    dataset.PatientName = names[charset]
    words = identifiers_in([dataset]).words
    content = cleaned(
        *words, SpecificCharacterSet=charsets, PatientName=names[charset], ManufacturerModelName=f"for {names[charset]}"
    )
    read = pydicom.dcmread(io.BytesIO(content))
    assert read.ManufacturerModelName in ("for", "")
    for word in names[charset].split("^"):
        assert word not in str(read)
    assert read.SpecificCharacterSet == dataset.SpecificCharacterSet


def test_numbers_in_uids_and_coordinates_are_no_patient_number():
    """Digits of a patient's number stand in some UID by chance; refusing that series would refuse many."""
    identifiers = Identifiers(["123456"])
    assert not identifiers.are_in_elements(b"2.25.99123456001 -123456.5 0.123456")
    assert identifiers.are_in_elements(b"LO\x06\x00123456SH")
    assert identifiers.are_in_elements(b"MRN123456 ")


def test_pixels_within_sequences_and_of_other_types_go():
    picture = Dataset()
    picture.add_new("PixelData", "OB", b"Nobody Known")
    content = cleaned(
        ReferencedImageSequence=Sequence([picture]),
        x7FE00008=("OF", b"Nobody Known"),
        x7FE00009=("OD", b"Nobody Known Nobody Kno"),
    )
    assert b"Nobody" not in content


def test_institutions_words_do_not_maim_a_makers_name():
    words = Identifiers(["St Swithuns Medical Center"])
    assert words.cleaned("GE MEDICAL SYSTEMS") == "GE MEDICAL SYSTEMS"
    assert words.cleaned("for St Swithuns") == "for St"


def files_of_many(paths) -> int:
    """De-identify files as one series, each twice over; the files must be what pydicom would write. How many joined."""
    deidentifier = Deidentifier(Identity("1"), Identifiers([]), DEFAULT)
    joined = 0
    for path in [*paths, *paths]:
        header = pydicom.dcmread(path, force=True)
        header.file_meta.TransferSyntaxUID = header.file_meta.get("TransferSyntaxUID", "1.2.840.10008.1.2")
        dataset = deidentifier.clean(header)
        content = deidentifier.file_of(dataset)
        expected = io.BytesIO()
        pydicom.dcmwrite(expected, dataset, enforce_file_format=True)
        assert content == expected.getvalue(), path.name
        joined += deidentification._keeps_its_encoding(dataset)
    return joined


def test_files_are_what_pydicom_would_write(sent):
    paths = sorted(path for path in sent.rglob("*") if path.is_file())
    assert files_of_many(paths) == 2 * len(paths)


def test_files_of_every_transfer_syntax_are_what_pydicom_would_write(data_folder):
    paths = sorted(path for path in (data_folder / "dicom" / "transfer-syntaxes").iterdir() if path.is_file())
    assert files_of_many(paths) >= 2 * (len(paths) - 2), "all but the deflated one and none else"
