"""Audit events of pages."""

SCAN_VIEWED = "scan.viewed"
PATIENT_VIEWED = "patient.viewed"
VIEW_SAVED = "view.saved"
VIEW_REMOVED = "view.removed"
