"""Who has yet to pass cases whose reference is known before the study cases of a stage are theirs."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from webapp.accounts.models import User
from webapp.campaigns.models import Campaign, Case
from webapp.campaigns.queries import current_protocol
from webapp.readings.models import Grade, Reading


def stages_to_qualify(user: User, campaign: Campaign) -> set[str]:
    """The stages at which a person has yet to pass a qualification case before they read study cases there."""
    return readers_to_qualify(campaign, {user.pk})[user.pk]


def readers_to_qualify(campaign: Campaign, readers: Collection[Any]) -> dict[Any, set[str]]:
    """The same for many readers, by id, in a fixed number of queries.

    Who had a hand in a case has nothing to show in it: its known reference is theirs, or nobody works at two stages.
    """
    protocol = current_protocol(campaign)
    waiting: dict[Any, set[str]] = defaultdict(set)
    if protocol.said.qualification is None:
        return waiting
    first = protocol.stage_list[0].name
    rows = campaign.cases.filter(kind=Case.QUALIFICATION, excluded_reason="")
    cases = list(rows.select_related("known_version__mask", "protocol"))
    if not cases:
        return waiting
    done = _done_with(cases, protocol.said.separate_duties, readers)
    for case in cases:
        author = case.known_version.mask.author_id if case.known_version else ""
        for reader in readers:
            if str(reader) != author and (reader, case.pk) not in done:
                waiting[reader].add(case.measures_stage or first)
    return waiting


def _done_with(cases: list[Case], separate_duties: bool, readers: Collection[Any]) -> set[tuple[Any, Any]]:
    """(reader, case) where a reader has passed, or may not read because of what they did at another stage."""
    stages = {case.pk: case.stage for case in cases}
    passed = Grade.objects.filter(reading__case__in=cases, reading__reader__in=readers, passed=True)
    rows = passed.values_list("reading__reader_id", "reading__case_id", "reading__stage")
    done = {(reader, case) for reader, case, stage in rows if stage == stages[case]}
    apart = {case.pk for case in cases if (case.protocol.said.separate_duties if case.protocol else separate_duties)}
    hands = Reading.objects.filter(case__in=apart, reader__in=readers).exclude(mask=None)
    return done | {
        (reader, case)
        for reader, case, stage in hands.values_list("reader_id", "case_id", "stage")
        if stage != stages[case]
    }
