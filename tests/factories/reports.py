"""Reads a TID 1500 report by walking its content tree with pydicom alone, sharing no code with whoever wrote it."""

from typing import Any

from pydicom import Dataset

# Code values of the concepts that a measurement group is told apart by.
MEASUREMENT_GROUP, TRACKING = "125007", "112039"
FINDING, SITE, LATERALITY, SEGMENT = "121071", "363698007", "272741003", "121191"
METHOD, DERIVATION = "370129005", "121401"


def code_of(item: Dataset) -> str:
    """The value of a code, however long."""
    return str(item.get("CodeValue") or item.get("LongCodeValue"))


def name_of(item: Dataset) -> str:
    """The code of a content item's concept name."""
    return code_of(item.ConceptNameCodeSequence[0]) if "ConceptNameCodeSequence" in item else ""


def groups_of(report: Dataset) -> dict[str, dict[str, Any]]:
    """Measurement groups by tracking identifier.

    Each is {"finding", "site", "side", "segment": (SOP UID, number) or None, "numbers": {(name, method, derivation,
    unit): value}}, codes by value, numbers in full precision.
    """
    found: dict[str, dict[str, Any]] = {}
    for item in walk(report):
        if name_of(item) == MEASUREMENT_GROUP:
            group = _group(item)
            found[group.pop("tracking")] = group
    return found


def walk(item: Dataset) -> Any:
    """Every content item under one."""
    for child in item.get("ContentSequence", []):
        yield child
        yield from walk(child)


def _group(item: Dataset) -> dict[str, Any]:
    group: dict[str, Any] = {"finding": "", "site": "", "side": "", "segment": None, "numbers": {}}
    for child in item.ContentSequence:
        name, kind = name_of(child), child.ValueType
        if name == TRACKING:
            group["tracking"] = str(child.TextValue)
        elif name == FINDING:
            group["finding"] = code_of(child.ConceptCodeSequence[0])
        elif name == SITE:
            group["site"] = code_of(child.ConceptCodeSequence[0])
            sides = [c for c in child.get("ContentSequence", []) if name_of(c) == LATERALITY]
            group["side"] = code_of(sides[0].ConceptCodeSequence[0]) if sides else ""
        elif name == SEGMENT:
            reference = child.ReferencedSOPSequence[0]
            group["segment"] = (str(reference.ReferencedSOPInstanceUID), int(reference.ReferencedSegmentNumber))
        elif kind == "NUM":
            modifiers = {name_of(c): code_of(c.ConceptCodeSequence[0]) for c in child.get("ContentSequence", [])}
            measured = child.MeasuredValueSequence[0]
            unit = code_of(measured.MeasurementUnitsCodeSequence[0])
            key = (name, modifiers.get(METHOD, ""), modifiers.get(DERIVATION, ""), unit)
            assert key not in group["numbers"], "two numbers that nothing tells apart"
            assert abs(float(measured.NumericValue) - measured.FloatingPointValue) < 1e-6 * max(
                1, abs(measured.FloatingPointValue)
            )
            group["numbers"][key] = float(measured.FloatingPointValue)
    return group
