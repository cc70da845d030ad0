"""Scoring forms of a protocol: what a reader fills in beside the mask, its sum, what is missing. Pure.

A protocol stores its forms as documents in `terms.forms`:

    {"key", "title", "source", "fields": [...], "sum": {"title", "of": [field keys]} or none}

A field has "key", "title", "kind" and "required" (true unless it says otherwise). By kind: "choice" has "choices", each
{"value", "title"}; "number" has "unit", "min", "max", "integer"; "text" nothing more; "regions" has "regions", each
{"key", "title"}, and "choices" that each region gets one of. What is answered are items: "field", or "field/region" for
each region. The sum adds the numbers of the items of its fields; frontend/src/reading/scoringrules.ts does the same,
and tests/vectors/forms.json holds both to it.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CHOICE, NUMBER, TEXT, REGIONS = KINDS = ("choice", "number", "text", "regions")
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_FORMS, MOST_FIELDS, MOST_REGIONS, MOST_CHOICES = 8, 40, 40, 20
LONGEST_TITLE, LONGEST_SOURCE, LONGEST_TEXT, LONGEST_UNIT = 120, 500, 1000, 20
Answers = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """One thing to answer: its key ("field" or "field/region"), its title, and the field that it is of."""

    key: str
    title: str
    field: Mapping[str, Any]

    @property
    def required(self) -> bool:
        """Whether the form is filled only with it."""
        return self.field.get("required", True) is True


@dataclass(frozen=True)
class Total:
    """The sum of what is answered, the most that it can be (None without an upper end), whether nothing is missing."""

    value: float
    most: float | None
    complete: bool


def items_of(form: Mapping[str, Any]) -> list[Item]:
    """What a form asks, in order."""
    return [item for field in form["fields"] for item in _items(field)]


def _items(field: Mapping[str, Any]) -> Iterator[Item]:
    if field["kind"] != REGIONS:
        yield Item(field["key"], field["title"], field)
        return
    for region in field["regions"]:
        yield Item(f"{field['key']}/{region['key']}", region["title"], field)


def total_of(form: Mapping[str, Any], answers: Answers) -> Total | None:
    """The sum of a form's answers; None where the form has none."""
    if not form.get("sum"):
        return None
    items = [item for item in items_of(form) if item.field["key"] in form["sum"]["of"]]
    value, most, complete = 0, 0, True
    for item in items:
        said = answers.get(item.key)
        value += said if said is not None else 0
        complete = complete and said is not None
        largest = _largest(item.field)
        most = None if most is None or largest is None else most + largest  # type: ignore[assignment]
    return Total(value, most, complete)


def _largest(field: Mapping[str, Any]) -> Any:
    if field["kind"] == NUMBER:
        return field.get("max")
    return max(choice["value"] for choice in field["choices"])


def missing_in_form(form: Mapping[str, Any], answers: Answers) -> list[Item]:
    """What a form still asks for."""
    return [item for item in items_of(form) if item.required and answers.get(item.key) is None]


def fault_in_answer(form: Mapping[str, Any], key: str, value: Any) -> str | None:
    """Why a value is no answer to an item, in a sentence; None where it is one. A value of None takes one back."""
    item = next((one for one in items_of(form) if one.key == key), None)
    if item is None:
        return f"{form['title']} asks for nothing called {key!r}."
    if value is None:
        return None
    field = item.field
    if field["kind"] == TEXT:
        fits = isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_TEXT and _is_plain(value)
        return None if fits else f"{item.title}: write 1 to {LONGEST_TEXT:,} letters."
    if field["kind"] == NUMBER:
        return _fault_in_number(item, value)
    values = [choice["value"] for choice in field["choices"]]
    if any(value == one and type(value) is type(one) for one in values):
        return None
    return f"{item.title}: choose one of {', '.join(map(str, values))}."


def _is_plain(text: str) -> bool:
    return all(sign.isprintable() or sign in "\n\t" for sign in text)


def _fault_in_number(item: Item, value: Any) -> str | None:
    field = item.field
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return f"{item.title}: write a number."
    if field.get("integer") and value != int(value):
        return f"{item.title}: write a whole number."
    low, high = field.get("min"), field.get("max")
    if (low is not None and value < low) or (high is not None and value > high):
        ends = [f"from {low}" if low is not None else "", f"up to {high}" if high is not None else ""]
        return f"{item.title}: write a number {' '.join(end for end in ends if end)}."
    return None


def sentence_of_missing(forms: Sequence[Mapping[str, Any]], answers: Mapping[str, Answers]) -> str:
    """The sentence that names each form that is not filled in, and what it lacks; empty where nothing is missing."""
    said = []
    for form in forms:
        lacking = missing_in_form(form, answers.get(form["key"], {}))
        if not lacking:
            continue
        named = [item.title for item in lacking[:4]] + ([f"{len(lacking) - 4} more"] if len(lacking) > 4 else [])
        asked = sum(item.required for item in items_of(form))
        said.append(f"{form['title']}: {len(lacking)} of {asked} missing ({', '.join(named)}).")
    return " ".join(said)


