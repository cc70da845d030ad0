"""Which requests bring originals: their bodies are sealed as they arrive."""

import re
from collections.abc import Mapping
from typing import Any

_ORIGINALS = re.compile(r"^/intake/batches/[^/]+/files/$|^/dicomweb/")


def is_streamed(scope: Mapping[str, Any]) -> bool:
    """Whether an ASGI request is a piece of an upload or a STOW-RS request."""
    return scope["method"] == "POST" and _ORIGINALS.match(scope["path"]) is not None
