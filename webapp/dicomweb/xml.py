"""DICOM JSON as the Native DICOM Model in XML (PS3.19 A.1), for clients that ask for it."""

from typing import Any
from xml.etree import ElementTree

from pydicom.datadict import keyword_for_tag

NAME_PARTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
# What XML 1.0 cannot hold, even escaped.
FORBIDDEN = {code: None for code in range(32) if code not in (9, 10, 13)}


def to_xml(model: dict[str, Any]) -> bytes:
    """One data set as an XML document."""
    root = ElementTree.Element("NativeDicomModel", {"xml:space": "preserve"})
    _fill(root, model)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _fill(parent: ElementTree.Element, model: dict[str, Any]) -> None:
    for tag, item in model.items():
        named = {"tag": tag, "vr": item["vr"]}
        if keyword := keyword_for_tag(int(tag, 16)):
            named["keyword"] = keyword
        element = ElementTree.SubElement(parent, "DicomAttribute", named)
        if "BulkDataURI" in item:
            ElementTree.SubElement(element, "BulkData", {"uri": item["BulkDataURI"]})
        elif "InlineBinary" in item:
            ElementTree.SubElement(element, "InlineBinary").text = item["InlineBinary"]
        for number, value in enumerate(item.get("Value") or [], start=1):
            _value(element, item["vr"], number, value)


def _value(element: ElementTree.Element, vr: str, number: int, value: Any) -> None:
    at = {"number": str(number)}
    if vr == "SQ":
        _fill(ElementTree.SubElement(element, "Item", at), value or {})
    elif vr == "PN":
        person = ElementTree.SubElement(element, "PersonName", at)
        for group, name in (value or {}).items():
            parts = zip(
                ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"), name.split("^"), strict=False
            )
            written = ElementTree.SubElement(person, group)
            for part, word in parts:
                if word:
                    ElementTree.SubElement(written, part).text = _text(word)
    elif value is not None:
        ElementTree.SubElement(element, "Value", at).text = _text(value)


def _text(value: Any) -> str:
    return str(value).translate(FORBIDDEN)
