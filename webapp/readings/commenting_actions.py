"""What people say to each other about a reading: comment, answer, change the text, withdraw, resolve, open again."""

import hashlib
import uuid
from typing import Any

from django.db.models import Q

from webapp import push
from webapp.accounts.models import User
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.readings import events
from webapp.readings.comments import (
    MOST_ENTRIES,
    MOST_THREADS,
    ThreadNow,
    comment_in,
    kept_apart,
    may_comment,
    mentioned_in,
    people_who_see,
    pin_of,
    text_of,
    thread_for,
)
from webapp.readings.models import Reading, Thread, ThreadEntry
from webapp.readings.queries import reading_for
from webapp.readings.telling import tell_mentioned


@audited(events.COMMENT_ADDED)
def open_thread(*, reading: Reading, text: Any, by: User, voxel: Any = None, label: Any = None) -> ThreadNow:
    """Begin a thread of a reading, pinned to a voxel (i, j, k) or about the whole case."""
    held = _held(reading, by)
    said, pin = text_of(text), pin_of(held, voxel, label)
    if held.threads.count() >= MOST_THREADS:
        raise ActionRefused(
            Refusal("too_many", f"A reading has at most {MOST_THREADS} threads: answer in one of them.")
        )
    thread = Thread.objects.create(reading=held, **pin)
    _add(held, thread, ThreadEntry.COMMENT, by, events.COMMENT_ADDED, text=said)
    return thread_for(by, held, thread.pk)


@audited(events.COMMENT_ADDED)
def answer_thread(*, reading: Reading, thread: uuid.UUID, text: Any, by: User) -> ThreadNow:
    """Answer in a thread; one that was resolved stays so until somebody opens it again."""
    held = _held(reading, by)
    now = thread_for(by, held, thread)
    _add(held, now.thread, ThreadEntry.COMMENT, by, events.COMMENT_ADDED, text=text_of(text))
    return thread_for(by, held, thread)


@audited(events.COMMENT_EDITED)
def edit_comment(*, reading: Reading, thread: uuid.UUID, comment: uuid.UUID, text: Any, by: User) -> ThreadNow:
    """Give one's own comment a new text; the one before stays to be read."""
    held = _held(reading, by)
    now = thread_for(by, held, thread)
    first = _own(now, comment, by)
    _add(held, now.thread, ThreadEntry.EDIT, by, events.COMMENT_EDITED, text=text_of(text), about=first)
    return thread_for(by, held, thread)


@audited(events.COMMENT_WITHDRAWN)
def withdraw_comment(*, reading: Reading, thread: uuid.UUID, comment: uuid.UUID, by: User) -> ThreadNow:
    """Withdraw one's own comment: it is shown as withdrawn, and its place stays."""
    held = _held(reading, by)
    now = thread_for(by, held, thread)
    _add(held, now.thread, ThreadEntry.WITHDRAWAL, by, events.COMMENT_WITHDRAWN, about=_own(now, comment, by))
    return thread_for(by, held, thread)


@audited(events.THREAD_RESOLVED)
def resolve_thread(*, reading: Reading, thread: uuid.UUID, by: User) -> ThreadNow:
    """Mark a thread as resolved."""
    held = _held(reading, by)
    now = thread_for(by, held, thread)
    if now.resolved_by is not None:
        raise ActionRefused(Refusal("resolved", f"{now.resolved_by.author} has resolved this thread already."))
    _add(held, now.thread, ThreadEntry.RESOLVED, by, events.THREAD_RESOLVED)
    return thread_for(by, held, thread)


@audited(events.THREAD_REOPENED)
def reopen_thread(*, reading: Reading, thread: uuid.UUID, by: User) -> ThreadNow:
    """Open a resolved thread again."""
    held = _held(reading, by)
    now = thread_for(by, held, thread)
    require(None if now.resolved_by else Refusal("open", "This thread is open."))
    _add(held, now.thread, ThreadEntry.REOPENED, by, events.THREAD_REOPENED)
    return thread_for(by, held, thread)


def _held(reading: Reading, by: User) -> Reading:
    """The reading with its row locked, as the person sees it: its threads' entries are counted one after the other."""
    Reading.objects.select_for_update(of=("self",), no_key=True).filter(pk=reading.pk).first()
    held = reading_for(by, reading.pk)
    require(may_comment(held, by))
    return held


def _own(now: ThreadNow, identifier: uuid.UUID, by: User) -> ThreadEntry:
    comment = comment_in(now, identifier)
    if comment.first.author_id != by.pk:
        raise ActionRefused(Refusal("not_yours", "Only its author changes a comment: answer it."))
    if comment.text is None:
        raise ActionRefused(Refusal("withdrawn", "This comment was withdrawn."))
    return comment.first


def _add(
    reading: Reading,
    thread: Thread,
    kind: str,
    by: User,
    event: str,
    text: str = "",
    about: ThreadEntry | None = None,
) -> None:
    count = thread.entries.count()
    if count >= MOST_ENTRIES:
        raise ActionRefused(Refusal("too_many", f"A thread has at most {MOST_ENTRIES} entries: begin another."))
    people = people_who_see(reading, unseen_by=by)
    mentioned = [person for person in mentioned_in(text, people) if person.pk != by.pk] if text else []
    entry = ThreadEntry.objects.create(
        thread=thread,
        number=count + 1,
        kind=kind,
        about=about,
        author=by,
        text=text,
        mentions=[str(person.pk) for person in mentioned],
    )
    record(
        event,
        by=by,
        chain=chain_of(reading.case.campaign),
        subject=f"reading:{reading.pk}",
        case=reading.case.number,
        thread=str(thread.pk),
        entry=str(entry.pk),
        about=str(about.pk) if about else None,
        voxel=None if thread.i is None else [thread.i, thread.j, thread.k],
        # What was said stands in the entry, which never changes: here is what proves it.
        text_sha256=hashlib.sha256(text.encode()).hexdigest() if text else None,
        mentions=entry.mentions,
    )
    # Whom an earlier text of the same comment named has been told.
    earlier = thread.entries.filter(Q(pk=about.pk) | Q(about=about)).exclude(pk=entry.pk) if about else []
    told = {pk for one in earlier for pk in one.mentions}
    tell_mentioned(reading, [person for person in mentioned if str(person.pk) not in told], thread, text)
    _tell(reading, by)


def _tell(reading: Reading, by: User) -> None:
    """Let those who see the reading know that its threads changed; readers kept apart hear nothing of each other."""
    said = {"kind": "comments.changed", "reading": str(reading.pk)}
    everyone = people_who_see(reading)
    apart = [person for person in everyone if by.pk in kept_apart(person, reading.case)]
    if not apart:
        push.publish(f"reading:{reading.pk}", "comments.changed")
        return
    for person in everyone:
        if person not in apart:
            push.publish(f"person:{person.pk}", said["kind"], reading=said["reading"])
