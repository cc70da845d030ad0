"""Threads of comments: who sees them, what they say now, and what a comment may be.

A thread belongs to a reading, and whoever sees the reading sees it. One thing more is hidden: readers of a blinded
stage may all see the draft that they begin from, and so would meet in its threads; what such a reader says there is
kept from the others until their readings are shown to each other.
"""

import re
import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404

from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.campaigns.models import OVERSEERS, Case
from webapp.campaigns.queries import roles_of
from webapp.readings.models import Reading, Thread, ThreadEntry
from webapp.readings.queries import readings_of_case_for, sees_all_readings

LONGEST_COMMENT = 2000
MOST_THREADS, MOST_ENTRIES = 500, 200
PINNED_TO = "A comment is pinned to a voxel of the scan: [i, j, k], or null for the whole case."


@dataclass(frozen=True)
class Comment:
    """A comment as it stands: its last text, None once withdrawn, and the texts before it, oldest first."""

    first: ThreadEntry
    text: str | None
    earlier: list[str]
    changed_at: Any = None


@dataclass(frozen=True)
class ThreadNow:
    """A thread as one person sees it: its comments, oldest first, and who resolved it, if it is resolved."""

    thread: Thread
    comments: list[Comment]
    resolved_by: ThreadEntry | None


def may_comment(reading: Reading, user: User) -> Refusal | None:
    """Whether a person who sees a reading may comment on it: everybody but those who only audit; signed or not."""
    if roles_of(user, reading.case.campaign) <= {"auditor"}:
        return Refusal("auditor", "An auditor reads everything and changes nothing: you may read comments, not write.")
    if reading.case.campaign.archived_at is not None:
        return Refusal("archived", "This campaign is archived: nothing more is said in it.")
    return None


def text_of(said: Any) -> str:
    """The text of a comment as it is kept: plain, lines ended by \\n. Raises ActionRefused for what is none."""
    if not isinstance(said, str) or not said.strip():
        raise ActionRefused(Refusal("no_text", "A comment needs a text."))
    text = said.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > LONGEST_COMMENT:
        sentence = f"A comment has at most {LONGEST_COMMENT:,} letters; this one has {len(text):,}."
        raise ActionRefused(Refusal("too_long", sentence))
    # Signs that nobody sees, and that turn the direction of what follows them, have no business in a record.
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t" for sign in text) or _TURNS.search(text):
        raise ActionRefused(Refusal("malformed", "This text holds control characters: type it anew."))
    return text


_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def pin_of(reading: Reading, voxel: Any, label: Any) -> dict[str, int | None]:
    """The fields of a thread pinned to `voxel` (i, j, k) and `label`; ActionRefused where the scan has neither."""
    where: Sequence[int | None] = (None, None, None)
    if voxel is not None:
        size_xyz = reading.case.scan.shape_zyx[::-1]
        if not isinstance(voxel, list | tuple) or len(voxel) != 3 or any(type(at) is not int for at in voxel):
            raise ActionRefused(Refusal("malformed", PINNED_TO))
        if any(not 0 <= at < size for at, size in zip(voxel, size_xyz, strict=True)):
            raise ActionRefused(Refusal("malformed", f"Voxel {tuple(voxel)} lies outside the scan."))
        where = voxel
    known = [entry["value"] for entry in reading.begun_mask.label_set.labels]
    if label is not None and (type(label) is not int or label not in known):
        raise ActionRefused(Refusal("malformed", "`label` is the value of a label of this reading's label set."))
    return {"i": where[0], "j": where[1], "k": where[2], "label": label}


def kept_apart(user: User, case: Case) -> set[uuid.UUID]:
    """The ids of those whose readings a person must not learn of: readers beside them at a blinded stage."""
    if sees_all_readings(roles_of(user, case.campaign), case.campaign):
        return set()
    readings = Reading.objects.filter(case=case).exclude(state=Reading.ASSIGNED).select_related("protocol")
    mine = {reading.stage for reading in readings if reading.reader_id == user.pk}
    beside = [one for one in readings if one.reader_id != user.pk and one.stage in mine]
    blinded = {one.pk: one.reader_id for one in beside if one.protocol.stage(one.stage).blinded}
    if not blinded:
        return set()
    shown = set(readings_of_case_for(user, case).filter(pk__in=blinded).values_list("pk", flat=True))
    return {reader for pk, reader in blinded.items() if pk not in shown}


def threads_for(user: User, case: Case) -> list[ThreadNow]:
    """The threads of a case that a person may see, oldest first: those of every reading that they may see."""
    readings = readings_of_case_for(user, case).exclude(mask=None).values("pk")
    threads = Thread.objects.filter(reading__in=readings).select_related("reading__reader").order_by("opened_at", "pk")
    return _as_they_stand(threads, kept_apart(user, case))


def threads_of(reading: Reading) -> list[ThreadNow]:
    """The threads of one reading with everything said in them, oldest first; who may see them is asked before."""
    threads = Thread.objects.filter(reading=reading).select_related("reading__reader").order_by("opened_at", "pk")
    return _as_they_stand(threads, set())


def thread_for(user: User, reading: Reading, identifier: uuid.UUID) -> ThreadNow:
    """One thread of a reading that a person sees; Http404 where it has none that they may see."""
    threads = Thread.objects.filter(pk=identifier, reading=reading).select_related("reading__reader")
    for found in _as_they_stand(threads, kept_apart(user, reading.case)):
        return found
    raise Http404("No such thread.")


