"""Audit events of readings."""

READING_STARTED = "reading.started"
READING_SIGNED = "reading.signed"
READING_VIEWED = "reading.viewed"
SIGNING_REFUSED = "reading.signing_refused"
LEASE_ASKED = "reading.lease_asked"