def fault_in_forms(forms: Any) -> str | None:
    """What is wrong with the forms of a protocol, in one sentence; None where nothing is."""
    if not isinstance(forms, list) or len(forms) > MOST_FORMS or not all(isinstance(form, Mapping) for form in forms):
        return f"Scoring forms are a list of at most {MOST_FORMS} forms."
    for place, form in enumerate(forms):
        if fault := _fault_in_form(form):
            return f"Form {form.get('title') or place + 1}: {fault}"
    if len({form["key"] for form in forms}) < len(forms):
        return "Two scoring forms have the same key: give each its own."
    return None


def _fault_in_form(form: Mapping[str, Any]) -> str | None:
    fields = form.get("fields")
    if fault := _fault_in_names(form):
        return fault
    if not isinstance(form.get("source", ""), str) or len(form.get("source", "")) > LONGEST_SOURCE:
        return f"its source is a text of at most {LONGEST_SOURCE} letters."
    if not isinstance(fields, list) or not 1 <= len(fields) <= MOST_FIELDS:
        return f"it needs 1 to {MOST_FIELDS} fields."
    for field in fields:
        fault = _fault_in_field(field) if isinstance(field, Mapping) else "it is no field."
        if fault:
            return f"field {field.get('title') if isinstance(field, Mapping) else field!r}: {fault}"
    if len({field["key"] for field in fields}) < len(fields):
        return "two of its fields have the same key."
    return _fault_in_sum(form)


def _fault_in_names(said: Mapping[str, Any]) -> str | None:
    key, title = said.get("key"), said.get("title")
    if not isinstance(key, str) or not KEY.fullmatch(key):
        return "its key is lower case letters, digits and _, at most 40, a letter first."
    if not isinstance(title, str) or not 1 <= len(title.strip()) <= LONGEST_TITLE or not title.isprintable():
        return f"its title has 1 to {LONGEST_TITLE} letters."
    return None


def _fault_in_field(field: Mapping[str, Any]) -> str | None:
    if fault := _fault_in_names(field):
        return fault
    if field.get("kind") not in KINDS:
        return f"its kind is one of {', '.join(KINDS)}."
    if type(field.get("required", True)) is not bool:
        return "`required` is true or false."
    if field["kind"] == NUMBER:
        return _fault_in_bounds(field)
    if field["kind"] == REGIONS and (fault := _fault_in_regions(field.get("regions"))):
        return fault
    return None if field["kind"] == TEXT else _fault_in_choices(field.get("choices"))


def _fault_in_bounds(field: Mapping[str, Any]) -> str | None:
    low, high = field.get("min"), field.get("max")
    for end in (low, high):
        if end is not None and (isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end)):
            return "`min` and `max` are numbers."
    if low is not None and high is not None and low > high:
        return "`min` lies above `max`."
    unit = field.get("unit", "")
    if not isinstance(unit, str) or len(unit) > LONGEST_UNIT or type(field.get("integer", False)) is not bool:
        return f"`unit` is a text of at most {LONGEST_UNIT} letters, `integer` true or false."
    return None


def _fault_in_regions(regions: Any) -> str | None:
    if not isinstance(regions, list) or not 1 <= len(regions) <= MOST_REGIONS:
        return f"it needs 1 to {MOST_REGIONS} regions."
    for region in regions:
        if not isinstance(region, Mapping) or _fault_in_names(region):
            return "each of its regions has a key and a title."
    if len({region["key"] for region in regions}) < len(regions):
        return "two of its regions have the same key."
    return None


def _fault_in_choices(choices: Any) -> str | None:
    if not isinstance(choices, list) or not 2 <= len(choices) <= MOST_CHOICES:
        return f"it needs 2 to {MOST_CHOICES} choices."
    for choice in choices:
        value = choice.get("value") if isinstance(choice, Mapping) else None
        if not isinstance(choice, Mapping) or not isinstance(choice.get("title"), str):
            return "each of its choices has a value and a title."
        is_word = isinstance(value, str) and 1 <= len(value) <= LONGEST_TITLE and value.isprintable()
        if not (is_word or (type(value) is int and abs(value) <= 1_000_000)):
            return "the value of a choice is a whole number or a word."
    if len({str(choice["value"]) for choice in choices}) < len(choices):
        return "two of its choices have the same value."
    return None


def _fault_in_sum(form: Mapping[str, Any]) -> str | None:
    rule = form.get("sum")
    if rule is None:
        return None
    by_key = {field["key"]: field for field in form["fields"]}
    if not isinstance(rule, Mapping) or not isinstance(rule.get("title"), str) or not 1 <= len(rule["title"]) <= 40:
        return "its sum has a title of 1 to 40 letters, and says of which fields."
    of = rule.get("of")
    if not isinstance(of, list) or not of or any(not isinstance(key, str) or key not in by_key for key in of):
        return "its sum is of fields that it has."
    for key in of:
        field = by_key[key]
        numeric = field["kind"] == NUMBER or all(type(c["value"]) is int for c in field.get("choices", [{"value": ""}]))
        if not numeric:
            return f"its sum cannot add {field['title']}: its values are no numbers."
    return None
