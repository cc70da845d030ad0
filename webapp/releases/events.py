"""Audit events of what is taken away."""

EXPORT_DOWNLOADED = "export.downloaded"
