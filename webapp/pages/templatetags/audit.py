"""Whether a page leads to the audit trail."""

from typing import Any

from django import template

from webapp.campaigns.models import Campaign
from webapp.pages.audit_sight import may_read_audit

register = template.Library()


@register.simple_tag(takes_context=True)
def reads_audit(context: dict[str, Any], campaign: Campaign) -> bool:
    """Whether the person who looks may read the audit trail of a campaign."""
    return may_read_audit(context["request"].user, campaign)
