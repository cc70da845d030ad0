"""Answers in the scoring forms of a reading: as they stand, summed, frozen, beside each other.

They are read by eye. Nothing here is computed from a mask.
"""

import hashlib
import json
from collections import defaultdict
from dataclasses import asdict
from typing import Any

from webapp.campaigns.scoring_forms import (
    items_of,
    missing_in_form,
    sentence_of_missing,
    total_of,
)
from webapp.readings.models import FormEntry, Reading

Filled = dict[str, dict[str, Any]]


def answers_of(reading: Reading) -> Filled:
    """The answers of a reading as they stand, by form and item; an amendment begins with those that it amends."""
    answers: Filled = defaultdict(dict)
    if reading.supersedes is not None:
        answers.update({key: dict(said) for key, said in answers_of(reading.supersedes).items()})
    for entry in FormEntry.objects.filter(reading=reading).order_by("pk"):
        if entry.value is None:
            answers[entry.form].pop(entry.item, None)
        else:
            answers[entry.form][entry.item] = entry.value
    return {key: said for key, said in answers.items() if said}


def missing_answers(reading: Reading) -> str:
    """The sentence that names the forms of a reading that are not filled in, and what they lack; empty where none."""
    forms = reading.protocol.said.forms
    return sentence_of_missing(forms, answers_of(reading)) if forms else ""


def frozen_answers(reading: Reading) -> dict[str, Any]:
    """What a signature writes down of the forms, where there are any: answers, sums, and a SHA-256 over them.

    A sum is that of a form in which nothing of it is missing, None of others.
    """
    forms = reading.protocol.said.forms
    if not forms:
        return {}
    answers = answers_of(reading)
    filled = {}
    for form in forms:
        said = {item.key: answers.get(form["key"], {}).get(item.key) for item in items_of(form)}
        total = total_of(form, said)
        filled[form["key"]] = {
            "answers": {key: value for key, value in said.items() if value is not None},
            "sum": total.value if total and total.complete else None,
            "missing": len(missing_in_form(form, said)),
        }
    text = json.dumps(filled, sort_keys=True, separators=(",", ":"))
    return {"forms": filled, "forms_sha256": hashlib.sha256(text.encode()).hexdigest()}


def forms_data(reading: Reading) -> dict[str, Any]:
    """The forms of the reading's protocol, what is answered, and the sums."""
    forms, answers = reading.protocol.said.forms, answers_of(reading)
    last = FormEntry.objects.filter(reading=reading).order_by("-pk").values_list("said_at", flat=True).first()
    totals = {form["key"]: total_of(form, answers.get(form["key"], {})) for form in forms}
    return {
        "forms": forms,
        "answers": answers,
        "totals": {key: asdict(total) for key, total in totals.items() if total},
        "saved_at": last.isoformat() if last else None,
    }


def signed_scores_of(reading: Reading) -> dict[str, str]:
    """The answers and sums that a signature froze, by the column of the table of measurements: form_<form>_<item>.

    A column is there for each item of each form, empty where it was not answered; form_<form>_sum is the sum, empty
    where something of it is missing, and form_<form>_missing counts what is.
    """
    frozen = reading.signature.attested.get("forms", {})
    columns = {}
    for form in reading.protocol.said.forms:
        said = frozen.get(form["key"], {"answers": {}, "sum": None})
        name = f"form_{form['key']}"
        for item in items_of(form):
            value = said["answers"].get(item.key)
            columns[f"{name}_{item.key.replace('/', '_')}"] = "" if value is None else str(value)
        if form.get("sum"):
            columns[f"{name}_sum"] = "" if said["sum"] is None else str(said["sum"])
            columns[f"{name}_missing"] = str(said["missing"]) if "missing" in said else ""
    return columns
