"""Answers are written down as they are given, each change kept. Records of their own: no events."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from webapp import push
from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.campaigns.scoring_forms import fault_in_answer
from webapp.readings.models import FormEntry, Reading
from webapp.readings.rules import may_edit
from webapp.readings.scoring import answers_of

MOST_AT_ONCE = 500


@transaction.atomic
def record_answers(*, reading: Reading, answers: Any, by: User) -> None:
    """Write down answers: [{"form", "item", "value"}], in order; value null takes one back. Saying it twice is once.

    Raises ActionRefused for a reading that is not the person's or not open, and for what is no answer; then nothing is
    written.
    """
    held = (
        Reading.objects.select_for_update(of=("self",)).select_related("case__campaign", "protocol").get(pk=reading.pk)
    )
    require(may_edit(held, by))
    if not isinstance(answers, list) or len(answers) > MOST_AT_ONCE:
        raise _malformed(f"`answers` lists at most {MOST_AT_ONCE} of {{form, item, value}}.")
    forms = {form["key"]: form for form in held.protocol.said.forms}
    known = answers_of(held)
    rows = []
    for said in answers:
        form, item, value = _answer(forms, said)
        if known.setdefault(form, {}).get(item) == value:
            continue
        known[form][item] = value
        rows.append(FormEntry(reading=held, form=form, item=item, value=value))
    if rows:
        FormEntry.objects.bulk_create(rows)
        push.publish(f"reading:{held.pk}", "answers.changed")


def _answer(forms: Mapping[str, Mapping[str, Any]], said: Any) -> tuple[str, str, Any]:
    fields = said if isinstance(said, Mapping) else {}
    form, item = fields.get("form"), fields.get("item")
    if not isinstance(form, str) or form not in forms or not isinstance(item, str) or "value" not in fields:
        raise _malformed(f"An answer is {{form, item, value}}; the forms are: {', '.join(forms) or 'none'}.")
    if fault := fault_in_answer(forms[form], item, fields["value"]):
        raise _malformed(fault)
    return form, item, fields["value"]


def _malformed(sentence: str) -> ActionRefused:
    return ActionRefused(Refusal("malformed", sentence))
