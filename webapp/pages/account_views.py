"""Signing in and out, the password, and the choice of dark or light pages."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts import actions
from webapp.audit.refusal import ActionRefused
from webapp.pages.forms import PasswordForm, SignInForm

THEMES = ("dark", "light")
A_YEAR_S = 365 * 24 * 3600


def _own_address(request: HttpRequest, asked: str) -> str:
    """`asked` when it leads back into this site, home otherwise."""
    hosts = {request.get_host()}
    safe = url_has_allowed_host_and_scheme(asked, allowed_hosts=hosts, require_https=request.is_secure())
    return asked if safe else "/"


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; goes on to where the person was headed."""
    headed_for = _own_address(request, request.POST.get("next") or request.GET.get("next", ""))
    if request.user.is_authenticated and request.method == "GET":
        return redirect(headed_for)
    form = SignInForm(request.POST or None)
    refusal, status = "", 200
    if request.method == "POST" and form.is_valid():
        try:
            actions.sign_in(request=request, **form.cleaned_data)
            return redirect(headed_for)
        except ActionRefused as refused:
            refusal, status = refused.sentence, 403
    return render(request, "pages/sign_in.html", {"form": form, "refusal": refusal, "next": headed_for}, status=status)


@require_POST
@login_required
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    actions.sign_out(request=request, by=request.user)
    return redirect("pages:sign_in")


@sensitive_post_parameters("old", "new", "again")
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password."""
    form = PasswordForm(request.POST or None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_password(
                request=request, old=form.cleaned_data["old"], new=form.cleaned_data["new"], by=request.user
            )
        except ActionRefused as refused:
            refusal = refused.sentence
        else:
            messages.success(request, "Your password is changed. Your other sessions have ended.", "good")
            return redirect("pages:home")
    return render(request, "pages/password.html", {"form": form, "refusal": refusal})


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember dark or light pages in this browser; the viewer is dark always."""
    response = redirect(_own_address(request, request.POST.get("next", "")))
    wanted = request.POST.get("theme")
    if wanted in THEMES:
        response.set_cookie("theme", wanted, max_age=A_YEAR_S, samesite="Lax", secure=request.is_secure())
    return response
