"""What people look at, and where they were sent away, as events; at most one an hour for each person and thing.

One place for all addresses, so that none is forgotten: a test asks of every address that is read whether it stands
here, writes an event itself, or shows nothing of a scan (tests/house/test_views_are_audited.py).
"""

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch
from django.utils import timezone

from webapp.accounts.models import User
from webapp.audit.events import ACCESS_REFUSED
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.audit.refused import record_refusal
from webapp.audit.trail import name_of
from webapp.campaigns.models import Case
from webapp.pages import events
from webapp.pages.actions import look_at_pictures, look_at_pixels, look_at_reading, refuse_access
from webapp.pages.things import Thing, campaign_of, may_see, subject_of, thing_of
from webapp.readings.models import Reading

SITTING = timedelta(hours=1)
SHOWN = (200, 206, 304)
MOST_KNOWN = 20_000
READING = "api/readings/<uuid:reading_id>/"
# Small pictures: one event for all of a campaign. Pixels: one for each scan. Masks: one for each reading.
PICTURES = {
    "campaigns/<slug:slug>/cases/<int:number>/picture.png",
    "scans/<uuid:scan_id>/pictures/<slug:sha256>.webp",
}
PIXELS = {
    "api/cases/<uuid:case_id>/slabs/<int:index>/<slug:sha256>/",
    "api/cases/<uuid:case_id>/preview/<slug:sha256>/",
}
MASKS = {
    READING,
    f"{READING}mask/",
    f"{READING}strokes/",
    f"{READING}attesting/",
    f"{READING}comments/",
    f"{READING}flags/",
    f"{READING}forms/",
    f"{READING}scans/<uuid:case_id>/",
    f"{READING}history/",
    f"{READING}chapters/<uuid:mask_id>/strokes/",
    f"{READING}states/<str:state>/mask/",
    f"{READING}difference/",
    f"{READING}provenance/",
    f"{READING}provenance/map/",
    f"{READING}branches/",
    f"{READING}measurements/",
}
NAMES = ("reading_id", "case_id", "scan_id", "slug", "number")
NOTICED = PICTURES | PIXELS | MASKS

# What this process knows to be in the trail: (person, address or subject, kind) to the end of its sitting. Pixels come
# in hundreds of requests, and only the first of them shall ask the database.
_known: dict[tuple[str, str, str], float] = {}


class NoticingMiddleware:
    """Write what an answered request showed, or what it refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request, then notice what came of it."""
        answer = self.get_response(request)
        match, person = request.resolver_match, getattr(request, "user", None)
        if match is not None and isinstance(person, User):
            refusal = getattr(answer, "refusal", None)
            if refusal is not None:
                notice_refusal(refusal, match, person)
            elif answer.status_code == 404:
                notice_refused_access(request, match, person)
            elif answer.status_code in SHOWN and match.route in NOTICED and request.method in ("GET", "HEAD"):
                notice_view(match, person)
        return answer


def notice_refusal(refusal: ActionRefused, match: ResolverMatch, person: User) -> None:
    """Write that a rule said no: a view's no, or an action's, which a larger transaction took away with it."""
    action, arguments = getattr(refusal, "action", ""), getattr(refusal, "arguments", {})
    if action:
        record_refusal(action=action, refused=refusal, about=arguments)
    elif refusal.code != "malformed":
        asked = name_of(getattr(match.func, "cls", match.func))
        record_refusal(action=asked, refused=refusal, about={"by": person, "about": thing_of(match.kwargs)})


def notice_refused_access(request: HttpRequest, match: ResolverMatch, person: User) -> None:
    """Write that somebody asked for a thing that is there and that they may not see."""
    key = (str(person.pk), request.path, ACCESS_REFUSED)
    if _is_known(key):
        return
    thing = thing_of(match.kwargs)
    if thing is not None and not may_see(person, thing):
        subject = subject_of(thing)
        if not _was_noted(person, [subject], [ACCESS_REFUSED]):
            refuse_access(thing=thing, method=str(request.method), path=request.path[:300], by=person)
    # Also where nothing was refused: the same address again is the same again.
    _remember(key)


def notice_view(match: ResolverMatch, person: User) -> None:
    """Write that somebody looked at what an address shows, unless an event of this sitting says so already."""
    kind = match.route if match.route in PICTURES else events.SCAN_VIEWED
    named = "/".join(str(match.kwargs[name]) for name in NAMES if name in match.kwargs)
    key = (str(person.pk), named, kind)
    if _is_known(key):
        return
    thing = thing_of(match.kwargs)
    if thing is not None:
        _write_view(match.route, thing, person)
    _remember(key)


def _write_view(route: str, thing: Thing, person: User) -> None:
    if isinstance(thing, Reading):
        if not _was_noted(person, [subject_of(thing)], [events.READING_VIEWED]):
            look_at_reading(reading=thing, by=person)
        return
    scan = f"scan:{getattr(thing, 'scan_id', thing.pk)}"
    if isinstance(thing, Case) and route in PIXELS:
        own = [f"reading:{pk}" for pk in Reading.objects.filter(case=thing, reader=person).values_list("pk", flat=True)]
        if not _was_noted(person, [scan, *own], [events.SCAN_VIEWED, events.READING_VIEWED]):
            look_at_pixels(case=thing, by=person)
        return
    campaign = campaign_of(thing)
    subjects = [scan, subject_of(campaign)] if campaign else [scan]
    if not _was_noted(person, subjects, [events.SCAN_VIEWED, events.PICTURES_VIEWED]):
        look_at_pictures(campaign=campaign, thing=thing, by=person)


def _was_noted(person: User, subjects: list[str], names: list[str]) -> bool:
    since = (timezone.now() - SITTING).strftime("%Y-%m-%dT%H:%M:%S")
    of_person = Event.objects.filter(actor_id=str(person.pk), name__in=names, at__gte=since)
    return of_person.filter(subject__in=subjects).exists()


def _is_known(key: tuple[str, str, str]) -> bool:
    return _known.get(key, 0.0) > timezone.now().timestamp()


def _remember(key: tuple[str, str, str]) -> None:
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known[key] = (timezone.now() + SITTING).timestamp()
