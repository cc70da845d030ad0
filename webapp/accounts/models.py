"""People of this installation."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models

from webapp.audit.actor import Actor


class User(AbstractUser):
    """A person who signs in. Rights in a campaign come from its memberships, never from here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    display_name = models.CharField(max_length=120)
    experience_years = models.PositiveSmallIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.display_name or self.username

    @property
    def actor(self) -> Actor:
        """This person as the audit trail names them."""
        return Actor("person", str(self.pk), str(self))


class Preferences(models.Model):
    """How a person has set the viewer: the viewer's own JSON object, checked for size and top-level keys alone."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="preferences")
    viewer = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"preferences of {self.user}"
