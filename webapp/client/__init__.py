"""A thin client of the API for programs: `Groundglass("https://...", "gg_...")`. Needs Python alone.

Each method is one request, or the pages of one; what it gives is what the API's schema says (/api/schema/), typed. A
test holds the two together.
"""

from webapp.client.client import Groundglass
from webapp.client.transport import ApiError
from webapp.client.types import (
    Added,
    Campaign,
    Case,
    Holder,
    IntraReaderPair,
    Invitation,
    Member,
    Moved,
    Protocol,
    ReadingLine,
    Signed,
)

__all__ = [
    "Added",
    "ApiError",
    "Campaign",
    "Case",
    "Groundglass",
    "Holder",
    "IntraReaderPair",
    "Invitation",
    "Member",
    "Moved",
    "Protocol",
    "ReadingLine",
    "Signed",
]
