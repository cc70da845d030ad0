"""Who a patient becomes: pseudonyms, UIDs and shifted dates, all keyed with the installation's secret.

Every value is HMAC-SHA256 with settings.PSEUDONYM_KEY over the parts, each preceded by its length, so that
("ab", "c") and ("a", "bc") never meet. Without the key nobody can compute the pseudonym of a known patient id.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from django.conf import settings

# Dates move back by 1 to this many days, the same for all of a patient's scans.
LONGEST_SHIFT_DAYS = 3650


def _digest(purpose: str, *parts: str) -> bytes:
    message = b""
    for part in (purpose, *parts):
        encoded = part.encode("utf-8", "surrogateescape")
        message += len(encoded).to_bytes(4, "big") + encoded
    return hmac.new(settings.PSEUDONYM_KEY.encode(), message, hashlib.sha256).digest()


def keyed(purpose: str, *parts: str) -> str:
    """What stands in the database for something that could identify: 64 hexadecimal digits."""
    return _digest(purpose, *parts).hex()


def series_key(series_uid: str) -> str:
    """What a series is known by whatever profile it is de-identified under."""
    return keyed("series", series_uid.strip())


@dataclass(frozen=True)
class Identity:
    """What a series says about whose it is. `study_uid` and `series_uid` speak only where there is no patient id."""

    patient_id: str = ""
    issuer: str = ""
    study_uid: str = ""
    series_uid: str = ""

    def _parts(self) -> tuple[str, ...]:
        patient_id = self.patient_id.strip()
        if patient_id:
            return "patient", self.issuer.strip(), patient_id
        # An empty id names nobody: each study (or series, or file) is then a patient of its own.
        return ("study", self.study_uid) if self.study_uid else ("series", self.series_uid)

    @property
    def pseudonym(self) -> str:
        """The patient's pseudonym: 16 letters and digits, the same at every upload."""
        return "GG-" + base64.b32encode(_digest("pseudonym", *self._parts())[:10]).decode()

    @property
    def shift_days(self) -> int:
        """By how many days the patient's dates move back."""
        number = int.from_bytes(_digest("dates", *self._parts())[:8], "big")
        return 1 + number % LONGEST_SHIFT_DAYS

    def shifted(self, day: date) -> date | None:
        """`day` moved back; None where the calendar has no such day."""
        try:
            return day - timedelta(days=self.shift_days)
        except OverflowError:
            return None


def new_uid(uid: str, profile: str) -> str:
    """The UID that stands for `uid` under this installation's key and a profile: 2.25 and 128 bits.

    The profile is its salt: what is de-identified in another way has another UID, so that none has two contents.
    """
    return _new_uid(settings.PSEUDONYM_KEY, profile, uid.strip())


@lru_cache(maxsize=50_000)
def _new_uid(_key: str, profile: str, uid: str) -> str:
    return "2.25." + str(int.from_bytes(_digest("uid", profile, uid)[:16], "big"))
