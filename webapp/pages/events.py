"""Audit events of pages."""

SCAN_VIEWED = "scan.viewed"
PATIENT_VIEWED = "patient.viewed"
PICTURES_VIEWED = "campaign.pictures_viewed"
# Also written where a program reads a reading without the viewer.
READING_VIEWED = "reading.viewed"
VIEW_SAVED = "view.saved"
VIEW_REMOVED = "view.removed"
