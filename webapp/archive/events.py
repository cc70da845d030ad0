"""Audit events of the archive."""

SCAN_FILED = "scan.filed"
SCAN_DELETED = "scan.deleted"
OBJECTS_FILED = "scan.objects_filed"
