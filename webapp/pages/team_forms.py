"""What is typed about people: members, invitations, accounts."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html

from webapp.campaigns.invitation_actions import LIFETIMES_DAYS
from webapp.campaigns.models import ROLES

ROLE_CHOICES = [(role, role) for role in ROLES]


class MemberForm(forms.Form):
    """A person who has an account, and a role."""

    username = forms.CharField(label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(label="Role", choices=ROLE_CHOICES, initial="radiologist")


class InvitationForm(forms.Form):
    """A role, how long the link lives, and where to send it."""

    role = forms.ChoiceField(label="Role", choices=ROLE_CHOICES, initial="radiologist")
    days = forms.TypedChoiceField(
        label="Expires after",
        coerce=int,
        initial=7,
        choices=[(days, f"{days} day{'s' if days > 1 else ''}") for days in LIFETIMES_DAYS],
    )
    email = forms.EmailField(label="Send it to (e-mail)", required=False)


class PersonForm(forms.Form):
    """An account: how a person is called, signs in, and how long they have read."""

    display_name = forms.CharField(label="Name, as colleagues know you", max_length=120)
    username = forms.CharField(
        label="User name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=4096,
        strip=False,
        help_text=password_validators_help_text_html(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="Password, again",
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    experience_years = forms.IntegerField(
        label="Years of experience with chest CT", min_value=0, max_value=80, required=False
    )

    def clean(self) -> dict[str, Any]:
        """Refuse two passwords that differ."""
        said = super().clean() or {}
        if said.get("password") and said.get("again") and said["password"] != said["again"]:
            self.add_error("again", "The two passwords differ.")
        return said

    @property
    def person(self) -> dict[str, Any]:
        """What the action takes, of a form that is valid."""
        return {name: value for name, value in self.cleaned_data.items() if name != "again"}


class AdmittedForm(PersonForm):
    """An account that an administrator makes."""

    display_name = forms.CharField(label="Name", max_length=120)
    email = forms.EmailField(label="E-mail address (notices, a forgotten password)", required=False)
    may_create_campaigns = forms.BooleanField(label="May make campaigns", required=False)
