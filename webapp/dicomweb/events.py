"""Audit events of what programs read by DICOMweb."""

SERIES_VIEWED = "series.viewed"
SERIES_DOWNLOADED = "series.downloaded"
