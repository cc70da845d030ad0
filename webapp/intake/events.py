"""Audit events of intake."""

BATCH_OPENED = "batch.opened"
BATCH_FINISHED = "batch.finished"
BATCH_PROCESSED = "batch.processed"
SERIES_REFUSED = "series.refused"
