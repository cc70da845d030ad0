"""Scans brought in as a person at the command line brings them."""

import io
from pathlib import Path
from typing import Any

from django.core.management import call_command

from webapp.campaigns.models import Campaign


def bring(campaign: Campaign, *paths: Path | str, **options: Any) -> tuple[str, int]:
    """Call `manage.py ingest`; what it printed, and its exit status."""
    out = io.StringIO()
    try:
        call_command("ingest", *map(str, paths), campaign=campaign.slug, stdout=out, no_color=True, **options)
    except SystemExit as exit:
        return out.getvalue(), int(exit.code or 0)
    return out.getvalue(), 0
