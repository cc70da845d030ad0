"""Audit events of what is taken away, and of what is taken out for good."""

EXPORT_DOWNLOADED = "export.downloaded"
CASE_DELETED = "case.deleted"
