"""The audit trail: one row an action, chained by hashes that the database itself computes."""

import json
from typing import Any

from django.db import models


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
