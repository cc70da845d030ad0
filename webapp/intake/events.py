"""Audit events of intake."""

BATCH_OPENED = "batch.opened"
BATCH_REOPENED = "batch.reopened"
BATCH_FINISHED = "batch.finished"
BATCH_PROCESSED = "batch.processed"
BATCH_TRIED_AGAIN = "batch.tried_again"
BATCH_DISCARDED = "batch.discarded"
ORIGINALS_REMOVED = "batch.originals_removed"
