"""Scoring forms: the presets are the published ones, sums are those of the vectors, broken definitions are told."""

import copy
import json
from pathlib import Path

import pytest

from webapp.campaigns.score_presets import PRESET_FORMS
from webapp.campaigns.scoring_forms import (
    fault_in_answer,
    fault_in_forms,
    items_of,
    missing_in_form,
    sentence_of_missing,
    total_of,
)

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "vectors" / "forms.json").read_text())
FORMS = VECTORS["forms"]


@pytest.mark.parametrize("case", VECTORS["sums"], ids=lambda case: f"{case['form']} {case['value']}")
def test_sums_and_what_is_missing_are_those_of_the_vectors(case):
    form = FORMS[case["form"]]
    total = total_of(form, case["answers"])
    assert (total.value, total.most, total.complete) == (case["value"], case["most"], case["complete"])
    assert [item.key for item in missing_in_form(form, case["answers"])] == case["missing"]


@pytest.mark.parametrize("case", VECTORS["answers"], ids=lambda case: f"{case['item']} {str(case['value'])[:20]}")
def test_answers_are_taken_or_refused_as_the_vectors_say(case):
    fault = fault_in_answer(FORMS[case["form"]], case["item"], case["value"])
    assert (fault is None) == case["accepted"], fault


def test_vectors_hold_the_presets_as_they_are():
    assert {key: FORMS[key] for key in PRESET_FORMS} == PRESET_FORMS
    assert fault_in_forms(list(FORMS.values())) is None


def test_presets_are_the_published_scores():
    yang, pan, severity = (PRESET_FORMS[key] for key in ("yang_2020", "pan_2020", "total_severity_score"))
    assert [len(items_of(form)) for form in (yang, pan, severity)] == [20, 5, 5]
    assert [total_of(form, {}).most for form in (yang, pan, severity)] == [40, 25, 20]
    values = [[c["value"] for c in form["fields"][0]["choices"]] for form in (yang, pan, severity)]
    assert values == [[0, 1, 2], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4]]
    left = [item.title for item in items_of(yang) if item.title.startswith("L")]
    assert len(left) == 10
    assert len([title for title in left if "apicoposterior" in title]) == 2
    assert len([title for title in left if "anteromedial" in title]) == 2
    assert all("doi:10.1148/" in form["source"] for form in (yang, pan, severity))


def test_the_sentence_names_the_form_and_what_it_lacks():
    pan = PRESET_FORMS["pan_2020"]
    answers = {"region/rul": 0, "region/rml": 1, "region/rll": 5}
    said = sentence_of_missing([pan], {"pan_2020": answers})
    assert said == "CT score (Pan 2020): 2 of 5 missing (Left upper lobe, Left lower lobe)."
    assert sentence_of_missing([pan], {}).endswith("Left upper lobe, 1 more).")
    assert sentence_of_missing([pan], {"pan_2020": {**answers, "region/lul": 0, "region/lll": 0}}) == ""


def broken(**changes):
    """The own form of the vectors with a part of it replaced; a key may name a place: fields.0.kind."""
    form = copy.deepcopy(FORMS["own"])
    for path, value in changes.items():
        at = form
        *places, last = path.split("__")
        for place in places:
            at = at[int(place)] if place.isdigit() else at[place]
        at[int(last) if last.isdigit() else last] = value
    return form


@pytest.mark.parametrize(
    ("forms", "says"),
    [
        ("yes", "a list of at most"),
        ([1], "a list of at most"),
        ([{}] * 9, "a list of at most"),
        ([{}], "its key is"),
        ([broken(key="Not a key")], "its key is"),
        ([broken(key="own"), broken(key="own")], "same key"),
        ([broken(title="")], "its title"),
        ([broken(title=["x"])], "its title"),
        ([broken(source=3)], "its source"),
        ([broken(fields=[])], "needs 1 to"),
        ([broken(fields={})], "needs 1 to"),
        ([broken(fields__0=3)], "it is no field"),
        ([broken(fields__0__kind="slider")], "its kind is one of"),
        ([broken(fields__0__required="yes")], "`required`"),
        ([broken(fields__0__choices=[])], "2 to 20 choices"),
        ([broken(fields__0__choices__0__value=1.5)], "whole number or a word"),
        ([broken(fields__0__choices__0__value=True)], "whole number or a word"),
        ([broken(fields__0__choices__1__value="ground_glass")], "same value"),
        ([broken(fields__1__key="pattern")], "same key"),
        ([broken(fields__2__min="0")], "are numbers"),
        ([broken(fields__2__min=float("nan"))], "are numbers"),
        ([broken(fields__2__min=9000)], "lies above"),
        ([broken(fields__2__unit=1)], "`unit`"),
        ([broken(sum__of=["nothing"])], "fields that it has"),
        ([broken(sum__of=["pattern"])], "cannot add Pattern"),
        ([broken(sum__of=["remark"])], "cannot add Remark"),
        ([broken(sum__title=3)], "its sum has a title"),
        ([broken(fields__0={"key": "r", "title": "R", "kind": "regions", "regions": "x", "choices": []})], "regions"),
    ],
)
def test_a_broken_definition_is_told_in_a_sentence(forms, says):
    assert says in (fault_in_forms(forms) or "")
