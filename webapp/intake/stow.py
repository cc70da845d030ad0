"""STOW-RS (PS3.18 10.5): images by HTTP, for a campaign. POST /dicomweb/<campaign>/studies[/<study uid>].

An image answered as referenced is sealed and on the disk; it is checked, de-identified and filed when its series is
complete, under UIDs of ours. The answer names images by the UIDs that they came with, for their sender alone.

The address, or headers where a program makes its own addresses, may say the site of the images and the data set of
masks.
"""

import base64
import binascii
import uuid
from typing import Any, cast
from urllib.parse import unquote

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from webapp.accounts.actions import check_password
from webapp.accounts.authentication import answer_at_the_door
from webapp.accounts.models import User
from webapp.audit.answers import refused_with
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.campaigns.queries import campaign_for
from webapp.campaigns.rules import may_add_scans
from webapp.intake.instances import (
    OUT_OF_RESOURCES,
    PROCESSING_FAILURE,
    STORED,
    Announced,
    Taken,
    status_of,
    take_instance,
)
from webapp.intake.parts import Malformed, Parts
from webapp.intake.quarantine import Staged
from webapp.intake.receiving import Said, Sender, note_sent_whole
from webapp.masks.imports import name_data_set

DICOM, DICOM_JSON = "application/dicom", "application/dicom+json"
REFERENCED, FAILED, OTHER_FAILURES = "00081199", "00081198", "0008119A"
# What may be said of a request's images: the word in the address, and the header that does as well.
SAID = {
    "site": "Groundglass-Site",
    "data-set": "Groundglass-Data-Set",
    "licence": "Groundglass-Licence",
    "citation": "Groundglass-Citation",
}


@csrf_exempt
@require_POST
def studies(request: HttpRequest, slug: str, study_uid: str = "") -> HttpResponse:
    """Store the images of a request; 200 where all were stored, 202 where some were, 409 where none was."""
    user = who_sends(request)
    if not isinstance(user, User):
        return user
    campaign = campaign_for(user, slug)
    refusal = may_add_scans(campaign, user)
    if refusal:
        return refused_with(_no(403, refusal.code, refusal.sentence), refusal)
    if not _takes_json(request.headers.get("Accept", "")):
        return _no(406, "not_acceptable", f"The answer is {DICOM_JSON}: accept it.")
    boundary = _boundary(request)
    if boundary is None:
        return _no(415, "media_type", f'Send multipart/related; type="{DICOM}" with a boundary.')
    try:
        sender = Sender("stow", campaign, user, said=said_of(request, user))
    except ActionRefused as refused:
        return _no(409 if refused.code == "data_set_differs" else 400, refused.code, refused.sentence)
    storing = Storing(sender, study_uid)
    try:
        Parts(boundary, DICOM, storing.took, storing.foreign).read(request)  # type: ignore[arg-type]
    except Malformed:
        return _no(400, "malformed", f"The body is no whole multipart message. {storing.so_far}")
    except OSError:
        return _no(503, "cut_short", f"The body did not arrive whole. {storing.so_far}")
    if storing.foreign_types and not storing.taken:
        return _no(415, "media_type", f"Parts must be {DICOM}.")
    return storing.answer()


def who_sends(request: HttpRequest) -> User | HttpResponse:
    """The person behind a request: by access token, HTTP Basic, or a session with its CSRF token; else the answer that
    says no. Basic is for senders that know nothing else.
    """
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
            return check_password(request=request, username=name, password=password)
        except (binascii.Error, UnicodeDecodeError):
            return _unknown("The Authorization header cannot be read.")
        except ActionRefused as refused:
            return _unknown(refused.sentence)
    return answer_at_the_door(request) or cast(User, request.user)


@transaction.atomic
def said_of(request: HttpRequest, by: User) -> Said:
    """The site and the data set that a request names; the data set is there then. Raises ActionRefused."""
    words = {
        word: request.GET.get(word, "") or unquote(request.headers.get(header, "")) for word, header in SAID.items()
    }
    name, licence, citation = (words[word].strip() for word in ("data-set", "licence", "citation"))
    if not name and (licence or citation):
        require(Refusal("no_data_set", "licence and citation are of a data set: name it with data-set."))
    data_set = name_data_set(name=name, licence=licence, citation=citation, by=by) if name else None
    return Said(words["site"], data_set)


