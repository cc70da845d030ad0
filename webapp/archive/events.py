"""Audit events of the archive."""

SCAN_FILED = "scan.filed"
