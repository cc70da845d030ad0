"""What the readings in dispute scored and said, by letters: their readers' names stay out, of texts as well."""

import re
from collections.abc import Mapping
from typing import Any

from webapp.accounts.models import User
from webapp.campaigns.models import OVERSEERS
from webapp.campaigns.queries import roles_of
from webapp.readings.comments import Comment, threads_of
from webapp.readings.models import Reading
from webapp.readings.scoring import Filled, answers_of

Lettered = Mapping[str, Reading]


def scores_by_letter(readings: Lettered) -> dict[str, Filled]:
    """The answers of each reading, by form and item; empty where nothing was answered."""
    return {letter: answers_of(reading) for letter, reading in readings.items()}


def comments_by_letter(readings: Lettered) -> list[dict[str, Any]]:
    """The threads of each reading as they stand, reading by reading: {"letter", "voxel", "resolved", "comments"}.

    No times: they tell who read when. What was withdrawn is left out, and so are threads of which nothing is left.
    """
    letter_of = {reading.reader_id: letter for letter, reading in readings.items()}
    names = {name: letter for letter, one in readings.items() for name in (one.reader.username, str(one.reader))}
    found = []
    for letter, reading in readings.items():
        for now in threads_of(reading):
            said = [_said(comment, reading, letter_of, names) for comment in now.comments if comment.text is not None]
            if said:
                at = now.thread
                found.append(
                    {
                        "id": str(at.pk),
                        "letter": letter,
                        "voxel": None if at.i is None else [at.i, at.j, at.k],
                        "resolved": now.resolved_by is not None,
                        "comments": said,
                    }
                )
    return found


def _said(comment: Comment, reading: Reading, letter_of: Mapping[Any, str], names: Mapping[str, str]) -> dict[str, str]:
    author = comment.first.author
    return {"by": letter_of.get(author.pk) or _role(author, reading), "text": without_names(comment.text or "", names)}


def _role(author: User, reading: Reading) -> str:
    """Who else wrote: by role, as a name could tell whom they wrote to."""
    roles = sorted(OVERSEERS & roles_of(author, reading.case.campaign))
    return roles[0] if roles else "somebody else"


def without_names(text: str, names: Mapping[str, str]) -> str:
    """A text in which each of `names`, with @ or without, as a whole word, has become "Reading" and its letter."""
    by_name = {name.casefold(): letter for name, letter in names.items() if name}
    if not by_name:
        return text
    either = "|".join(re.escape(name) for name in sorted(by_name, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\w)@?({either})(?!\w)", re.IGNORECASE)
    return pattern.sub(lambda found: f"Reading {by_name[found[1].casefold()]}", text)
