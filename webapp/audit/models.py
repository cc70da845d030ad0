"""The audit trail: one row an action, chained by hashes that the database itself computes."""

import json
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models.functions import Left

# What free text is looked for in. Cut, since PostgreSQL refuses to index a megabyte of words.
WORDS = SearchVector(Left("body", 20_000), config="simple")


class Event(models.Model):
    """One thing that somebody did or was refused.

    `body` is the canonical JSON of what happened. A trigger gives `seq`, `at`, `prev_hash` and
    hash = sha256(prev_hash LF chain LF seq LF at LF body); the columns beside it repeat the body for searching.
    """

    chain = models.CharField(max_length=80)
    seq = models.BigIntegerField(editable=False, default=0)
    at = models.CharField(max_length=32, editable=False, default="")
    name = models.CharField(max_length=80)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=80)
    subject = models.CharField(max_length=120, blank=True)
    body = models.TextField()
    prev_hash = models.CharField(max_length=64, editable=False, default="")
    hash = models.CharField(max_length=64, editable=False, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="one_event_per_place_in_chain")]
        indexes = [
            models.Index(fields=["subject", "id"], name="event_subject"),
            models.Index(fields=["name", "id"], name="event_name"),
            models.Index(fields=["actor_id", "id"], name="event_actor"),
            models.Index(fields=["at"], name="event_at"),
            models.Index(fields=["chain", "at"], name="event_chain_at"),
            models.Index(fields=["chain", "name", "seq"], name="event_chain_name"),
            models.Index(fields=["chain", "actor_id", "seq"], name="event_chain_actor"),
            # Written at once (no fastupdate): whoever empties a pending list would hold the chain's head meanwhile.
            GinIndex(WORDS, name="event_words", fastupdate=False),
        ]

    def __str__(self) -> str:
        return f"{self.chain}#{self.seq} {self.name}"

    @property
    def content(self) -> dict[str, Any]:
        """The body, parsed."""
        return json.loads(self.body)


class ChainHead(models.Model):
    """The last place and hash of a chain; only the trigger writes it."""

    chain = models.CharField(max_length=80, primary_key=True)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.chain}#{self.seq}"


class ChainCheck(models.Model):
    """How far a chain was checked and what was found; a note for pages, no record: `manage.py audit verify` looks anew.

    `seq` and `hash` follow the chain's head; `again_seq` and `again_hash` go round the events that were checked before.
    """

    chain = models.CharField(max_length=80, primary_key=True)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    checked_at = models.DateTimeField(null=True)
    again_seq = models.BigIntegerField(default=0)
    again_hash = models.CharField(max_length=64)
    whole_checked_at = models.DateTimeField(null=True)
    faults = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.chain} to #{self.seq}"