class Storing:
    """What becomes of the images of one request."""

    def __init__(self, sender: Sender, study_uid: str) -> None:
        self._sender, self._study_uid = sender, study_uid
        self.taken: list[Taken] = []
        self.foreign_types: set[str] = set()

    @property
    def so_far(self) -> str:
        """How many images are kept of a request that did not end well."""
        count = sum(taken.status == STORED for taken in self.taken)
        return f"{count} image{'' if count == 1 else 's'} that came before {'is' if count == 1 else 'are'} kept."

    def took(self, part: Staged | Exception) -> None:
        """Take one image, or note why its bytes could not be kept."""
        if isinstance(part, Exception):
            self.taken.append(Taken(status_of(part)))
            return
        announced = Announced(study_uid=self._study_uid)
        self.taken.append(take_instance(sender=self._sender, staged=part, announced=announced))

    def foreign(self, kind: str) -> None:
        """Note a part of another type; nothing of it is kept."""
        self.foreign_types.add(kind)

    def answer(self) -> HttpResponse:
        """The answer of PS3.18, when the request was read to its end."""
        stored = [taken for taken in self.taken if taken.status == STORED]
        failed = [taken for taken in self.taken if taken.status != STORED]
        if not any(taken.status in (OUT_OF_RESOURCES, PROCESSING_FAILURE) for taken in failed):
            # One that the sender will send again is of one of these series, perhaps: they wait for it then.
            batches: set[uuid.UUID] = {taken.batch_id for taken in stored if taken.batch_id}
            note_sent_whole(batches)
        body: dict[str, Any] = {"00081190": {"vr": "UR"}}
        named = [taken for taken in failed if taken.sop_uid]
        if stored:
            body[REFERENCED] = {"vr": "SQ", "Value": [_item(taken) for taken in stored]}
        if named:
            body[FAILED] = {"vr": "SQ", "Value": [_item(taken) for taken in named]}
        if len(failed) > len(named):
            others = [{"00081197": _reason(taken)} for taken in failed if not taken.sop_uid]
            body[OTHER_FAILURES] = {"vr": "SQ", "Value": others}
        status = 409 if not stored else 202 if failed or self.foreign_types else 200
        if any(taken.status == OUT_OF_RESOURCES for taken in failed) and not stored:
            status = 503
        return JsonResponse(body, status=status, content_type=DICOM_JSON)


def _item(taken: Taken) -> dict[str, Any]:
    item: dict[str, Any] = {
        "00081150": {"vr": "UI", "Value": [taken.sop_class_uid]},
        "00081155": {"vr": "UI", "Value": [taken.sop_uid]},
    }
    if taken.status != STORED:
        item["00081197"] = _reason(taken)
    return item


def _reason(taken: Taken) -> dict[str, Any]:
    return {"vr": "US", "Value": [taken.status]}


def _boundary(request: HttpRequest) -> str | None:
    """The boundary of a multipart/related request of DICOM parts; None where it is another."""
    parameters = request.content_params or {}
    kind = parameters.get("type", DICOM).strip('"').lower()
    if request.content_type != "multipart/related" or kind != DICOM:
        return None
    boundary = parameters.get("boundary", "").strip('"')
    return boundary if 0 < len(boundary) <= 70 and boundary.isascii() else None


def _takes_json(accept: str) -> bool:
    kinds = {part.split(";")[0].strip().lower() for part in accept.split(",")} - {""}
    return not kinds or bool(kinds & {DICOM_JSON, "application/json", "application/*", "*/*"})


def _unknown(sentence: str) -> HttpResponse:
    answer = _no(401, "signed_out", sentence)
    answer["WWW-Authenticate"] = 'Basic realm="Groundglass", charset="UTF-8"'
    return answer


def _no(status: int, code: str, sentence: str) -> JsonResponse:
    return JsonResponse({"error": code, "sentence": sentence}, status=status)
