"""DICOM elements read so that odd values become "not there" instead of an exception."""

import math
from pathlib import Path
from typing import Any, Protocol

from pydicom.dataset import Dataset


class Elements(Protocol):
    """Anything that gives the value of an element by its keyword: a data set, or one frame of it."""

    def get(self, key: str, /) -> Any:
        """The value of an element, or None."""


def file_name(dataset: Any) -> str:
    """What sentences call an image: its file's name without folders, or its instance number; and its frame."""
    source = getattr(dataset, "filename", None)
    if isinstance(source, str | Path) and str(source):
        name = Path(source).name
    else:
        number = text(dataset, "InstanceNumber")
        name = f"instance {number}" if number else "a file without a name"
    frame = getattr(dataset, "frame_number", None)
    return name if frame is None else f"{name}, frame {frame}"


def text(dataset: Elements, keyword: str) -> str:
    """An element as stripped text; empty when it is missing or cannot be read."""
    try:
        value = dataset.get(keyword)
    except Exception:  # pydicom raises many kinds on broken values; all of them mean "not readable"
        return ""
    return "" if value is None else str(value).strip().rstrip("\0")


def texts(dataset: Elements, keyword: str) -> list[str]:
    """A many-valued element as upper-case words; empty when it is missing or cannot be read."""
    try:
        value: Any = dataset.get(keyword)
    except Exception:  # as above
        return []
    if value is None:
        return []
    values = [value] if isinstance(value, str) else value
    try:
        return [str(item).strip().upper() for item in values]
    except TypeError:
        return [str(value).strip().upper()]


def numbers(dataset: Elements, keyword: str, count: int) -> list[float] | None:
    """`count` finite numbers of an element, or None when it is missing, malformed, infinite or NaN."""
    try:
        value: Any = dataset.get(keyword)
        values = [float(item) for item in ([value] if count == 1 else value)]
    except Exception:  # as above
        return None
    return values if len(values) == count and all(map(math.isfinite, values)) else None


def number(dataset: Elements, keyword: str) -> float | None:
    """One finite number of an element, or None."""
    found = numbers(dataset, keyword, 1)
    return found[0] if found else None


def items(dataset: Any, keyword: str) -> list[Dataset]:
    """The items of a sequence; none when it is missing or cannot be read."""
    try:
        value = dataset.get(keyword)
        return [item for item in value if isinstance(item, Dataset)] if value is not None else []
    except Exception:  # as above
        return []


def transfer_syntax(dataset: Any) -> str:
    """The transfer syntax that a file names; empty where it names none."""
    meta = getattr(dataset, "file_meta", None)
    return text(meta, "TransferSyntaxUID") if meta is not None else ""
