"""Audit events by the million, with the hashes that the database would give them."""

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from webapp.audit.models import ChainHead, Event
from webapp.audit.record import canonical
from webapp.audit.verify import GENESIS, event_hash

COLUMNS = ("chain", "seq", "at", "name", "actor_kind", "actor_id", "subject", "body", "prev_hash", "hash")
# What a campaign's trail is made of, in parts of a hundred, and what of a case each is about.
MIX = (
    ("scan.viewed", 46, "scan"),
    ("reading.viewed", 30, "reading"),
    ("mask.lease_taken", 12, "reading"),
    ("mask.version_cut", 4, "reading"),
    ("reading.signed", 4, "reading"),
    ("campaign.pictures_viewed", 3, "scan"),
    ("action.refused", 1, "case"),
)
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seeded:
    """A case as events name it: its number, its id, its scan's, and its reading's where it has one."""

    number: int
    case: str
    scan: str
    reading: str = ""


def seed_events(
    *, chain: str, cases: Sequence[Seeded], people: Sequence[tuple[str, str]], count: int, seed: int = 1
) -> None:
    """Append `count` events about `cases` by `people` (id, name) to a chain, as the database's owner.

    Written with COPY, without triggers and without the indexes that can be made anew; the chain holds afterwards.
    """
    head = ChainHead.objects.filter(chain=chain).first()
    last = (head.seq, head.hash) if head else (0, GENESIS)
    indexes = [index for index in Event._meta.indexes]
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(Event, index)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        with cursor.copy(f"COPY audit_event ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row in _rows(chain, cases, people, count, last, random.Random(seed)):
                copy.write_row(row)
                last = (row[1], row[-1])
        cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")
        cursor.execute("SET maintenance_work_mem = '512MB'")
    ChainHead.objects.update_or_create(chain=chain, defaults={"seq": last[0], "hash": last[1]})
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(Event, index)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_event")


def _rows(
    chain: str,
    cases: Sequence[Seeded],
    people: Sequence[tuple[str, str]],
    count: int,
    last: tuple[int, str],
    chance: random.Random,
) -> Iterator[tuple]:
    names, weights, nouns = zip(*MIX, strict=True)
    kinds = dict(zip(names, nouns, strict=True))
    drawn = itertools.chain.from_iterable(chance.choices(names, weights, k=1000) for _ in itertools.count())
    seq, prev = last
    # A body with holes: the JSON of each event is written once for each of its kinds.
    bodies = {name: _body(name) for name in names}
    for number in range(count):
        seq += 1
        name, case, (person, who) = next(drawn), chance.choice(cases), chance.choice(people)
        noun = kinds[name]
        subject = f"reading:{case.reading}" if noun == "reading" and case.reading else f"scan:{case.scan}"
        subject = f"case:{case.case}" if noun == "case" else subject
        at = (BEGIN + timedelta(seconds=number * 30)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        digest = f"{chance.getrandbits(256):064x}"
        body = bodies[name] % {"case": case.number, "who": who, "id": person, "subject": subject, "digest": digest}
        hashed = event_hash(prev, chain, seq, at, body)
        yield chain, seq, at, name, "person", person, subject, body, prev, hashed
        prev = hashed


def _body(name: str) -> str:
    details = {"case": 7, "version_sha256": "%(digest)s", "sentence": "It is another reader's case."}
    actor = {"kind": "person", "id": "%(id)s", "name": "%(who)s", "address": "10.1.2.3", "roles": ["radiologist"]}
    text = canonical({"event": name, "actor": actor, "subject": "%(subject)s", "details": details})
    assert json.loads(text)["event"] == name
    return text.replace('"case":7', '"case":%(case)d')
