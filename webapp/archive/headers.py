"""What the headers of DICOM files say, kept so that a search or a viewer's opening reads one row and no file."""

import io
import json
import re
from collections.abc import Iterable, Sequence
from datetime import time
from typing import Any

import zstandard
from pydicom import Dataset, dcmread

from inference.imaging.dicomjson import header_json
from inference.imaging.elements import numbers, text
from inference.imaging.transcode import syntax_of
from webapp.archive.models import Scan, Series
from webapp.archive.queries import files_of

LARGEST_BYTES = 512 * 1024 * 1024
WHOLE_TIME = re.compile(r"([01]\d|2[0-3])(?:([0-5]\d)(?:([0-5]\d)(\.\d{1,6})?)?)?")


def series_of_scan(scan: Scan) -> Series:
    """The row, unsaved, of a scan's own series, from its files. Raises storage.DamagedFile."""
    lines, first = [], None
    for content in files_of(scan):
        header = dcmread(io.BytesIO(content), stop_before_pixels=True)
        first = first or header
        lines.append(header_json(header))
    assert first is not None
    return series_row(scan, first, lines)


def series_row(scan: Scan, header: Dataset, lines: Sequence[str], made_from: Any = None) -> Series:
    """The row, unsaved, of a series whose first file has this header; `lines` is the DICOM JSON of each file."""
    number = numbers(header, "SeriesNumber", 1)
    return Series(
        scan=scan,
        made_from=made_from,
        uid=text(header, "SeriesInstanceUID") if made_from else scan.series_uid,
        modality=_short(header, "Modality", 16),
        number=int(number[0]) if number and abs(number[0]) < 2**31 else None,
        description=_short(header, "SeriesDescription", 64),
        body_part=_short(header, "BodyPartExamined", 16),
        protocol_name=_short(header, "ProtocolName", 64),
        manufacturer=_short(header, "Manufacturer", 64),
        model_name=_short(header, "ManufacturerModelName", 64),
        study_time=time_of(text(header, "StudyTime")),
        study_id=_short(header, "StudyID", 16),
        study_description=_short(header, "StudyDescription", 64),
        sop_class_uid=text(header, "SOPClassUID")[:64],
        transfer_syntax_uid=syntax_of(header)[:64],
        instance_count=len(lines),
        headers=packed(lines),
    )


def packed(lines: Iterable[str]) -> bytes:
    """Headers as they are kept."""
    return zstandard.ZstdCompressor(level=6).compress("\n".join(lines).encode())


def header_lines(series: Series) -> list[str]:
    """The DICOM JSON text of each instance of a series, in order."""
    return zstandard.ZstdDecompressor().decompress(bytes(series.headers), LARGEST_BYTES).decode().split("\n")


def headers_of(series: Series) -> list[dict[str, Any]]:
    """The DICOM JSON of each instance of a series, in order."""
    return [json.loads(line) for line in header_lines(series)]


def _short(header: Dataset, keyword: str, length: int) -> str:
    return text(header, keyword).replace("\0", "")[:length]


def time_of(written: str) -> time | None:
    """A time of day as DICOM writes it (HH, HHMM, HHMMSS, with a fraction); None for what is none."""
    match = WHOLE_TIME.fullmatch(written.replace(":", ""))
    if not match:
        return None
    hours, minutes, seconds, fraction = match.groups()
    return time(int(hours), int(minutes or 0), int(seconds or 0), int((fraction or ".0")[1:].ljust(6, "0")))
