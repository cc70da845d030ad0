"""Events as lines for people: who as what, what happened in words, what it is about and where that is."""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse

from webapp.accounts.models import User
from webapp.algorithms.models import DraftRun
from webapp.audit.models import Event
from webapp.audit.trail import SITE_CHAIN
from webapp.campaigns.chains import PREFIX
from webapp.campaigns.models import Campaign, Case
from webapp.masks.models import ImportedMask, Mask
from webapp.pages.event_words import sentence_of
from webapp.readings.models import Reading

LONGEST_DETAIL = 400
# The hash of what an event was about, where it tells one.
DIGESTS = ("version_sha256", "reference_sha256", "sha256", "voxels_sha256", "content_sha256")


@dataclass(frozen=True)
class Named:
    """What a subject is called, and the address of its page; `reader` where it is one's reading."""

    word: str
    address: str = ""
    reader: User | None = None


@dataclass(frozen=True)
class Naming:
    """How subjects are named: cases without their campaign where all are of one; without readers to who is blinded."""

    one_campaign: bool = True
    readers: bool = True


@dataclass(frozen=True)
class Line:
    """One event as a page shows it."""

    event: Event
    at: datetime
    who: str
    kind: str
    roles: list[str]
    address: str
    about: Named
    sentence: str
    chain: str
    details: list[tuple[str, str]]
    digest: str = ""


PLAINLY = Naming()


def lines_of(events: Iterable[Event], naming: Naming = PLAINLY) -> list[Line]:
    """Events as lines; a fixed number of queries."""
    events = list(events)
    names = names_of([event.subject for event in events], naming)
    chains = _campaign_names([event.chain for event in events])
    return [_line(event, names.get(event.subject, Named("")), chains) for event in events]


def _line(event: Event, about: Named, chains: dict[str, str]) -> Line:
    content = event.content
    actor, details = content["actor"], content["details"]
    return Line(
        event=event,
        at=datetime.strptime(event.at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC),
        who=actor["name"],
        kind=actor["kind"],
        roles=actor.get("roles", []),
        address=actor["address"],
        about=about,
        sentence=sentence_of(event.name, details, _it(about, actor["id"])),
        chain=chains.get(event.chain, event.chain),
        details=list(_details(details)),
        digest=next((str(details[name]) for name in DIGESTS if details.get(name)), ""),
    )


def _it(about: Named, actor_id: str) -> str:
    """What an event is about, for its sentence; whose reading it is, unless it is the actor's own."""
    others = about.reader is not None and str(about.reader.pk) != actor_id
    return f"{about.word} by {about.reader}" if others else about.word


