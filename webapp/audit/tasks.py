"""What comes round by itself: the chains are checked, and their heads leave the server every day."""

import logging
from pathlib import Path

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone

from webapp.audit import events
from webapp.audit.actions import export_heads
from webapp.audit.actor import SYSTEM
from webapp.audit.checking import check_chains
from webapp.audit.heads import Head
from webapp.audit.models import Event
from webapp.jobs.periodic import every

CHECK_EVERY_S = 300
ASK_FOR_HEADS_EVERY_S = 900

log = logging.getLogger(__name__)


@every(CHECK_EVERY_S, "audit.check_chains")
def check_chains_in_part() -> None:
    """Check what is new, and a part of what is old."""
    for sentence in check_chains():
        log.error("The audit trail does not hold. %s", sentence)


@every(ASK_FOR_HEADS_EVERY_S, "audit.export_heads")
def export_heads_daily() -> None:
    """Once a day (UTC), add the heads to the folder outside, and e-mail them where somebody is to have them."""
    today = timezone.now().strftime("%Y-%m-%d")
    if Event.objects.filter(name=events.HEADS_EXPORTED, at__gte=today).exists():
        return
    heads = export_heads(folder=Path(settings.AUDIT_HEADS_DIR), by=SYSTEM)
    if settings.AUDIT_HEADS_EMAIL:
        mail_heads(heads, settings.AUDIT_HEADS_EMAIL, today)


def mail_heads(heads: list[Head], addresses: list[str], today: str) -> None:
    """E-mail heads. They lie in the folder already: where the mail fails, the log says so, and tomorrow's follow."""
    text = "The heads of the audit trail's chains. Keep them: they show later whether anything was changed since.\n\n"
    text += "".join(head.line for head in heads)
    try:
        send_mail(f"Groundglass: heads of the audit trail, {today}", text, None, addresses)
    except OSError as error:
        log.error("The heads of the audit trail could not be e-mailed: %s", type(error).__name__)
