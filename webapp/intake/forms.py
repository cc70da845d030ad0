"""What the door's endpoints accept."""

import json
from typing import Any
from urllib.parse import unquote

from django import forms
from django.http import HttpRequest

from webapp.accounts.models import User
from webapp.archive.models import SITE_LENGTH
from webapp.audit.refusal import ActionRefused, Refusal
from webapp.campaigns.deidentification import (
    CHARACTERISTICS,
    DATES,
    DESCRIPTORS,
    DEVICE,
    DeidentificationOptions,
)
from webapp.campaigns.models import Campaign
from webapp.campaigns.queries import campaign_for
from webapp.intake.receiving import PIECE_BYTES, Incoming, upload_key
from webapp.masks.models import DataSet

LONGEST_PATH = 4096
LONGEST_MARK = 64
MOST_ASKED = 5000
MOST_BUNDLED = 64
NAMELESS = Refusal("malformed", "A piece needs X-File-Name, X-File-Size and X-Offset, and is no longer than it may be.")
UNBUNDLED = Refusal("malformed", "A bundle holds 1 to 64 whole files, each behind its length and its description.")
UNLISTED = Refusal("malformed", f"Ask with a list of at most {MOST_ASKED} files, each with path, size and mark.")


def json_of(request: HttpRequest) -> dict[str, Any]:
    """The object in a JSON body; empty where there is none."""
    try:
        data = json.loads(request.body)
    except (ValueError, UnicodeDecodeError):
        return {}
    return data if isinstance(data, dict) else {}


class BatchForm(forms.Form):
    """What an upload is for and what its sender says of it: campaign (a slug), site, and the data set of its masks."""

    campaign = forms.SlugField(max_length=60)
    site = forms.CharField(max_length=SITE_LENGTH, required=False)
    data_set = forms.CharField(max_length=DataSet.NAME_LENGTH, required=False)
    licence = forms.CharField(max_length=DataSet.LICENCE_LENGTH, required=False)
    citation = forms.CharField(max_length=DataSet.CITATION_LENGTH, required=False)
    single_pictures = forms.BooleanField(required=False)

    @classmethod
    def of(cls, request: HttpRequest) -> "BatchForm":
        """The form of a JSON body or of an ordinary form."""
        return cls(json_of(request) if request.content_type == "application/json" else request.POST)

    def campaign_of(self, user: User) -> Campaign:
        """The campaign; raises Http404 for those outside it."""
        return campaign_for(user, self.cleaned_data["campaign"])

    @property
    def what_is_wrong(self) -> tuple[str, str]:
        """Code and sentence, of a form that is not valid."""
        if "campaign" in self.errors:
            return "no_campaign", "Say which campaign the scans are for."
        field = next(iter(self.errors))
        return "malformed", f"{field.replace('_', ' ').capitalize()}: {self.errors[field][0]}"


class OptionsForm(forms.Form):
    """What a campaign keeps of its patients."""

    dates = forms.ChoiceField(choices=list(DATES.items()), widget=forms.RadioSelect)
    characteristics = forms.TypedChoiceField(
        choices=[(str(kept), words) for kept, words in CHARACTERISTICS.items()],
        coerce=lambda kept: kept == "True",
        widget=forms.RadioSelect,
    )
    device = forms.TypedChoiceField(
        choices=[(str(kept), words) for kept, words in DEVICE.items()],
        coerce=lambda kept: kept == "True",
        widget=forms.RadioSelect,
    )
    descriptors = forms.ChoiceField(choices=list(DESCRIPTORS.items()), widget=forms.RadioSelect)

    @classmethod
    def showing(cls, options: DeidentificationOptions) -> "OptionsForm":
        """The form with the options that hold."""
        return cls(initial={name: str(value) for name, value in options.kept.items()})

    @property
    def legends(self) -> list[tuple[forms.BoundField, str]]:
        """Each field with what its choices are called together."""
        names = {
            "dates": "Dates and times",
            "characteristics": "Patient characteristics",
            "device": "Device",
            "descriptors": "Descriptions",
        }
        return [(self[name], legend) for name, legend in names.items()]

    @property
    def options(self) -> DeidentificationOptions:
        """What was chosen, of a form that is valid."""
        return DeidentificationOptions(**self.cleaned_data)


def piece_of(request: HttpRequest) -> Incoming:
    """From the headers (X-File-Name is percent-encoded UTF-8) and the body. Raises ActionRefused, OSError."""
    headers = request.headers
    path = path_of(unquote(headers.get("X-File-Name", ""), errors="replace"))
    size, offset = _whole_number(headers.get("X-File-Size")), _whole_number(headers.get("X-Offset", "0"))
    if not path or size is None or offset is None:
        raise ActionRefused(NAMELESS)
    return Incoming(path, size, headers.get("X-File-Mark", "")[:LONGEST_MARK], _body_of(request, PIECE_BYTES), offset)


def bundle_of(request: HttpRequest) -> list[Incoming]:
    """Small files in one body: for each a length (u32, little-endian), a JSON object (path, size, mark), its bytes.

    Raises ActionRefused, OSError.
    """
    body, at, files = _body_of(request, PIECE_BYTES + MOST_BUNDLED * 2 * LONGEST_PATH), 0, []
    while at < len(body):
        length = int.from_bytes(body[at : at + 4], "little")
        try:
            said = json.loads(body[at + 4 : at + 4 + length])
        except (ValueError, UnicodeDecodeError):
            raise ActionRefused(UNBUNDLED) from None
        start, size = at + 4 + length, said.get("size") if isinstance(said, dict) else None
        if type(size) is not int or not 0 <= size <= len(body) - start or not said.get("path"):
            raise ActionRefused(UNBUNDLED)
        path, mark = path_of(str(said["path"])), str(said.get("mark", ""))[:LONGEST_MARK]
        files.append(Incoming(path, size, mark, body[start : start + size]))
        at = start + size
    if not 0 < len(files) <= MOST_BUNDLED or sum(file.size for file in files) > PIECE_BYTES:
        raise ActionRefused(UNBUNDLED)
    return files


def _body_of(request: HttpRequest, limit: int) -> bytes:
    length = _whole_number(request.headers.get("Content-Length", "0"))
    if length is None or length > limit:
        raise ActionRefused(NAMELESS)
    content = request.read(limit + 1)
    if len(content) > limit:
        raise ActionRefused(NAMELESS)
    if length and len(content) < length:
        raise OSError("cut short")
    return content


def path_of(path: str) -> str:
    """A file's path in the dropped folder as it is known by: never a path on the server."""
    return path.replace("\0", "")[:LONGEST_PATH]


def keys_asked_for(request: HttpRequest) -> list[str]:
    """The keys of the files that a sender lists. Raises ActionRefused."""
    files = json_of(request).get("files")
    if not isinstance(files, list) or not files or len(files) > MOST_ASKED:
        raise ActionRefused(UNLISTED)
    keys = []
    for file in files:
        size = file.get("size") if isinstance(file, dict) else None
        if type(size) is not int or size < 0:
            raise ActionRefused(UNLISTED)
        keys.append(upload_key(path_of(str(file.get("path", ""))), size, str(file.get("mark", ""))[:LONGEST_MARK]))
    return keys


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None
