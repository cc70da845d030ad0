"""The linkage table: who a pseudonym is, sealed for a key that the site does not have. Off unless a key is set.

A file of its own, `linkage/table` in the data folder, a line for each patient: a keyed mark, by which a known patient
is recognised, and base64 of an X25519 public key made for this line and AES-256-GCM of the JSON of pseudonym, issuer
and patient id. Whoever takes the server takes no names with it.
"""

import base64
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from webapp.intake.identity import Identity, keyed

KEY_BYTES = 32
# A key is used for one line alone.
NONCE = bytes(12)


class LinkageBroken(Exception):
    """The key that is set is none, or a line cannot be opened with the key that was given; the text is a sentence."""


def table_path() -> Path:
    """Where the table lies."""
    return Path(settings.GROUNDGLASS_HOME) / "linkage" / "table"


def is_on() -> bool:
    """Whether a linkage table is kept. Raises LinkageBroken where what is set is no key."""
    if not settings.LINKAGE_PUBLIC_KEY:
        return False
    _public_key()
    return True


def keep(identity: Identity) -> bool:
    """Note who a pseudonym is, once; False where none is kept or there is no id. Raises LinkageBroken, OSError."""
    patient_id, issuer = identity.patient_id.strip(), identity.issuer.strip()
    if not is_on() or not patient_id:
        return False
    mark = keyed("linkage", settings.LINKAGE_PUBLIC_KEY, issuer, patient_id)[:32]
    path = table_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(path, "a+b", opener=lambda name, flags: os.open(name, flags, 0o600)) as table:
        fcntl.flock(table, fcntl.LOCK_EX)
        table.seek(0)
        if any(line.startswith(mark.encode()) for line in table):
            return False
        sealed = _sealed({"pseudonym": identity.pseudonym, "issuer": issuer, "patient_id": patient_id})
        table.write(f"{mark} {sealed}\n".encode())
        table.flush()
        os.fsync(table.fileno())
    return True


def make_key(path: Path) -> str:
    """Write a new private key to `path`; return the public one. Raises FileExistsError."""
    private = X25519PrivateKey.generate()
    with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
        out.write(private.private_bytes_raw().hex() + "\n")
    return private.public_key().public_bytes_raw().hex()


def private_key_of(path: Path) -> X25519PrivateKey:
    """The private key in a file. Raises LinkageBroken, OSError."""
    try:
        return X25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except ValueError:
        raise LinkageBroken("The file holds no private key of a linkage table.") from None


def read(private: X25519PrivateKey) -> Iterator[dict[str, str]]:
    """Every line of the table in the clear. Raises LinkageBroken at one that another key was set for."""
    path = table_path()
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        yield _opened(line.split(" ")[-1], private)


def _public_key() -> X25519PublicKey:
    try:
        return X25519PublicKey.from_public_bytes(bytes.fromhex(settings.LINKAGE_PUBLIC_KEY))
    except ValueError:
        raise LinkageBroken("LINKAGE_PUBLIC_KEY is no key: make one with `manage.py linkage make-key`.") from None


def _sealed(record: dict[str, str]) -> str:
    once = X25519PrivateKey.generate()
    recipient = _public_key()
    mine = once.public_key().public_bytes_raw()
    cipher = _cipher(once.exchange(recipient), mine, recipient.public_bytes_raw())
    return base64.b64encode(mine + cipher.encrypt(NONCE, json.dumps(record).encode(), None)).decode()


def _opened(sealed: str, private: X25519PrivateKey) -> dict[str, str]:
    try:
        content = base64.b64decode(sealed, validate=True)
        theirs = content[:KEY_BYTES]
        shared = private.exchange(X25519PublicKey.from_public_bytes(theirs))
        cipher = _cipher(shared, theirs, private.public_key().public_bytes_raw())
        record: dict[str, str] = json.loads(cipher.decrypt(NONCE, content[KEY_BYTES:], None))
    except (ValueError, InvalidTag):
        raise LinkageBroken("A line of the table was sealed for another key, or is damaged.") from None
    return record


def _cipher(shared: bytes, once: bytes, recipient: bytes) -> AESGCM:
    derive = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=once + recipient, info=b"groundglass linkage").derive
    return AESGCM(derive(shared))
