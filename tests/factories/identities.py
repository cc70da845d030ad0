"""A made-up patient, written wherever hospitals write identities and where they should not; and a search for them."""

import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

# Every one of them unlike anything that a scanner, this product or a test writes by itself.
SECRETS = [
    *("Featherstonehaugh", "Marjoribanks", "Cholmondeley", "Mainwaring", "Beauchamp", "Leveson", "Godmanchester"),
    *("MRN-77-04711-XQ", "ACC998877", "19310304", "0157-5550123", "SCANNER-ROOM-9", "SN0042424242", "VISIT-5511"),
    *("St Swithuns Infirmary", "Wymondham Lane 7", "Pontefract", "Todmorden"),
    *("山田太郎", "ヤマダタロウ", "Grünkäfer", "Люкceмбypг", "김희중"),
    "1.3.6.1.4.1.99999.7",
    *("Ramsbottom", "Oswaldtwistle"),
]
# Parts of them that would do as well: so short that they count only where no digit, letter a to f or dot stands beside.
# No row has such a number: they begin with zeros, or are dates.
PIECES = ["04711", "1931-03-04", "04.03.1931", "04.03.31"]
SECRETS += PIECES
UID_ROOT = "1.3.6.1.4.1.99999.7"
ENCODINGS = (
    "utf-8",
    "latin-1",
    "shift_jis",
    "iso2022_jp",
    "iso2022_jp_2",
    "euc_kr",
    "gb18030",
    "iso8859_5",
    "utf-16-le",
)


def add_identity(dataset: Dataset, number: int = 0) -> None:
    """Write the identity into one image; `number` tells the images of a series apart."""
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = "Featherstonehaugh^Marjoribanks=山田太郎=ヤマダタロウ"
    dataset.PatientID = "MRN-77-04711-XQ"
    dataset.IssuerOfPatientID = "Godmanchester"
    dataset.OtherPatientIDs = ["Cholmondeley", "MRN-77-04711-XQ"]
    dataset.OtherPatientNames = ["Grünkäfer^A", "Люкceмбypг^B", "김희중"]
    dataset.PatientBirthDate, dataset.PatientAge = "19310304", "093Y"
    dataset.PatientAddress, dataset.PatientTelephoneNumbers = "Wymondham Lane 7", "0157-5550123"
    dataset.AccessionNumber, dataset.StudyID, dataset.AdmissionID = "ACC998877", "VISIT-5511", "VISIT-5511"
    dataset.PatientComments = "neighbour of Ramsbottom, MRN 04711, *04.03.1931 (1931-03-04, 04.03.31)"
    dataset.AdditionalPatientHistory = "cough; groundglass opacities of the chest; seen before in Oswaldtwistle"
    dataset.ReferringPhysicianName = "Mainwaring^H"
    dataset.OperatorsName = ["Beauchamp^A", "Leveson^G"]
    dataset.InstitutionName, dataset.StationName = "St Swithuns Infirmary", "SCANNER-ROOM-9"
    dataset.DeviceSerialNumber = "SN0042424242"
    dataset.StudyDescription = "CT CHEST for Featherstonehaugh 04.03.31"
    dataset.SeriesDescription = "Lung 1.0 MARJORIBANKS 04.03.31"
    dataset.ProtocolName, dataset.ConvolutionKernel = "Chest Mainwaring", "B60f"
    dataset.ImageComments = "seen by Beauchamp in St Swithuns Infirmary"
    dataset.Manufacturer, dataset.ManufacturerModelName = "ACME for Grünkäfer", "Spiral of 김희중"
    dataset.FilterType, dataset.SoftwareVersions = (
        "FEATHERSTONEHAUGH",
        ["v1 for Leveson", "v2 Люкceмбypг", "v3 RAMSBOTTOM", "of Oswaldtwistle"],
    )
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", "CHOLMONDELEY"]
    _add_sequences(dataset)
    _add_odd_places(dataset)
    dataset.FrameOfReferenceUID, dataset.StudyInstanceUID = f"{UID_ROOT}.2", f"{UID_ROOT}.3"
    dataset.SeriesInstanceUID, dataset.SOPInstanceUID = f"{UID_ROOT}.4", f"{UID_ROOT}.5.{number}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.SourceApplicationEntityTitle = "Godmanchester"
    dataset.file_meta.PrivateInformationCreatorUID = f"{UID_ROOT}.6"
    dataset.file_meta.PrivateInformation = b"Featherstonehaugh."
    dataset.preamble = b"Featherstonehaugh".ljust(128, b"\0")


