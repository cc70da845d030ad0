"""What the header says of how a scan was made: contrast medium, kernel, loss, encoding."""

import re
from collections.abc import Sequence
from typing import Any

from inference.imaging import gate
from inference.imaging.decoding import BIG_ENDIAN, DEFLATED, JPEG
from inference.imaging.elements import items, text, transfer_syntax
from inference.imaging.frames import Image
from inference.imaging.kinds import say_kind

LOSSY = tuple(JPEG + last for last in ("50", "51", "53", "55", "81"))
# What sites write where no contrast medium was given.
NO_AGENT = {
    "",
    "NO",
    "NONE",
    "N",
    "N/A",
    "NA",
    "NIL",
    "NULL",
    "0",
    "-",
    "WITHOUT",
    "NATIVE",
    "NATIV",
    "W/O",
    "UNENHANCED",
}
# Sharp kernels. Siemens numbers them (B60f, Br54, I70f ...) and Canon too (FC30 bone, FC50 lung, FC80 high resolution);
# GE and Philips name them.
SIEMENS = re.compile(r"[BDHIJQTU][a-z]?(?P<number>\d{2})[a-z]?")
SHARP_FROM = 50
CANON = re.compile(r"FC(3[0-5]|5\d|8[0-6])")
NAMED = {"LUNG", "BONE", "BONEPLUS", "BONE+", "EDGE", "ULTRA", "CHST", "DETAIL", "HD LUNG"} | {
    *("YA", "YB", "YC", "YD", "L", "D", "E"),
}


def say_acquisition(files: Sequence[Any], images: Sequence[Image], findings: gate.Findings) -> None:
    """Tell what the headers of a series' files and of its images say of how they were made."""
    first = images[0]
    if not text(first, "Modality"):
        findings.say("no_modality")
    if any(_has_contrast(image) for image in images) or any(
        items(file, "ContrastBolusAgentSequence") for file in files
    ):
        findings.say("contrast")
    for kernel in dict.fromkeys(name for image in images for name in kernels(image)):
        if is_sharp(kernel):
            findings.say("sharp_kernel", kernel=kernel)
    if any(text(image, "PhotometricInterpretation").upper() == "MONOCHROME1" for image in images):
        findings.say("monochrome1")
    for image in images:
        say_kind(image, findings)
    syntaxes = {transfer_syntax(file) for file in files}
    if syntaxes & set(LOSSY) or any(text(image, "LossyImageCompression") == "01" for image in images):
        findings.say("lossy")
    if BIG_ENDIAN in syntaxes:
        findings.say("big_endian")
    if DEFLATED in syntaxes:
        findings.say("deflated")


def kernels(image: Image) -> list[str]:
    """The reconstruction kernel's names, as they are written; Siemens writes iteration strength beside it."""
    return [part.strip() for part in re.split(r"[\\',\[\]]+", text(image, "ConvolutionKernel")) if part.strip()]


def is_sharp(kernel: str) -> bool:
    """Whether a kernel is one of the sharp ones of the large manufacturers; unknown names are not."""
    if siemens := SIEMENS.fullmatch(kernel):
        return int(siemens["number"]) >= SHARP_FROM
    return kernel.upper() in NAMED or CANON.fullmatch(kernel.upper()) is not None


def _has_contrast(image: Image) -> bool:
    return text(image, "ContrastBolusAgent").upper() not in NO_AGENT
