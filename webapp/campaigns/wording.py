"""A protocol in words: each of its terms with what it says, and what one version says otherwise than another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webapp.campaigns.models import Protocol
from webapp.campaigns.protocols import (
    AT_RANDOM,
    ATTESTED,
    BLOCK,
    BY_NUMBER,
    CASE_SIGNED,
    MOST_UNCERTAIN,
    OFF,
    WARN,
    Acceptance,
    Stage,
    Terms,
)
from webapp.campaigns.wording_of_stages import words_of_stage, words_of_start
from webapp.masks.models import DataSet

TAKES_IN_WORDS = {
    "one_of_them": "one of the accepted readings, drawn at random",
    "intersection": "what all readings have in common",
    "union": "what any reading has",
    "majority": "what most readings have (majority)",
    "staple": "the readings weighed by STAPLE",
}
ORDERS_IN_WORDS = {
    BY_NUMBER: "by number",
    AT_RANDOM: "at random, another for each reader",
    MOST_UNCERTAIN: "those first of which the AI is least sure",
}
LEVELS_IN_WORDS = {OFF: "not asked", WARN: "warned of where it is missing", BLOCK: "no signature without it"}


@dataclass(frozen=True)
class Change:
    """A term that one version says otherwise than another; empty where a version has no such term."""

    term: str
    before: str
    after: str


def words_of_acceptance(rule: Acceptance | None) -> str:
    """When readings are accepted without an adjudicator."""
    if rule is None:
        return "none: readings of one stage are never accepted by themselves"
    verdicts = ", no contradicting verdicts" if rule.no_contradicting_verdicts else ""
    return (
        f"Dice of {rule.dice_at_least:g} or more, extents at most {rule.extent_difference_at_most:g} points apart"
        f"{verdicts}; the reference is {TAKES_IN_WORDS[rule.takes]}"
    )


def facts_of(stages: Sequence[Stage], terms: Terms, statement: str, guideline: str = "") -> dict[str, str]:
    """Each term of a protocol by its name, in the order in which people read it."""
    names = _data_set_names(stages)
    hidden = [
        word
        for word, is_so in (("the AI", terms.hides_ai), ("age, sex, site and scanner", terms.hides_metadata))
        if is_so
    ]
    facts: dict[str, str] = {}
    for place, stage in enumerate(stages, 1):
        facts[f"Stage {place}"] = f"{stage.name}: {words_of_stage(stage, names)}"
    arms = terms.arms
    facts |= {
        "Pilot": "yes: what is read under this version is a trial" if terms.pilot else "no",
        "Drawn to begin with the AI draft": (
            f"{arms.draft_in} of each {arms.of} cases, seed {arms.seed}" if arms else "no draw: as the stages say"
        ),
        "Other readings are shown": (
            "when the case is signed" if terms.unblinded_when == CASE_SIGNED else "when the campaign is closed"
        ),
        "Hidden from readers": " and ".join(hidden) or "nothing beside other readings",
        "Separate duties": (
            "nobody works on a case at two stages"
            if terms.separate_duties
            else "one person may do several stages of a case"
        ),
        "Acceptance": words_of_acceptance(terms.acceptance),
    }
    for code, sentence in ATTESTED.items():
        facts[f"A signature attests: {sentence}"] = LEVELS_IN_WORDS[terms.level(code)]
    days, needed = terms.release_after_days, terms.qualification
    facts |= {
        "Qualification": (
            f"first Dice of {needed.dice_at_least:g} or more and extents at most "
            f"{needed.extent_difference_at_most:g} points apart in each qualification case"
            if needed
            else "none: everybody reads study cases from the start"
        ),
        "A slice counts as seen after": f"{terms.dwell_ms:,} ms",
        "Order of cases": ORDERS_IN_WORDS[terms.order],
        "An idle case goes back": f"after {days} day{'s' if days > 1 else ''}" if days else "never by itself",
        "Scoring forms": ", ".join(_form_name(form) for form in terms.forms) or "none",
        "Flags": ", ".join(terms.flags) or "none",
        "Statement": statement,
        "Guideline": f"{len(guideline.split()):,} words" if guideline else "none",
    }
    return facts


def facts_of_protocol(protocol: Protocol) -> dict[str, str]:
    """Each term of a version of a protocol, in words."""
    return facts_of(protocol.stage_list, protocol.said, protocol.statement, protocol.guideline)


def words_of_starts(protocol: Protocol) -> str:
    """What new readings begin from at each stage, in one sentence."""
    stages, arms = protocol.stage_list, protocol.said.arms
    names = _data_set_names(stages)
    starts = [words_of_start(stage, names) for stage in stages]
    if len(stages) == 1:
        sentence = f"New readings begin from {starts[0]}"
    else:
        parts = [f"at the stage {stage.name} from {start}" for stage, start in zip(stages, starts, strict=True)]
        sentence = f"New readings begin {', '.join(parts)}"
    return f"{sentence}{'; which cases begin without the AI draft is drawn' if arms else ''}."


def changes_between(
    before: Protocol, stages: Sequence[Stage], terms: Terms, statement: str, guideline: str | None = None
) -> list[Change]:
    """What a protocol would say otherwise than a version does; empty where it says the same."""
    text = before.guideline if guideline is None else guideline
    changes = _different(facts_of_protocol(before), facts_of(stages, terms, statement, text))
    if text != before.guideline and not any(change.term == "Guideline" for change in changes):
        changes.append(Change("Guideline", "another text", "of as many words"))
    if not changes and terms.forms != before.said.forms:
        changes.append(Change("Scoring forms", "another content", "under the same names"))
    return changes


def changes_of_version(before: Protocol, after: Protocol) -> list[Change]:
    """What a version of a protocol says otherwise than the one before."""
    return changes_between(before, after.stage_list, after.said, after.statement, after.guideline)


def _different(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    terms = [*after, *(term for term in before if term not in after)]
    return [
        Change(term, before.get(term, ""), after.get(term, ""))
        for term in terms
        if before.get(term, "") != after.get(term, "")
    ]


def _data_set_names(stages: Sequence[Stage]) -> dict[str, str]:
    named = [stage.data_set for stage in stages if stage.data_set is not None]
    return {str(one.pk): one.name for one in DataSet.objects.filter(pk__in=named)} if named else {}


def _form_name(form: Mapping[str, Any]) -> str:
    return str(form.get("title") or form.get("name") or "unnamed")[:80]
