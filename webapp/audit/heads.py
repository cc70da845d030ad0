"""Heads of chains as they leave the server: one JSON line each, so that nobody can cut a chain unseen."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.utils import timezone

from webapp.audit.models import ChainHead


@dataclass(frozen=True)
class Head:
    """The last place of a chain and its hash at a time (UTC)."""

    at: str
    chain: str
    seq: int
    hash: str

    @property
    def line(self) -> str:
        """The head as a line of JSON."""
        return json.dumps({"head": asdict(self)}, sort_keys=True) + "\n"


class MalformedHeads(Exception):
    """A file of heads that cannot be read; the sentence says which line."""


def present_heads() -> list[Head]:
    """The heads of all chains as they are now, by chain."""
    now = timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return [Head(now, head.chain, head.seq, head.hash) for head in ChainHead.objects.order_by("chain")]


def heads_in(lines: Iterable[str]) -> Iterator[Head]:
    """The heads in the lines of a file, of heads or of an export of events. Raises MalformedHeads."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            if "head" in entry:
                said = entry["head"]
                yield Head(str(said["at"]), str(said["chain"]), int(said["seq"]), str(said["hash"]))
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedHeads(f"Line {number} is no head: nothing after it was compared.") from error


def append_heads(folder: Path, heads: list[Head]) -> Path:
    """Add heads to the file of their day in a folder, to the disk itself; lines that are there stay. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"heads-{timezone.now():%Y-%m-%d}.jsonl"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(descriptor, "".join(head.line for head in heads).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    for_name = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(for_name)
    finally:
        os.close(for_name)
    return path