def comment_in(now: ThreadNow, identifier: uuid.UUID) -> Comment:
    """One comment of a thread; Http404 where there is none."""
    for comment in now.comments:
        if comment.first.pk == identifier:
            return comment
    raise Http404("No such comment.")


def _as_they_stand(threads: QuerySet[Thread], hidden: set[uuid.UUID]) -> list[ThreadNow]:
    found = list(threads)
    entries: dict[uuid.UUID, list[ThreadEntry]] = defaultdict(list)
    said = ThreadEntry.objects.filter(thread__in=[thread.pk for thread in found]).select_related("author")
    for entry in said.exclude(author__in=hidden).order_by("number"):
        entries[entry.thread_id].append(entry)
    stand = [as_it_stands(thread, entries[thread.pk]) for thread in found]
    # One that a hidden person opened is not there, even where somebody else has answered.
    opened = {entry.thread_id for rows in entries.values() for entry in rows if entry.number == 1}
    return [now for now in stand if now.thread.pk in opened]


def as_it_stands(thread: Thread, entries: Iterable[ThreadEntry]) -> ThreadNow:
    """What a thread's entries, in their order, come to."""
    first: dict[uuid.UUID, ThreadEntry] = {}
    texts: dict[uuid.UUID, list[str]] = defaultdict(list)
    withdrawn: set[uuid.UUID] = set()
    changed: dict[uuid.UUID, Any] = {}
    resolved: ThreadEntry | None = None
    for entry in entries:
        about = entry.about_id or entry.pk
        if entry.kind == ThreadEntry.COMMENT:
            first[entry.pk] = entry
        if entry.kind in (ThreadEntry.EDIT, ThreadEntry.WITHDRAWAL):
            changed[about] = entry.said_at
        if entry.text:
            texts[about].append(entry.text)
        if entry.kind == ThreadEntry.WITHDRAWAL:
            withdrawn.add(about)
        if entry.kind in (ThreadEntry.RESOLVED, ThreadEntry.REOPENED):
            resolved = entry if entry.kind == ThreadEntry.RESOLVED else None
    comments = [
        Comment(entry, None, [], changed.get(pk))
        if pk in withdrawn
        else Comment(entry, texts[pk][-1], texts[pk][:-1], changed.get(pk))
        for pk, entry in first.items()
    ]
    return ThreadNow(thread, comments, resolved)


def people_who_see(reading: Reading, unseen_by: User | None = None) -> list[User]:
    """The members of the campaign who may see a reading, by name; without those kept apart from `unseen_by`."""
    apart = kept_apart(unseen_by, reading.case) if unseen_by else set()
    # Nobody else can: a reader sees readings of the cases that they read themselves.
    theirs = Q(memberships__role__in=OVERSEERS) | Q(pk__in=reading.case.readings.values("reader"))
    members = User.objects.filter(theirs, memberships__campaign=reading.case.campaign, is_active=True).distinct()
    return [
        person
        for person in members.order_by("display_name", "username")
        if person.pk not in apart and readings_of_case_for(person, reading.case).filter(pk=reading.pk).exists()
    ]


def mentioned_in(text: str, people: Iterable[User]) -> list[User]:
    """Those of `people` whom a text names: @ and their name or user name, as whole words. The longest name counts."""
    names = {name.casefold(): person for person in people for name in (person.username, str(person)) if name}
    if not names:
        return []
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    found = re.findall(rf"(?<![\w@])@({either})(?!\w)", text.casefold())
    return list({names[name].pk: names[name] for name in found}.values())


def thread_data(now: ThreadNow, user: User) -> dict[str, Any]:
    """A thread for the viewer and for programs."""
    thread, reading = now.thread, now.thread.reading
    return {
        "id": str(thread.pk),
        "reading": str(reading.pk),
        "whose": {"reader": str(reading.reader), "stage": reading.stage, "mine": reading.reader_id == user.pk},
        "voxel": None if thread.i is None else [thread.i, thread.j, thread.k],
        "label": thread.label,
        "resolved": now.resolved_by is not None,
        "resolved_by": str(now.resolved_by.author) if now.resolved_by else None,
        "resolved_at": now.resolved_by.said_at.isoformat() if now.resolved_by else None,
        "comments": [comment_data(comment, user) for comment in now.comments],
    }


def comment_data(comment: Comment, user: User) -> dict[str, Any]:
    """A comment as it stands; of one that was withdrawn, that it was. Texts before an edit stay to be read."""
    return {
        "id": str(comment.first.pk),
        "author": str(comment.first.author),
        "mine": comment.first.author_id == user.pk,
        "said_at": comment.first.said_at.isoformat(),
        "text": comment.text,
        "withdrawn": comment.text is None,
        "edited_at": comment.changed_at.isoformat() if comment.changed_at else None,
        "earlier": comment.earlier,
    }


def comments_data(reading: Reading, user: User) -> Mapping[str, Any]:
    """The threads of a reading's case that a person sees, and whether and whom they may write to."""
    refusal = may_comment(reading, user)
    people = people_who_see(reading, unseen_by=user) if refusal is None else []
    seen = readings_of_case_for(user, reading.case).exclude(mask=None)
    return {
        "readings": [str(pk) for pk in seen.values_list("pk", flat=True)],
        "threads": [thread_data(now, user) for now in threads_for(user, reading.case)],
        "may_comment": refusal is None,
        "comment_refusal": refusal.sentence if refusal else None,
        "people": [{"name": str(person), "username": person.username} for person in people if person.pk != user.pk],
    }
