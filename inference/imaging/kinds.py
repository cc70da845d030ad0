"""What kind of image a header speaks of: CT, a scout view, a projection, a computed map."""

from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from inference.imaging import gate
from inference.imaging.elements import Elements, file_name, number, text, texts

CT_CLASSES = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# Words of ImageType and FrameType (PS3.3 C.8.2.1, C.8.16.2) and what manufacturers write there.
PROJECTIONS = {
    *("MIP", "MAX_IP", "MINIP", "MIN_IP", "MAXIMUM", "MINIMUM", "PROJECTION IMAGE", "SSD", "CPR", "CURVED_MPR"),
    *("VRT", "VOLREN", "VOLUME_RENDER", "SURFACE_RENDER", "CT_SOM5 MIP", "CSA MIP", "MIP_THICK", "THICK MIP"),
}
MAPS = {
    *("PERFUSION", "SUBTRACTION", "STD_DEVIATION", "DIVISION", "MULTIPLICATION", "MASKED", "BONE REMOVED"),
    *("RCBF", "RCBV", "MTT", "TTP", "TMAX", "MAT_SPECIFIC", "MAT_FRACTIONAL", "MAT_VALUE_BASED"),
    *("EFF_ATOMIC_NUM", "ELECTRON_DENSITY", "Z_EFF", "IODINE"),
}
MULTI_ENERGY = {"VMI", "MAT_REMOVED", "MAT_MODIFIED", "VNC", "MONO_E", "MONOENERGETIC", "DE_MIX", "ENERGY_PROP_WT"}
REFORMATS = {"MPR", "REFORMATTED", "REFORMAT", "AVERAGE", "MEAN", "RESAMPLED", "CT_SOM5 MPR", "CSA MPR"}


def check_kind(image: Elements) -> None:
    """Raise SeriesRefused, naming the file, for what is no CT slice; localisers are told by `is_localiser`."""
    name = file_name(image)
    modality, sop_class = text(image, "Modality").upper(), text(image, "SOPClassUID")
    if not modality and sop_class not in CT_CLASSES:
        raise gate.refuse("modality", name=name, what="it does not say what kind of image it is (no Modality)")
    if modality and modality != "CT":
        raise gate.refuse("modality", name=name, what=f"its modality is {modality[:16]}")
    if sop_class == SECONDARY_CAPTURE or sop_class.startswith(SECONDARY_CAPTURE + "."):
        raise gate.refuse("secondary_capture", name=name)
    if number(image, "SamplesPerPixel") not in (None, 1):
        raise gate.refuse("colour", name=name)
    words = _words(image)
    for kinds, code in ((PROJECTIONS, "projection"), (MAPS, "computed_map")):
        if found := _first(kinds, words):
            raise gate.refuse(code, name=name, kind=found)


def is_localiser(image: Elements) -> bool:
    """Whether an image is a scout view."""
    return "LOCALIZER" in texts(image, "ImageType")


def say_kind(image: Elements, findings: gate.Findings) -> None:
    """Tell what else the header says of where the voxels come from."""
    words = _words(image)
    if found := _first(MULTI_ENERGY, words):
        findings.say("multi_energy", kind=found)
    elif text(image, "MultienergyCTAcquisition").upper() == "YES":
        findings.say("multi_energy", kind="MultienergyCTAcquisition")
    if found := _first(REFORMATS, words):
        findings.say("reformat", kind=found)
    elif words[:1] == ["DERIVED"]:
        findings.say("derived")


def _words(image: Elements) -> list[str]:
    derived = [text(image, k).upper() for k in ("VolumeBasedCalculationTechnique", "DerivedPixelContrast")]
    return [*texts(image, "ImageType"), *derived]


def _first(kinds: set[str], words: list[str]) -> str:
    return next((word for word in words if word in kinds), "")
