"""What people keep of pages: views of a worklist."""

import uuid

from django.conf import settings
from django.db import models

from webapp.campaigns.models import Campaign

VIEW_NAME_LENGTH, QUERY_LENGTH = 40, 600


class SavedView(models.Model):
    """A worklist as a person likes to see it: a name, and the query part of its address. It is nobody else's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=VIEW_NAME_LENGTH)
    query = models.CharField(max_length=QUERY_LENGTH)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "campaign", "name"], name="one_saved_view_per_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
