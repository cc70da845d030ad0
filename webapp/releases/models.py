"""What is known of signed versions, kept so that it is computed once."""

from django.db import models

from webapp.masks.models import Version


class Measurement(models.Model):
    """The numbers of one version. A version never changes, so they follow from it and from `values["options"]`.

    `values` is inference.measures.quantification.Measurements as plain numbers (see docs/reference/export-formats.md).
    """

    version = models.OneToOneField(Version, primary_key=True, on_delete=models.PROTECT, related_name="measurement")
    values = models.JSONField()
    measured_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.version}: {self.values.get('extent_percent')} %"
