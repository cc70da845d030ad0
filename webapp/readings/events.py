"""Audit events of readings."""

READING_STARTED = "reading.started"
READING_SIGNED = "reading.signed"
READING_VIEWED = "reading.viewed"
LEASE_ASKED = "reading.lease_asked"
