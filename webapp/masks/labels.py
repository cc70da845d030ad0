"""What a label set may be: complete labels, and what is wrong with others."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from webapp.audit.refusal import Refusal

# The coding scheme of labels that no standard code says (DICOM PS3.3, 8.2).
PRIVATE_SCHEME = "99GROUNDGLASS"
MOST_LABELS, NAME_LENGTH, SCHEME_LENGTH, CODE_LENGTH = 30, 60, 16, 64
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


def complete_labels(labels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The labels as they are stored: where none are given, values from 1 in order and codes of a private scheme."""
    return [
        {
            "value": label.get("value", place),
            "name": str(label["name"]).strip(),
            "colour": str(label["colour"]).upper(),
            "code": label.get("code")
            or {
                "scheme": PRIVATE_SCHEME,
                "value": f"LABEL{label.get('value', place)}",
                "meaning": label["name"].strip(),
            },
            "is_exclusion": bool(label["is_exclusion"]),
            "counts_as_lung": bool(label["counts_as_lung"]),
        }
        for place, label in enumerate(labels, 1)
    ]


def fault_in_labels(name: str, labels: Sequence[Mapping[str, Any]]) -> Refusal | None:
    """What is wrong with a label set before it is made, in one sentence; None where nothing is."""
    sentence = _fault_of_set(name, labels)
    for label in labels:
        sentence = sentence or _fault_of_label(label)
    return Refusal("malformed", sentence) if sentence else None


def _fault_of_set(name: str, labels: Sequence[Mapping[str, Any]]) -> str | None:
    if not name.strip() or not name.isprintable() or len(name) > 80:
        return "A label set needs a name of 1 to 80 letters."
    if not 1 <= len(labels) <= MOST_LABELS:
        return f"A label set has 1 to {MOST_LABELS} labels."
    if len({label["name"].casefold() for label in labels}) < len(labels):
        return "Two labels have the same name: give each its own."
    if len({label["value"] for label in labels}) < len(labels):
        return "Two labels have the same value: a voxel could not say which it is."
    if all(label["is_exclusion"] for label in labels):
        return "Every label is an exclusion: nothing would be lesion."
    return None


def _fault_of_label(label: Mapping[str, Any]) -> str | None:
    name, code = label["name"], label["code"]
    if not name or not name.isprintable() or len(name) > NAME_LENGTH:
        return f"A label needs a name of 1 to {NAME_LENGTH} letters."
    if not 1 <= label["value"] <= 255:
        return f"The value of {name} must lie between 1 and 255."
    if not COLOUR.fullmatch(label["colour"]):
        return f"The colour of {name} is written like #E69F00."
    if not label["counts_as_lung"] and not label["is_exclusion"]:
        return f"{name} is lesion and does not count as lung: extent is lesion in lung, so it would count nowhere."
    lengths = {"scheme": SCHEME_LENGTH, "value": CODE_LENGTH, "meaning": CODE_LENGTH}
    if any(not 1 <= len(code[part]) <= most or not code[part].isprintable() for part, most in lengths.items()):
        return f"The code of {name} needs a scheme (SCT, DCM), a value and a meaning."
    return None