def _details(details: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in details.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
        yield name, text if len(text) <= LONGEST_DETAIL else f"{text[:LONGEST_DETAIL]} …"


def names_of(subjects: Iterable[str], naming: Naming) -> dict[str, Named]:
    """What subjects of events are called, by subject; those of rows that are gone stay without a name."""
    asked: dict[str, set[uuid.UUID]] = defaultdict(set)
    for subject in set(subjects):
        noun, _, key = subject.partition(":")
        if noun in NAMERS and (identifier := _uuid(key)):
            asked[noun].add(identifier)
    return {
        f"{noun}:{identifier}": named
        for noun, identifiers in asked.items()
        for identifier, named in NAMERS[noun](identifiers, naming)
    }


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


Found = Iterator[tuple[uuid.UUID, Named]]
Namer = Callable[[set[uuid.UUID], Naming], Found]


def case_address(case: Case) -> str:
    """The page of a case."""
    return reverse("pages:case", args=[case.campaign.slug, case.number])


def _case_word(case: Case, naming: Naming) -> str:
    return f"case {case.number}" if naming.one_campaign else f"case {case.number} of {case.campaign}"


def _cases(identifiers: set[uuid.UUID], naming: Naming) -> Found:
    for case in Case.ever.select_related("campaign").filter(pk__in=identifiers):
        yield case.pk, Named(_case_word(case, naming), case_address(case))


def _readings_by(column: str) -> Namer:
    def named(identifiers: set[uuid.UUID], naming: Naming) -> Found:
        rows = Reading.objects.select_related("case__campaign", "reader").filter(**{f"{column}__in": identifiers})
        for reading in rows:
            word = f"the {reading.stage} of {_case_word(reading.case, naming)}"
            reader = reading.reader if naming.readers else None
            yield getattr(reading, column), Named(word, case_address(reading.case), reader)

    return named


def _scans_by(column: str) -> Namer:
    """The scan is called by the first case that it became: nothing else of it is known to everybody who reads this."""

    def named(identifiers: set[uuid.UUID], naming: Naming) -> Found:
        rows = Case.ever.select_related("campaign", "scan").filter(**{f"{column}__in": identifiers})
        found: dict[uuid.UUID, Named] = {}
        for case in rows.order_by("added_at"):
            identifier = case.scan_id if column == "scan_id" else case.scan.study_id
            found.setdefault(identifier, Named(f"the scan of {_case_word(case, naming)}", case_address(case)))
        yield from found.items()

    return named


def _masks(identifiers: set[uuid.UUID], naming: Naming) -> Found:
    """Masks of readings are called by their readings, others by who made them."""
    found = dict(_readings_by("mask_id")(identifiers, naming))
    yield from found.items()
    for mask in Mask.objects.filter(pk__in=identifiers - set(found)):
        kind = {"algorithm": "the AI draft", "import": "the imported mask"}.get(mask.author_kind, "a mask")
        yield mask.pk, Named(kind)


def _people(identifiers: set[uuid.UUID], naming: Naming) -> Found:
    for person in User.objects.filter(pk__in=identifiers):
        yield person.pk, Named(str(person))


def _campaigns(identifiers: set[uuid.UUID], naming: Naming) -> Found:
    for campaign in Campaign.objects.filter(pk__in=identifiers):
        yield campaign.pk, Named(f"the campaign {campaign}", reverse("pages:campaign", args=[campaign.slug]))


NAMERS: dict[str, Namer] = {
    "case": _cases,
    "reading": _readings_by("pk"),
    "mask": _masks,
    "scan": _scans_by("scan_id"),
    "study": _scans_by("scan__study_id"),
    "person": _people,
    "campaign": _campaigns,
}


def _campaign_names(chains: Iterable[str]) -> dict[str, str]:
    found = {chain: _uuid(chain.removeprefix(PREFIX)) for chain in set(chains) if chain.startswith(PREFIX)}
    names = dict(Campaign.objects.filter(pk__in=[pk for pk in found.values() if pk]).values_list("pk", "name"))
    return {SITE_CHAIN: "site", **{chain: names[pk] for chain, pk in found.items() if pk in names}}


def subjects_of_case(case: Case) -> list[str]:
    """Everything that events about a case may be about: its scan, its drafts, its readings, their masks."""
    readings = Reading.objects.filter(case=case).values_list("pk", "mask_id")
    drafts = DraftRun.objects.filter(scan=case.scan_id).exclude(mask=None).values_list("mask_id", flat=True)
    imports = ImportedMask.objects.filter(scan=case.scan_id).values_list("mask_id", flat=True)
    return [
        f"case:{case.pk}",
        f"scan:{case.scan_id}",
        f"study:{case.scan.study_id}",
        *(f"mask:{mask_id}" for mask_id in [*drafts, *imports]),
        *subjects_of_readings(readings),
    ]


def subjects_of_readings(readings: Iterable[tuple[uuid.UUID, uuid.UUID | None]]) -> list[str]:
    """What events about readings are about; a reading is given by its id and its mask's, None where it has none yet."""
    return [
        f"{noun}:{key}"
        for pair in readings
        for noun, key in zip(("reading", "mask"), pair, strict=True)
        if key is not None
    ]
