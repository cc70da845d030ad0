"""Audit events of the trail itself."""

ACTION_REFUSED = "action.refused"
ACCESS_REFUSED = "access.refused"
HEADS_EXPORTED = "audit.heads_exported"
EVENTS_DOWNLOADED = "audit.events_downloaded"
