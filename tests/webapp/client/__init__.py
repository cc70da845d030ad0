"""Tests of webapp.client."""