def _add_sequences(dataset: Dataset) -> None:
    deepest = Dataset()
    deepest.PatientID, deepest.PatientName = "MRN-77-04711-XQ", "Featherstonehaugh"
    deepest.add_new(0x00991001, "LO", "Cholmondeley")
    deepest.TextValue = "Marjoribanks"
    inner = Dataset()
    inner.ReferencedSOPClassUID, inner.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"{UID_ROOT}.1"
    inner.PatientID = "MRN-77-04711-XQ"
    inner.PurposeOfReferenceCodeSequence = Sequence([deepest])
    dataset.ReferencedImageSequence = Sequence([inner])
    dataset.SourceImageSequence = Sequence([inner])
    request = Dataset()
    request.RequestedProcedureDescription, request.ScheduledProcedureStepID = "Featherstonehaugh", "ACC998877"
    dataset.RequestAttributesSequence = Sequence([request])
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99LOCAL", "Chest of Featherstonehaugh"
    dataset.ProcedureCodeSequence = Sequence([code])
    japanese = Dataset()
    japanese.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    japanese.CodeValue, japanese.CodingSchemeDesignator, japanese.CodeMeaning = "2", "99LOCAL", "山田太郎"
    dataset.AnatomicRegionSequence = Sequence([japanese])
    original = Dataset()
    original.ModifiedAttributesSequence = Sequence([deepest])
    original.SourceOfPreviousValues, original.ModifyingSystem = "St Swithuns Infirmary", "SCANNER-ROOM-9"
    dataset.OriginalAttributesSequence = Sequence([original])


def _add_odd_places(dataset: Dataset) -> None:
    """Private blocks, overlays, wrong VRs, attributes that no dictionary knows, words that stand nowhere else."""
    block = dataset.private_block(0x0029, "HIDDEN BY Beauchamp", create=True)
    block.add_new(1, "LO", "Featherstonehaugh")
    block.add_new(2, "OB", b"MRN-77-04711-XQ")
    block.add_new(3, "UT", "Pontefract")
    item = Dataset()
    item.add_new(0x00290010, "LO", "HIDDEN BY Beauchamp")
    item.add_new(0x00291001, "PN", "Cholmondeley^C")
    block.add_new(4, "SQ", Sequence([item]))
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60003000, "OW", b"Marjoribanks")
    dataset.add_new(0x60000022, "LO", "Featherstonehaugh")
    dataset.add_new(0x00204000, "LT", "Featherstonehaugh")
    dataset.add_new(0x00189306, "UT", "Todmorden")  # a number's tag
    dataset.add_new(0x00181150, "LO", "Pontefract")  # ExposureTime
    dataset.add_new(0x00181250, "SH", "Todmorden")  # a coil's name
    dataset.add_new(0x00080080, "UN", b"St Swithuns Infirmary")
    dataset.add_new(0x00420011, "OB", b"%PDF- Featherstonehaugh")


def write_identities(paths: Iterable[Path]) -> Path:
    """Write the identity into the files of a series, and name them after the patient; return their folder."""
    folder = Path()
    for number, path in enumerate(paths):
        dataset = pydicom.dcmread(path)
        add_identity(dataset, number)
        if number == 6:
            dataset.PerformingPhysicianName = "Leveson^Gower"
        folder = path.parent
        path.unlink()
        dataset.save_as(folder / f"Featherstonehaugh_MRN-77-04711-XQ_04.03.1931_{number:03} 1931-03-04.dcm")
    return folder


def found_in(content: bytes) -> list[str]:
    """The secrets that stand in `content`, in any of the encodings, in capitals or not, or escaped as JSON does."""
    lowered = content.lower()
    unescaped = re.sub(rb"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)).encode(errors="replace"), lowered)
    return [
        secret
        for secret in SECRETS
        if (
            _alone(secret).search(lowered)
            if secret in PIECES
            else any(f in lowered or f in unescaped for f in _forms(secret))
        )
    ]


def _alone(piece: str) -> re.Pattern[bytes]:
    """A piece that is no part of a hash, a UID or a longer number."""
    return re.compile(rb"(?<![0-9a-f.])" + re.escape(piece.encode()) + rb"(?![0-9a-f])")


def _forms(secret: str) -> set[bytes]:
    forms = set()
    for encoding in ENCODINGS:
        for written in (secret, secret.lower(), secret.upper()):
            with contextlib.suppress(UnicodeError):
                # Escape sequences switch between character sets; they are the writer's choice.
                forms.add(re.sub(rb"\x1b[$()].", b"", written.encode(encoding)).lower())
    return {form for form in forms if len(form) > 3}


def everything_in(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, bytes]]:
    """Each table's name, and all of its rows: bytes as they are, everything else as text."""
    columns = connection.execute(
        "SELECT table_name, array_agg(column_name::text || ':' || data_type::text) FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name IN (SELECT table_name FROM information_schema.tables"
        " WHERE table_type = 'BASE TABLE') GROUP BY table_name"
    ).fetchall()
    assert len(columns) > 20
    for table, described in columns:
        names = [column.rsplit(":", 1) for column in described]
        wanted = ", ".join(f'"{name}"' if kind == "bytea" else f'"{name}"::text' for name, kind in names)
        rows = connection.execute(f'SELECT {wanted} FROM "{table}"').fetchall()
        cells = [cell.encode() if isinstance(cell, str) else bytes(cell) for row in rows for cell in row if cell]
        yield table, b"\n".join(cells)


def as_json(value: Any) -> bytes:
    """An event or an answer as it is sent."""
    return json.dumps(value, ensure_ascii=False, default=str).encode()
