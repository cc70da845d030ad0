"""What a client accepts, and which of a resource's forms it gets (PS3.18 8.7.5, RFC 9110 12.5.1). Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from webapp.dicomweb.faults import NotAcceptable

EXPLICIT = "1.2.840.10008.1.2.1"
# What may not go out over the web, and is written anew (PS3.18 8.7.3): implicit, big endian; deflated is inflated.
REWRITTEN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
DICOM, OCTETS, MULTIPART = "application/dicom", "application/octet-stream", "multipart/related"
JSON, PLAIN_JSON, XML = "application/dicom+json", "application/json", "application/dicom+xml"
JPEG = "1.2.840.10008.1.2.4."
# Media type of compressed frames by transfer syntax (PS3.18 table 8.7.3-5); others go out decoded.
COMPRESSED = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    **{JPEG + last: "image/jpeg" for last in ("50", "51", "57", "70")},
    **{JPEG + last: "image/jls" for last in ("80", "81")},
    **{JPEG + last: "image/jp2" for last in ("90", "91")},
    **{JPEG + last: "image/jphc" for last in ("201", "202", "203")},
}
OLD_NAMES = {"image/x-jls": "image/jls", "image/x-dicom-rle": "image/dicom-rle"}
PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[^",;]+|[,;]')


@dataclass(frozen=True)
class Range:
    """One thing that a client accepts: a media type, what a multipart holds, a transfer syntax ("", "*" or a UID)."""

    media_type: str
    part: str = ""
    syntax: str = ""
    quality: float = 1.0

    @property
    def whole(self) -> bool:
        """Whether anything will do."""
        return self.media_type in ("*/*", "") or (self.media_type == MULTIPART and self.part in ("*/*", ""))


def read_accept(header: str | None) -> list[Range]:
    """What an Accept header lists, the most wanted first; everything where there is no header. Never raises."""
    if not (header or "").strip():
        return [Range("*/*")]
    found = [_range(entry) for entry in _split(header or "", ",")]
    wanted = [one for one in found if one is not None and one.quality > 0]
    return sorted(wanted, key=lambda one: -one.quality)


def _range(entry: str) -> Range | None:
    name, *parameters = _split(entry, ";") or [""]
    given = {}
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        given[key.strip().lower()] = value.strip().strip('"').strip()
    media_type = name.strip().lower()
    if "/" not in media_type:
        return None
    part = given.get("type", "").lower()
    return Range(media_type, OLD_NAMES.get(part, part), given.get("transfer-syntax", ""), _quality(given.get("q", "1")))


def _quality(text: str) -> float:
    return float(text) if re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", text) else 0.0


def _split(text: str, at: str) -> list[str]:
    """Split at a separator that stands outside quotation marks."""
    parts = [""]
    for piece in PIECE.findall(text):
        if piece == at:
            parts.append("")
        else:
            parts[-1] += piece
    return [part for part in (part.strip() for part in parts) if part]


@dataclass(frozen=True)
class Form:
    """How a resource goes out: media type of each part, its transfer syntax ("" as plain values, "*" as stored)."""

    media_type: str
    syntax: str = ""
    multipart: bool = True


def header_form(accepted: Sequence[Range]) -> Form:
    """The form of metadata or results: DICOM JSON, or one XML document a part."""
    for one in accepted:
        if one.media_type in (JSON, PLAIN_JSON):
            return Form(one.media_type, multipart=False)
        if one.media_type == MULTIPART and one.part == XML:
            return Form(XML)
        if one.whole or one.media_type == "application/*":
            return Form(JSON, multipart=False)
    raise NotAcceptable(f'Metadata comes as {JSON} or as {MULTIPART}; type="{XML}".')


def dicom_form(accepted: Sequence[Range], stored: Collection[str], count: int) -> Form:
    """The form of whole instances; `stored` are the transfer syntaxes that they are kept in.

    Without a transfer syntax it is Explicit VR Little Endian; "*" is whatever they are kept in (8.7.3.4).
    """
    for one in accepted:
        single = one.media_type in (DICOM, "application/*")
        multipart = one.media_type == MULTIPART and one.part in (DICOM, "application/*", "*/*", "")
        if not (single or multipart or one.whole):
            continue
        if single and count > 1:
            continue
        syntax = "" if one.syntax in ("", EXPLICIT) else one.syntax
        if syntax in ("", "*") or (set(stored) == {syntax} and syntax not in REWRITTEN):
            return Form(DICOM, syntax, multipart=not single)
    raise NotAcceptable(
        f'Instances come as {MULTIPART}; type="{DICOM}" (one alone as {DICOM} too), in transfer syntax {EXPLICIT} or '
        f"as they are kept (transfer-syntax=*; here {', '.join(sorted(stored))})."
    )


def frames_form(accepted: Sequence[Range], stored: str, count: int) -> Form:
    """The form of frames and of bulk data: plain values, or the codestreams that are kept where they are accepted."""
    compressed = COMPRESSED.get(stored, "")
    for one in accepted:
        multipart = one.media_type == MULTIPART
        part = one.part if multipart else OLD_NAMES.get(one.media_type, one.media_type)
        if not multipart and count > 1 and part != "*/*":
            continue
        alone = not multipart and part != "*/*"
        if part in ("*/*", "", "application/*") or (part == OCTETS and one.syntax in ("", EXPLICIT)):
            return Form(OCTETS, multipart=not alone)
        if part == OCTETS and one.syntax == "*":
            return Form(OCTETS, "*" if compressed else "", multipart=not alone)
        if compressed and part in (compressed, "image/*") and one.syntax in ("", "*", stored):
            return Form(compressed, "*", multipart=not alone)
    kept = f'; here also type="{compressed}"; transfer-syntax={stored}' if compressed else ""
    raise NotAcceptable(f'Frames and bulk data come as {MULTIPART}; type="{OCTETS}"{kept}.')


def picture_form(accepted: Sequence[Range], offered: Sequence[str]) -> str:
    """The media type of a picture, the first of `offered` where anything will do."""
    for one in accepted:
        media_type = one.part if one.media_type == MULTIPART and one.part else one.media_type
        if media_type in offered:
            return media_type
        if media_type in ("*/*", "image/*", MULTIPART):
            return offered[0]
    raise NotAcceptable(f"Pictures come as {', '.join(offered)}.")
