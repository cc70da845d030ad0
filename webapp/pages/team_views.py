"""A campaign's team: who is in it as what, who is invited, and the page that an invitation opens."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.mail import send_mail
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.actions import sign_in
from webapp.accounts.mail import sends_mail
from webapp.accounts.queries import person_called
from webapp.audit.refusal import ActionRefused, Refusal, require
from webapp.campaigns.actions import add_member
from webapp.campaigns.invitation_actions import (
    TOO_MANY,
    accept_invitation,
    find_invitation,
    invite,
    join_campaign,
    revoke_invitation,
)
from webapp.campaigns.models import ROLES, Campaign, Invitation, Membership
from webapp.campaigns.queries import open_invitations
from webapp.campaigns.rules import may_manage_team
from webapp.pages.campaign_settings_views import overseen
from webapp.pages.team_forms import InvitationForm, MemberForm, PersonForm
from webapp.readings.assigning_queries import open_readings_of_role
from webapp.readings.team_actions import remove_member


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def team(request: HttpRequest, slug: str) -> HttpResponse:
    """The members with their roles; a coordinator adds people who have an account, and invites others."""
    campaign = overseen(request, slug)
    sent = request.POST if request.method == "POST" else None
    do = request.POST.get("do", "")
    member = MemberForm(sent if do == "add" else None)
    invitation = InvitationForm(sent if do == "invite" else None)
    if sent is None:
        return _page(request, campaign, member, invitation)
    try:
        require(may_manage_team(campaign, request.user))
        if do == "add" and member.is_valid():
            added = _added(request, campaign, member)
            messages.success(request, f"{added.user} is {added.role} now.", "good")
            return redirect("pages:team", slug)
        if do == "invite" and invitation.is_valid():
            return _invited(request, campaign, member, invitation)
    except ActionRefused as refused:
        status = 403 if refused.code == "not_coordinator" else 409
        return _page(request, campaign, member, invitation, status, refusal=refused.sentence)
    return _page(request, campaign, member, invitation, 400, refusal="Nothing was changed: look at the fields.")


def _added(request: HttpRequest, campaign: Campaign, form: MemberForm) -> Membership:
    username = form.cleaned_data["username"].strip()
    person = person_called(username)
    if person is None:
        sentence = f"Nobody here signs in as {username[:60]}. Invite them by link, below."
        raise ActionRefused(Refusal("no_such_person", sentence))
    return add_member(campaign=campaign, user=person, role=form.cleaned_data["role"], by=request.user)


def _invited(request: HttpRequest, campaign: Campaign, member: MemberForm, form: InvitationForm) -> HttpResponse:
    """The page with the link, which is shown this once."""
    given = form.cleaned_data
    email = given["email"]
    require(None if sends_mail() or not email else Refusal("no_mail", "This site sends no e-mail: copy the link."))
    made, secret = invite(campaign=campaign, role=given["role"], days=given["days"], email=email, by=request.user)
    link = request.build_absolute_uri(reverse("pages:invitation", args=[secret]))
    told = _mailed(request, made, link) if email else ""
    return _page(request, campaign, member, InvitationForm(), made=made, link=link, told=told)


def _mailed(request: HttpRequest, invitation: Invitation, link: str) -> str:
    """Send a link; what became of it, in a sentence."""
    text = (
        f"{request.user} invites you to read in {invitation.campaign} as {invitation.role}.\n\n{link}\n\n"
        f"The link admits one person, once, until {invitation.expires_at:%Y-%m-%d %H:%M} UTC."
    )
    try:
        send_mail(f"Invitation to {invitation.campaign}", text, None, [invitation.email])
    except OSError:
        return f"The e-mail to {invitation.email} could not be sent: give the link by hand."
    return f"It was sent to {invitation.email}."


def _page(
    request: HttpRequest,
    campaign: Campaign,
    member: MemberForm,
    invitation: InvitationForm,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    order = {role: place for place, role in enumerate(ROLES)}
    members = Membership.objects.filter(campaign=campaign).select_related("user")
    may_manage = may_manage_team(campaign, request.user) is None
    context = {
        "campaign": campaign,
        "here": "team",
        "members": sorted(members, key=lambda one: (order[one.role], str(one.user).casefold())),
        "invitations": open_invitations(campaign, timezone.now()).select_related("made_by"),
        "may_manage": may_manage,
        "member_form": member,
        "invitation_form": invitation,
        "mail": sends_mail(),
        **more,
    }
    return render(request, "pages/team.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest, slug: str, member_id: int) -> HttpResponse:
    """What becomes of a person's open readings when a role is taken from them; POST takes it."""
    campaign = overseen(request, slug)
    membership = Membership.objects.filter(campaign=campaign, pk=member_id).select_related("user").first()
    if membership is None:
        raise Http404("No such member.")
    refusal, status = may_manage_team(campaign, request.user), 200
    sentence = refusal.sentence if refusal else ""
    if refusal:
        status = 403
    elif request.method == "POST":
        try:
            count = remove_member(campaign=campaign, user=membership.user, role=membership.role, by=request.user)
        except ActionRefused as refused:
            sentence, status = refused.sentence, 409
        else:
            freed = f" {count} open reading{'' if count == 1 else 's'} went back." if count else ""
            messages.success(request, f"{membership.user} is no {membership.role} any more.{freed}", "good")
            return redirect("pages:team", slug)
    open_ones = open_readings_of_role(campaign, membership.user, membership.role) if refusal is None else []
    context = {
        "campaign": campaign,
        "here": "team",
        "member": membership,
        "open": open_ones,
        "refusal": sentence,
        "may": not refusal,
    }
    return render(request, "pages/leave.html", context, status=status)


@require_POST
@login_required
def revoke(request: HttpRequest, slug: str, invitation_id: uuid.UUID) -> HttpResponse:
    """End an invitation that nobody used."""
    campaign = overseen(request, slug)
    found = Invitation.objects.filter(campaign=campaign, pk=invitation_id).select_related("campaign").first()
    if found is None:
        raise Http404("No such invitation.")
    try:
        revoke_invitation(invitation=found, by=request.user)
    except ActionRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, "The link opens nothing any more.", "good")
    return redirect("pages:team", slug)


@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Where an invitation leads: somebody signed in joins as themselves, anybody else makes an account."""
    try:
        found = find_invitation(secret=secret)
    except ActionRefused as refused:
        if refused.code == TOO_MANY.code:
            return HttpResponse(refused.sentence, status=429, content_type="text/plain", headers={"Retry-After": "900"})
        raise Http404("No such invitation.") from refused
    form = PersonForm(request.POST or None)
    sentence, status = "", 200
    if request.method == "POST":
        try:
            if request.user.is_authenticated:
                join_campaign(secret=secret, by=request.user)
                return redirect("pages:campaign", found.campaign.slug)
            status = 400
            if form.is_valid():
                accept_invitation(secret=secret, **form.person)
                given = form.cleaned_data
                sign_in(request=request, username=given["username"], password=given["password"])
                return redirect("pages:campaign", found.campaign.slug)
        except ActionRefused as refused:
            sentence, status = refused.sentence, 409
    context = {"invitation": found, "form": form, "refusal": sentence}
    return render(request, "pages/invitation.html", context, status=status)
