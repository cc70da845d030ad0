"""The DICOM JSON model (PS3.18 Annex F) of a file's header, with bulk data left out and named by an address.

An address is written as `@/7FE00010`: the attribute's tag in its data set. Whoever serves the header puts the
instance's own URL before it (`with_addresses`), so that one stored text serves every host name.
"""

import json
from collections.abc import Iterator
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import Tag

PIXEL_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
BINARY = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}
META_GROUP = 0x0002
# Binary values up to this many bytes stand in the header itself, in base64.
INLINE_BYTES = 1024
CHARACTER_SET = "00080005"
ADDRESS = '"BulkDataURI":"@/'


def header_json(dataset: Dataset) -> str:
    """The header of one file as DICOM JSON on one line; what cannot be read of it is left out.

    `dataset` may have been read without its pixels: an image's Pixel Data is named all the same.
    """
    bulky = {tag: vr for tag, vr in _bulk_of(dataset)}
    plain = Dataset()
    kept = (element for element in dataset if element.tag not in bulky and element.tag.group != META_GROUP)
    plain.update({element.tag: element for element in kept})
    model: dict[str, Any] = plain.to_json_dict(suppress_invalid_tags=True)
    for tag, vr in bulky.items():
        model[f"{tag:08X}"] = {"vr": vr, "BulkDataURI": f"@/{tag:08X}"}
    if CHARACTER_SET in model:  # of this text, not of the file (F.2)
        model[CHARACTER_SET] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    return json.dumps(dict(sorted(model.items())), separators=(",", ":"), allow_nan=False)


def with_addresses(header: str, instance_url: str) -> str:
    """A header's text with the addresses of its bulk data under the instance's URL.

    A quotation mark inside a JSON string is escaped, so nothing that a file says can look like an address.
    """
    return header.replace(ADDRESS, f'"BulkDataURI":{json.dumps(f"{instance_url}/bulkdata/")[:-1]}')


def _bulk_of(dataset: Dataset) -> Iterator[tuple[int, str]]:
    """Tag and VR of each element that is named by an address rather than written out."""
    for element in dataset:
        if element.VR in BINARY and element.value is not None and len(element.value) > INLINE_BYTES:
            yield int(element.tag), element.VR
    if "Rows" in dataset and not any(keyword in dataset for keyword in PIXEL_DATA):
        yield int(Tag("PixelData")), "OB" if (dataset.get("BitsAllocated") or 16) <= 8 else "OW"
