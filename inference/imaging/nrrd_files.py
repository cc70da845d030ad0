"""NRRD files (teem.sourceforge.net/nrrd/format.html): the header by pynrrd, the voxels within limits of our own.

A detached header's data file is taken only from what was sent beside it.
"""

import io
from collections import OrderedDict
from typing import Any, BinaryIO

import nrrd
import numpy as np

from inference.imaging import gate
from inference.imaging.axes import Affine
from inference.imaging.findings import SeriesRefused
from inference.imaging.inflating import inflate, inflate_bzip2
from inference.imaging.volume_files import Opened, StoredVolume, check_affine, check_shape

MAGIC = b"NRRD000"
LARGEST_HEADER = 1024 * 1024
LARGEST_SKIP = 16 * 1024 * 1024
GZIPPED, BZIPPED, TEXTS = ("gzip", "gz"), ("bzip2", "bz2"), ("ascii", "text", "txt")
MM_PER_UNIT = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "": 1.0}
# Names of anatomical spaces and what their axes are in LPS.
SPACES = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
MOST_NAMES = 256


def read_nrrd(opened: Opened) -> StoredVolume:
    """A NRRD file, or a detached header with its data beside it; raises SeriesRefused naming the file."""
    try:
        return _read(opened)
    except SeriesRefused:
        raise
    except Exception as error:  # pynrrd, zlib and numpy raise many kinds on damaged files; all of them mean this
        raise gate.refuse("broken_file", name=opened.name, kind="NRRD") from error


def _read(opened: Opened) -> StoredVolume:
    header, start = _header(opened.stream)
    sizes = [int(size) for size in header["sizes"]]
    directions = np.atleast_2d(np.asarray(header.get("space directions", np.empty((0, 0))), dtype=np.float64))
    sizes, directions = _spatial(opened.name, sizes, directions)
    dtype = np.dtype(nrrd.reader._TYPEMAP_NRRD2NUMPY.get(str(header["type"]).lower(), "V"))
    x, y, z = check_shape(opened.name, sizes, dtype)
    affine = _affine_lps(opened.name, header, directions)
    named = header.get("data file") or header.get("datafile")
    if isinstance(named, str) and named.split(" ")[0] != "LIST" and "%" not in named:
        stream = opened.companion(named.removeprefix("./"))
        start = 0
    elif named:
        raise gate.refuse("encoding", name=opened.name, what="voxels in many files")
    else:
        stream = opened.stream
    values = _values(opened.name, stream, start, header, dtype, x * y * z)
    return StoredVolume(values.reshape(z, y, x), affine, names=_names(header))


def _header(stream: BinaryIO) -> tuple[dict[str, Any], int]:
    """The fields, and where the header ends."""
    stream.seek(0)
    lines: list[bytes] = []
    size = 0
    while size < LARGEST_HEADER:
        line = stream.readline(LARGEST_HEADER)
        size += len(line)
        lines.append(line)
        if not line.strip():
            return dict(nrrd.read_header(lines)), size
    raise ValueError("the header does not end")


def _spatial(name: str, sizes: list[int], directions: Any) -> tuple[list[int], Any]:
    """Sizes and directions of the three spatial axes; others may only be of size 1 (a list of one component, say)."""
    if len(sizes) != len(directions):
        if len(directions):
            raise gate.refuse("dimensions", name=name, what=" x ".join(map(str, sizes[:6])))
        raise gate.refuse("no_place", name=name, what="no space directions")
    spatial = [axis for axis in range(len(sizes)) if np.isfinite(directions[axis]).all()]
    if len(spatial) != 3 or any(sizes[axis] != 1 for axis in set(range(len(sizes))) - set(spatial)):
        raise gate.refuse("dimensions", name=name, what=" x ".join(map(str, sizes[:6])))
    return [sizes[axis] for axis in spatial], directions[spatial]


def _affine_lps(name: str, header: dict[str, Any], directions: Any) -> Affine:
    signs = SPACES.get(str(header.get("space", "")).lower())
    origin = header.get("space origin")
    if signs is None or origin is None or directions.shape != (3, 3):
        raise gate.refuse("no_place", name=name, what="no space, or no space origin")
    units = [str(unit).strip('"').lower() for unit in header.get("space units", ["mm"] * 3)]
    if len(set(units)) != 1 or units[0] not in MM_PER_UNIT:
        raise gate.refuse("volume_spacing", name=name)
    affine = np.eye(4)
    affine[:3, :3] = np.diag(signs) @ directions.T * MM_PER_UNIT[units[0]]
    affine[:3, 3] = np.multiply(signs, np.asarray(origin, dtype=np.float64)) * MM_PER_UNIT[units[0]]
    affine += 0.0
    check_affine(name, affine)
    return affine


def _values(
    name: str, stream: BinaryIO, start: int, header: dict[str, Any], dtype: np.dtype[Any], count: int
) -> np.ndarray[Any, Any]:
    """The numbers, flat; compressed ones are unpacked as far as the sizes say and no further."""
    encoding = str(header["encoding"]).lower()
    lines, skipped = int(header.get("line skip", 0)), int(header.get("byte skip", 0))
    if not 0 <= lines <= 10_000 or not -1 <= skipped <= LARGEST_SKIP:
        raise ValueError("a hostile skip")
    stream.seek(start)
    for _ in range(lines):
        stream.readline(LARGEST_HEADER)
    fields = OrderedDict(header)
    for field in ("data file", "datafile", "line skip"):
        fields.pop(field, None)
    size = count * dtype.itemsize
    if encoding in GZIPPED + BZIPPED:
        unpack = inflate if encoding in GZIPPED else inflate_bzip2
        stream, fields["encoding"] = io.BytesIO(unpack(stream, size + max(skipped, 0))), "raw"
    elif encoding in TEXTS:
        # A number takes at most this many characters.
        stream = io.BytesIO(stream.read(32 * count))
    elif encoding != "raw":
        raise gate.refuse("encoding", name=name, what=encoding[:16])
    fields["sizes"], fields["dimension"] = np.array([count]), 1
    values = nrrd.read_data(fields, fh=stream, index_order="C")
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _names(header: dict[str, Any]) -> dict[int, str]:
    """3D Slicer names segments by fields of their own: Segment0_Name, Segment0_LabelValue."""
    names = {}
    for number in range(MOST_NAMES):
        if f"Segment{number}_LabelValue" not in header:
            break
        value = int(header[f"Segment{number}_LabelValue"])
        names[value] = str(header.get(f"Segment{number}_Name", ""))[:64]
    return names
