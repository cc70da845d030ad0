"""Append-only, chained events. Imports no app."""
