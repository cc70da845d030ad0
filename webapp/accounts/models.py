"""People of this installation."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models

from webapp.audit.actor import Actor


class User(AbstractUser):
    """A person who signs in. Rights in a campaign come from its memberships, never from here.

    `may_create_campaigns` is given by an administrator; whoever makes a campaign becomes its coordinator.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    display_name = models.CharField(max_length=120)
    experience_years = models.PositiveSmallIntegerField(null=True, blank=True)
    may_create_campaigns = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.display_name or self.username

    @property
    def actor(self) -> Actor:
        """This person as the audit trail names them; roles in a campaign are asked for there."""
        roles = ("administrator",) if self.is_superuser else ()
        return Actor("person", str(self.pk), str(self), roles=roles)


class Preferences(models.Model):
    """How a person has set the viewer: the viewer's own JSON object, checked for size and top-level keys alone."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="preferences")
    viewer = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"preferences of {self.user}"


class AccessToken(models.Model):
    """What a program signs in with in a person's stead: their rights, until it expires or is revoked.

    The secret itself is shown once and kept nowhere: `secret_sha256` knows it again (a fast hash suffices for 256
    random bits), and `prefix`, its first letters, lets people tell their tokens apart.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                condition=models.Q(revoked_at__isnull=True),
                name="one_access_token_per_name",
            )
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"
