"""Audit events of pages."""

SCAN_VIEWED = "scan.viewed"
PATIENT_VIEWED = "patient.viewed"
