"""The notices of the person who looks."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from webapp.accounts.mail import sends_mail
from webapp.audit.refusal import ActionRefused
from webapp.notices.actions import mark_notices_seen, set_notice_mail
from webapp.notices.models import NoticePreference
from webapp.notices.queries import mail_wish_of, notices_of, unseen_count

NOTICES_A_PAGE = 50
ICONS = {
    "assigned": "arrow",
    "returned": "again",
    "mentioned": "user",
    "adjudication": "scales",
    "import_finished": "inbox",
    "released": "lock",
    "due_soon": "clock",
    "repeat_due": "again",
}


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def notices(request: HttpRequest) -> HttpResponse:
    """One's notices, the newest first; a POST marks all seen, or says how they come by e-mail."""
    if request.method == "POST":
        if "by_mail" in request.POST:
            _set_mail(request)
        else:
            mark_notices_seen(by=request.user)
        return redirect("pages:notices")
    page = Paginator(notices_of(request.user), NOTICES_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "pages/notices.html",
        {
            "page": page,
            "lines": [(notice, ICONS[notice.kind]) for notice in page],
            "unseen": unseen_count(request.user),
            "sends_mail": sends_mail(),
            "wish": mail_wish_of(request.user),
            "wishes": NoticePreference.CHOICES,
        },
    )


def _set_mail(request: HttpRequest) -> None:
    try:
        set_notice_mail(by_mail=request.POST["by_mail"], by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, "Kept.", "good")


@require_GET
@never_cache
@login_required
def bell(request: HttpRequest) -> HttpResponse:
    """The bell of the page's header alone, to be put in its place when something new came."""
    return render(request, "pages/bell_alone.html")


@require_GET
@never_cache
@login_required
def follow(request: HttpRequest, notice_id: uuid.UUID) -> HttpResponse:
    """Where a notice leads; it counts as seen from then."""
    notice = notices_of(request.user).filter(pk=notice_id).first()
    if notice is None:
        raise Http404("No such notice.")
    mark_notices_seen(by=request.user, notice_id=str(notice.pk))
    return redirect(notice.url)
