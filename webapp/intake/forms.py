"""What the door's endpoints accept."""

import json
from urllib.parse import unquote

from django import forms
from django.http import HttpRequest

from webapp.accounts.models import User
from webapp.campaigns.models import Campaign
from webapp.campaigns.queries import campaign_for

LONGEST_NAME = 1024


class BatchForm(forms.Form):
    """The campaign, by slug, that an upload is for."""

    campaign = forms.SlugField(max_length=60)

    @classmethod
    def of(cls, request: HttpRequest) -> "BatchForm":
        """The form of a JSON body or of an ordinary form."""
        if request.content_type == "application/json":
            try:
                data = json.loads(request.body)
            except (ValueError, UnicodeDecodeError):
                data = {}
            return cls(data if isinstance(data, dict) else {})
        return cls(request.POST)

    def campaign_of(self, user: User) -> Campaign:
        """The campaign; raises Http404 for those outside it."""
        return campaign_for(user, self.cleaned_data["campaign"])


def file_name_of(request: HttpRequest) -> str:
    """The name in X-File-Name (percent-encoded UTF-8), without folders; only its ending and numbers matter."""
    name = unquote(request.headers.get("X-File-Name", ""), errors="replace")[:LONGEST_NAME]
    return name.replace("\\", "/").rsplit("/", 1)[-1].replace("\0", "") or "file"
