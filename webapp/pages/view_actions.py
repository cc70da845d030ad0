"""What people do with their views of a worklist."""

from webapp.accounts.models import User
from webapp.audit.refusal import Refusal, require
from webapp.audit.trail import audited, record
from webapp.campaigns.actions import chain_of
from webapp.campaigns.models import Campaign
from webapp.pages import events
from webapp.pages.models import QUERY_LENGTH, VIEW_NAME_LENGTH, SavedView

MOST_VIEWS = 30


@audited(events.VIEW_SAVED)
def save_view(*, campaign: Campaign, name: str, query: str, by: User) -> SavedView:
    """Keep a view of a worklist under a name; one of that name is replaced."""
    name = " ".join(name.replace("\0", "").split())
    others = SavedView.objects.filter(person=by, campaign=campaign).exclude(name=name)
    full = Refusal("too_many", f"You keep {MOST_VIEWS} views here: remove one.")
    require(_refusal_of(name, query) or (full if len(others) >= MOST_VIEWS else None))
    view, _ = SavedView.objects.update_or_create(person=by, campaign=campaign, name=name, defaults={"query": query})
    record(events.VIEW_SAVED, by=by, chain=chain_of(campaign), subject=f"view:{view.pk}", name=name, query=query)
    return view


@audited(events.VIEW_REMOVED)
def remove_view(*, view: SavedView, by: User) -> None:
    """Forget a view of one's own."""
    require(None if view.person_id == by.pk else Refusal("not_yours", "This view is somebody else's."))
    record(events.VIEW_REMOVED, by=by, chain=chain_of(view.campaign), subject=f"view:{view.pk}", name=view.name)
    view.delete()


def _refusal_of(name: str, query: str) -> Refusal | None:
    if not name or len(name) > VIEW_NAME_LENGTH or not name.isprintable():
        return Refusal("malformed", f"A view needs a name of 1 to {VIEW_NAME_LENGTH} letters.")
    if len(query) > QUERY_LENGTH:
        return Refusal("too_long", "This view asks for too much to be kept.")
    return None
