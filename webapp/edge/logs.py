"""What logs may say of a request: its address, but none of the UIDs that a sender wrote into it."""

import logging
import re

_UIDS = re.compile(r"(/dicomweb/[^/\s]+/[a-z]+)/\S+")


class WithoutUids(logging.Filter):
    """Shortens addresses of DICOMweb to where their UIDs begin."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass."""
        if isinstance(record.args, tuple):
            record.args = tuple(_UIDS.sub(r"\1/…", part) if isinstance(part, str) else part for part in record.args)
        return True
