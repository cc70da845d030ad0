"""The comments of a case on its page: each thread that a person may see in a line, open ones first."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from webapp.accounts.models import User
from webapp.campaigns.models import Case
from webapp.readings.comments import ThreadNow, threads_for


@dataclass(frozen=True)
class CommentLine:
    """A thread: its first comment (`text` None once that was withdrawn), and where in the viewer it lies.

    `slice_number` counts from 1, None where the thread is about the whole case; `answers` are the comments after the
    first.
    """

    author: str
    said_at: datetime
    text: str | None
    answers: int
    slice_number: int | None
    whose: str
    resolved_by: str
    url: str


@dataclass(frozen=True)
class CommentLines:
    """The threads of a case, oldest first: those that are open, and those that were resolved."""

    open: list[CommentLine]
    resolved: list[CommentLine]


def comment_lines_for(user: User, case: Case) -> CommentLines:
    """The threads of a case that a person may see by the rule of blinding (webapp.readings.comments)."""
    threads = threads_for(user, case)
    lines = [(now.resolved_by is None, _line(now)) for now in threads if now.comments]
    return CommentLines([line for is_open, line in lines if is_open], [line for is_open, line in lines if not is_open])


def _line(now: ThreadNow) -> CommentLine:
    thread, first = now.thread, now.comments[0]
    return CommentLine(
        author=str(first.first.author),
        said_at=first.first.said_at,
        text=first.text,
        answers=len(now.comments) - 1,
        slice_number=None if thread.k is None else thread.k + 1,
        whose=_whose(now),
        resolved_by=str(now.resolved_by.author) if now.resolved_by else "",
        url=f"{reverse('pages:viewer', args=[thread.reading_id])}#comment-{thread.pk}",
    )


def _whose(now: ThreadNow) -> str:
    """The reading that a thread belongs to, by its stage; with its reader where somebody else began the thread."""
    reading = now.thread.reading
    words = f"{reading.stage}, repeat {reading.repeat}" if reading.repeat else reading.stage
    return words if now.comments[0].first.author_id == reading.reader_id else f"{words} of {reading.reader}"
