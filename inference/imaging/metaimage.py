"""MetaImage files (.mha, and .mhd with its data beside it), as ITK writes them; coordinates are LPS.

The format has no library of its own but ITK, whose readers run in native code on whatever was sent
(docs/decisions/readers-of-volume-files.md); its header is a dozen lines of text.
"""

from typing import Any, BinaryIO

import numpy as np

from inference.imaging import gate
from inference.imaging.axes import Affine
from inference.imaging.findings import SeriesRefused
from inference.imaging.inflating import inflate, read_exactly
from inference.imaging.volume_files import Opened, StoredVolume, check_affine, check_shape

LONGEST_LINE, MOST_LINES = 64 * 1024, 1000
LARGEST_SKIP = 16 * 1024 * 1024
TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}


def is_metaimage(head: bytes) -> bool:
    """Whether these first bytes begin a MetaImage header."""
    first = head[:256].lstrip().split(b"=", 1)[0].strip()
    return first in (b"ObjectType", b"NDims", b"Comment", b"ObjectSubType")


def read_metaimage(opened: Opened) -> StoredVolume:
    """A MetaImage; raises SeriesRefused naming the file."""
    try:
        return _read(opened)
    except SeriesRefused:
        raise
    except Exception as error:  # damaged files raise many kinds; all of them mean this
        raise gate.refuse("broken_file", name=opened.name, kind="MetaImage") from error


def _read(opened: Opened) -> StoredVolume:
    fields = _fields(opened.stream)
    name, count = opened.name, int(fields["NDims"])
    sizes = [int(size) for size in fields["DimSize"].split()]
    if len(sizes) != count:
        raise ValueError("sizes and dimensions differ")
    if int(fields.get("ElementNumberOfChannels", 1)) != 1:
        raise gate.refuse("numbers", name=name, what="several numbers a voxel")
    if fields["ElementType"] not in TYPES or fields.get("BinaryData", "True").lower() != "true":
        raise gate.refuse("encoding", name=name, what="neither whole numbers nor floats in binary")
    big = _first(fields, "BinaryDataByteOrderMSB", "ElementByteOrderMSB") or "False"
    dtype = np.dtype((">" if big.lower() == "true" else "<") + TYPES[fields["ElementType"]])
    x, y, z = check_shape(name, sizes, dtype)
    affine = _affine_lps(name, fields, count)
    stream, start = _data(opened, fields)
    size = x * y * z * dtype.itemsize
    if fields.get("CompressedData", "False").lower() == "true":
        stream.seek(start)
        data = inflate(stream, size)
    else:
        skip = int(fields.get("HeaderSize", 0))
        if not -1 <= skip <= LARGEST_SKIP:
            raise ValueError("a hostile skip")
        stream.seek(-size, 2) if skip == -1 else stream.seek(start + skip)
        data = read_exactly(stream, size)
    values = np.frombuffer(data, dtype=dtype).reshape(z, y, x)
    return StoredVolume(values.astype(dtype.newbyteorder("="), copy=False), affine)


def _fields(stream: BinaryIO) -> dict[str, str]:
    """The header's fields; the one that says where the voxels are is the last."""
    stream.seek(0)
    fields: dict[str, str] = {}
    for _ in range(MOST_LINES):
        line = stream.readline(LONGEST_LINE)
        key, equals, value = line.decode("latin-1").partition("=")
        if not equals and line.strip():
            raise ValueError("not a field")
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            return fields
        if not line:
            break
    raise ValueError("the header does not end")


def _data(opened: Opened, fields: dict[str, str]) -> tuple[BinaryIO, int]:
    named = fields["ElementDataFile"]
    if named.upper() == "LOCAL":
        return opened.stream, opened.stream.tell()
    if named.split(" ")[0].upper() == "LIST" or "%" in named:
        raise gate.refuse("encoding", name=opened.name, what="voxels in many files")
    return opened.companion(named), 0


def _first(fields: dict[str, str], *keys: str) -> str | None:
    """MetaImage has several names for one thing."""
    return next((fields[key] for key in keys if key in fields), None)


def _affine_lps(name: str, fields: dict[str, str], count: int) -> Affine:
    matrix = _first(fields, "TransformMatrix", "Rotation", "Orientation")
    offset = _first(fields, "Offset", "Position", "Origin")
    spacing = _first(fields, "ElementSpacing", "ElementSize")
    if spacing is None:
        raise gate.refuse("volume_spacing", name=name)
    if matrix is None or offset is None:
        raise gate.refuse("no_place", name=name, what="no TransformMatrix, or no Offset")
    # Each line of the matrix is the direction of one axis of the grid.
    directions: Any = np.array(matrix.split(), dtype=np.float64).reshape(count, count)[:3, :3].T
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(spacing.split(), dtype=np.float64)[:3]
    affine[:3, 3] = np.array(offset.split(), dtype=np.float64)[:3]
    check_affine(name, affine)
    return affine
