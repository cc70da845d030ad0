"""Audit events of algorithms."""

ALGORITHM_REGISTERED = "algorithm.registered"
DRAFT_REQUESTED = "draft.requested"
DRAFT_STARTED = "draft.started"
DRAFT_FINISHED = "draft.finished"
DRAFT_FAILED = "draft.failed"
DRAFT_LOST = "draft.worker_lost"
