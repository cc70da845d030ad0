"""Audit events of pages."""

SCAN_VIEWED = "scan.viewed"
