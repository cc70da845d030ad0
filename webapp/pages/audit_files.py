"""What a search of the audit trail finds as a file, oldest first: CSV for people, JSON lines for programs.

Cut in pieces by place, each a query of its own: constant memory, and no transaction that lasts as long as a download.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from webapp.audit.export import FIELDS
from webapp.audit.models import Event
from webapp.pages.audit_lines import Line, Naming, lines_of
from webapp.pages.audit_search import AuditSearch

EVENTS_A_PIECE = 2000
CSV, JSON_LINES = "csv", "jsonl"
CONTENT_TYPES = {CSV: "text/csv; charset=utf-8", JSON_LINES: "application/x-ndjson"}
COLUMNS = ("at", "chain", "seq", "event", "who", "roles", "address", "about", "what", "details", "hash")
# What a spreadsheet takes for a formula when a cell begins with it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def answer(kind: str, stem: str, events: QuerySet[Event], search: AuditSearch, naming: Naming) -> HttpResponseBase:
    """The file: in one piece where it is small, else as it is read."""
    pieces = _Pieces(kind, events, search, naming)
    first = pieces.next()
    response: HttpResponseBase
    if pieces.ended:
        response = HttpResponse(pieces.head + first, content_type=CONTENT_TYPES[kind])
    else:
        response = StreamingHttpResponse(_streamed(pieces, first), content_type=CONTENT_TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{stem}.{kind}"'
    response["Cache-Control"] = "private, no-store"
    return response


async def _streamed(pieces: "_Pieces", first: str) -> AsyncIterator[bytes]:
    yield (pieces.head + first).encode()
    while not pieces.ended:
        yield (await sync_to_async(pieces.next_anew)()).encode()


class _Pieces:
    """The lines of a file, a bounded number at a time."""

    def __init__(self, kind: str, events: QuerySet[Event], search: AuditSearch, naming: Naming) -> None:
        self.kind, self.events, self.search, self.naming = kind, events, search, naming
        self.after, self.ended = -1, False
        self.head = _csv_text([COLUMNS]) if kind == CSV else ""

    def next(self) -> str:
        """The next lines; `ended` says whether they are the last."""
        place = self.search.place
        rows = list(self.events.filter(**{f"{place}__gt": self.after}).order_by(place)[:EVENTS_A_PIECE])
        self.ended = len(rows) < EVENTS_A_PIECE
        if rows:
            self.after = getattr(rows[-1], place)
        if self.kind == CSV:
            return _csv_text(_cells(line) for line in lines_of(rows, self.naming))
        return "".join(_json_lines(rows))

    def next_anew(self) -> str:
        """The next lines, on a connection that may have been closed meanwhile."""
        close_old_connections()
        return self.next()


def _json_lines(rows: list[Event]) -> Iterator[str]:
    """Lines as `manage.py audit export` writes them."""
    for event in rows:
        yield json.dumps({name: getattr(event, name) for name in FIELDS}, sort_keys=True) + "\n"


def _cells(line: Line) -> list[Any]:
    event = line.event
    details = json.dumps(event.content["details"], ensure_ascii=False, sort_keys=True)
    said = [line.who, " ".join(line.roles), line.address, line.about.word, f"{line.who} {line.sentence}", details]
    return [event.at, event.chain, event.seq, event.name, *map(_harmless, said), event.hash]


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _csv_text(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
