"""Files damaged at random: bytes flipped, cut, put in; elements of DICOM files dropped or given another value."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import pydicom
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

# What programs have written where a number, a date, a name or a sequence should be.
ODD_VALUES = [
    *(b"", b"\0\0", b"\xff\xff\xff\xff", b"-1", b"0 ", b"99999999999", b"1e999 ", b"nan ", b"\\\\\\\\", b"1\\2 "),
    *(
        b"2020-04-01",
        b"99999999",
        b"1.2.840.10008.1.2 ",
        b"MONOCHROME1 ",
        b"\x1b$B;3ED ",
        b"Featherstonehaugh ",
        b"A" * 70_000,
    ),
]


@dataclass(frozen=True)
class Mutation:
    """One damage to a file: what is done, where (a fraction of the bytes, or of the elements), and with what."""

    deed: str
    place: float
    value: bytes

    def of(self, content: bytes) -> bytes:
        """The file with the damage; what cannot be damaged so stays as it is."""
        if self.deed in ("drop", "change"):
            return _with_another_element(content, self)
        at = int(self.place * len(content))
        if self.deed == "flip":
            return (
                content[:at]
                + bytes(b ^ (v or 1) for b, v in zip(content[at:], self.value, strict=False))
                + content[at + len(self.value) :]
            )
        if self.deed == "cut":
            return content[:at]
        return content[:at] + self.value + content[at:]


def mutations() -> st.SearchStrategy[list[Mutation]]:
    """A few damages of one file, most of them near its beginning, where structure is."""
    anywhere = st.floats(0, 1, exclude_max=True)
    place = st.one_of(anywhere.map(lambda x: x**4), anywhere)
    few_bytes = st.binary(min_size=1, max_size=8)
    one = st.one_of(
        st.builds(Mutation, st.just("flip"), place, few_bytes),
        st.builds(Mutation, st.just("cut"), place, st.just(b"")),
        st.builds(Mutation, st.just("insert"), place, few_bytes),
        st.builds(Mutation, st.just("drop"), anywhere, st.just(b"")),
        st.builds(Mutation, st.just("change"), anywhere, st.one_of(st.sampled_from(ODD_VALUES), few_bytes)),
    )
    return st.lists(one, min_size=1, max_size=3)


def _with_another_element(content: bytes, mutation: Mutation) -> bytes:
    try:
        dataset = pydicom.dcmread(io.BytesIO(content))
        places = list(_elements(dataset))
        holder, tag = places[int(mutation.place * len(places))]
        vr = str(holder[tag].VR)
        del holder[tag]
        if mutation.deed == "change" and vr != "SQ":
            value = mutation.value + b"\0" * (len(mutation.value) % 2)
            implicit, little = dataset.original_encoding
            holder[tag] = RawDataElement(tag, vr, len(value), value, 0, bool(implicit), bool(little))
        out = io.BytesIO()
        dataset.save_as(out)
    except Exception:  # a damage before this one may have left nothing to read, or a value that cannot be written
        return content
    return out.getvalue()


def _elements(dataset: Dataset) -> Iterator[tuple[Dataset, BaseTag]]:
    for tag in sorted(dataset.keys()):
        yield dataset, tag
        if dataset[tag].VR == "SQ":
            for item in dataset[tag].value:
                yield from _elements(item)
