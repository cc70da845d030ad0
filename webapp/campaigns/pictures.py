"""Names of a guideline's pictures."""

import re
from pathlib import PurePath


def name_from(file_name: str) -> str:
    """A plain name for the text to call a picture by, from its file's name: "Ground glass.PNG" -> "ground-glass"."""
    return re.sub(r"[^a-z0-9]+", "-", PurePath(file_name).stem.lower()).strip("-")[:40] or "picture"
