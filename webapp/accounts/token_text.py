"""The text of access tokens: how it is made, known again, and found in a request. Pure."""

import hashlib
import re
import secrets

MARK = "gg_"
RANDOM_BYTES = 32
PREFIX_LENGTH = 9
# What a token looks like; anything else is not even looked up, and none of it is written down.
SHAPE = re.compile(r"gg_[A-Za-z0-9_-]{20,100}")


def new_secret() -> str:
    """A fresh token: `gg_` and 256 random bits."""
    return MARK + secrets.token_urlsafe(RANDOM_BYTES)


def hash_of(secret: str) -> str:
    """Hex SHA-256 of a token, by which it is known again."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def prefix_of(secret: str) -> str:
    """The letters by which people tell tokens apart; empty for what is no token of ours."""
    return secret[:PREFIX_LENGTH] if SHAPE.fullmatch(secret) else ""


def bearer_in(header: str) -> str | None:
    """The token of an `Authorization` header (RFC 6750: `Bearer TOKEN`); None where it is none of that kind."""
    scheme, _, rest = header.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else None
