"""Audit events of notices."""

NOTICES_SET = "notices.set"
