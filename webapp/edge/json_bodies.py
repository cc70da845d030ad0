"""JSON bodies of a size that a server can hold: what is larger is refused before it is read to its end."""

import io
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.parsers import JSONParser

# The largest stroke (8 MiB as base64) with its company.
LARGEST_BYTES = 16 * 1024 * 1024


class BodyTooLarge(APIException):
    """413, with a sentence."""

    status_code = 413
    default_code = "too_large"
    default_detail = f"A request's body may hold {LARGEST_BYTES // 1024**2} MiB."


class BoundedJSONParser(JSONParser):
    """DRF's parser of JSON; DATA_UPLOAD_MAX_MEMORY_SIZE does not reach it."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Parse a body of at most LARGEST_BYTES."""
        body = stream.read(LARGEST_BYTES + 1)
        if len(body) > LARGEST_BYTES:
            raise BodyTooLarge
        return super().parse(io.BytesIO(body), media_type, parser_context)
