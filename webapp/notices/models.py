"""What people are told: in the page always, by e-mail as each of them wishes."""

import uuid

from django.conf import settings
from django.db import models

# What notices are about, and the words for it.
KINDS = {
    "assigned": "given to you",
    "returned": "returned to you",
    "mentioned": "mentioned",
    "adjudication": "to adjudicate",
    "import_finished": "import finished",
    "released": "taken back",
    "due_soon": "due soon",
    "repeat_due": "to read again",
}


class Notice(models.Model):
    """One thing that one person is told.

    `sentence` also goes out by e-mail, so it names a case by its number and nothing of a patient; `detail` is what
    somebody wrote (a reason, the words of a comment) and stays on the page. `url` is a path of this site.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=20, choices=list(KINDS.items()))
    sentence = models.CharField(max_length=200)
    detail = models.CharField(max_length=500, blank=True, default="")
    url = models.CharField(max_length=200)
    campaign_slug = models.CharField(max_length=60, blank=True, default="")
    made_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(url__startswith="/"), name="notice_leads_into_this_site"),
        ]
        indexes = [
            models.Index(fields=["person", "-made_at"], name="notice_of_person"),
            models.Index(fields=["person"], condition=models.Q(seen_at=None), name="notice_unseen"),
        ]

    def __str__(self) -> str:
        return self.sentence


class NoticePreference(models.Model):
    """How a person wants to hear of notices by e-mail; who never said gets the digest, where the site sends any."""

    OFF, AT_ONCE, DAILY = "off", "at once", "daily"
    CHOICES = ((OFF, "never"), (AT_ONCE, "each at once"), (DAILY, "once a day, those not yet seen"))

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="notice_preference"
    )
    by_mail = models.CharField(max_length=8, choices=CHOICES, default=DAILY)
    digest_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"e-mail {self.by_mail}"
