"""A forgotten password: a link is asked for by anybody, and opened by whoever it was sent to."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from webapp.accounts.mail import sends_mail
from webapp.accounts.models import User
from webapp.accounts.password_actions import ask_for_reset, reset_password
from webapp.audit.refusal import ActionRefused
from webapp.pages.forms import ForgottenForm, NewPasswordForm


@never_cache
@require_http_methods(["GET", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link to a new password; the answer is the same whether somebody has that name or not."""
    form = ForgottenForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "mail": sends_mail(), "contact": settings.CONTACT}
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            ask_for_reset(name=form.cleaned_data["name"])
        except ActionRefused as refused:
            context["refusal"], status = refused.sentence, 429 if refused.code == "too_many_tries" else 409
        else:
            context["asked"] = True
    return render(request, "pages/forgotten.html", context, status=status)


class NewPassword(PasswordResetConfirmView):
    """Where the link leads: Django keeps its token out of the address, our action sets the password."""

    template_name = "pages/new_password.html"
    success_url = reverse_lazy("pages:sign_in")
    form_class = NewPasswordForm

    def get_user(self, uidb64: str) -> User | None:
        """The person behind a link; None for closed accounts too, to which no link leads."""
        user = super().get_user(uidb64)
        return user if isinstance(user, User) and user.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password by the action, which asks the token once more."""
        token = self.request.session.get(INTERNAL_RESET_SESSION_TOKEN, "")
        assert self.user is not None  # Django asked for it before it showed the form
        try:
            reset_password(user=self.user, token=token, new=form.cleaned_data["new_password1"])
        except ActionRefused as refused:
            form.add_error("new_password1", refused.sentence)
            return self.form_invalid(form)
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        messages.success(self.request, "Your new password is set: sign in with it.", "good")
        return redirect(self.success_url)

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """A link that opens nothing is not there."""
        return super().render_to_response(context, status=200 if self.validlink else 404, **kwargs)
