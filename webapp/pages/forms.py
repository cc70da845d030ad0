"""What people type into the pages."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.core.validators import MaxLengthValidator

from webapp.accounts.rules import LIFETIMES_DAYS


class SignInForm(forms.Form):
    """A name and a password."""

    username = forms.CharField(
        label="Name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True, "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class GivenPasswordForm(forms.Form):
    """A new password for somebody else, twice."""

    new = forms.CharField(
        label="New password",
        strip=False,
        max_length=4096,
        help_text=password_validators_help_text_html(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="New password, again",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, str]:
        """Refuse two new passwords that differ."""
        data = super().clean() or {}
        if data.get("new") and data.get("again") and data["new"] != data["again"]:
            self.add_error("again", "The two new passwords differ.")
        return data


class PasswordForm(GivenPasswordForm):
    """The old password, and the new one twice."""

    old = forms.CharField(
        label="Old password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    field_order = ("old", "new", "again")


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """A new password by the link that was sent: Django's own form, in our words."""

    error_messages = {"password_mismatch": "The two new passwords differ."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = "New password"
        self.fields["new_password2"].label = "New password, again"
        self.fields["new_password2"].help_text = ""
        for field in self.fields.values():
            field.validators.append(MaxLengthValidator(4096))


class ForgottenForm(forms.Form):
    """Who asks for a link to a new password."""

    name = forms.CharField(
        label="User name or e-mail address",
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True, "autocapitalize": "none"}),
    )


class EmailForm(forms.Form):
    """Where somebody gets e-mail."""

    email = forms.EmailField(
        label="E-mail address",
        required=False,
        help_text="For notices and for a forgotten password. Empty: none.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class OwnEmailForm(EmailForm):
    """Where one gets e-mail oneself: links to a new password go there, so the password is asked for."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class TokenForm(forms.Form):
    """What a new access token is called and how long it lives."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="What will use it: notebook on my laptop, 3D Slicer, OHIF ...",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(
        label="Expires after",
        coerce=int,
        initial=90,
        choices=[(days, "1 year" if days == 365 else f"{days} days") for days in LIFETIMES_DAYS],
    )


class GuidelineForm(forms.Form):
    """A guideline's text over the protocol's version that its writer saw, and what to do with it."""

    text = forms.CharField(required=False, strip=False)
    version = forms.IntegerField(min_value=0, max_value=2**31 - 1)
    do = forms.ChoiceField(choices=[(verb, verb) for verb in ("save", "preview", "picture")])
    picture = forms.FileField(required=False, allow_empty_file=True)


class DeletionForm(forms.Form):
    """Why a scan is deleted, and its patient's pseudonym typed, so that nobody deletes by a slip."""

    reason = forms.CharField(
        label="Reason",
        min_length=5,
        max_length=500,
        help_text="It stays in the record, with your name and the time.",
        error_messages={"min_length": "Say why the scan is deleted: the reason stays in the record."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    pseudonym = forms.CharField(
        label="Pseudonym of the patient",
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    originals = forms.BooleanField(
        label="Destroy the originals too",
        required=False,
        initial=True,
        help_text="What quarantine still holds, encrypted, of the sendings that this scan came with. "
        "Where they stay, the scan can be filed anew from them until their time is over.",
    )

    def __init__(self, *args: Any, pseudonym: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pseudonym = pseudonym
        self.fields["pseudonym"].help_text = f"Type {pseudonym} to confirm."

    def clean_pseudonym(self) -> str:
        """Refuse anything but the pseudonym itself."""
        typed = self.cleaned_data["pseudonym"].strip()
        if typed.upper() != self._pseudonym.upper():
            raise forms.ValidationError("That is not the pseudonym of this scan's patient.")
        return typed
