"""What a coordinator types to say who reads what."""

from typing import Any

from django import forms

from webapp.accounts.models import User
from webapp.readings.models import REASON_LENGTH

DAY = {"type": "date"}


class PersonField(forms.ChoiceField):
    """One of the readers of a campaign, by user name."""


class HolderField(PersonField):
    """One of them whose account may be closed: cases are taken from those who left."""


class PeopleField(forms.MultipleChoiceField):
    """Several of the readers of a campaign, by user name."""


class AlgorithmField(forms.ChoiceField):
    """One of the algorithms that a campaign may use, by name@version."""


class DoForm(forms.Form):
    """One thing to do with the chosen cases; `readers` whom it may be about, `algorithms` to draft by."""

    def __init__(
        self, *args: Any, readers: list[User], algorithms: list[tuple[str, str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.people = {person.username: person for person in readers}
        for field in self.fields.values():
            if isinstance(field, AlgorithmField):
                field.choices = algorithms or []
            elif isinstance(field, PersonField | PeopleField):
                nobody = [] if field.required else [("", "nobody: free again")]
                everybody = isinstance(field, HolderField)
                field.choices = [*nobody, *(_choice(one) for one in readers if everybody or one.is_active)]


def _choice(person: User) -> tuple[str, str]:
    return person.username, str(person) if person.is_active else f"{person} (closed account)"


class AssignForm(DoForm):
    """Give the chosen cases to one person."""

    reader = PersonField(label="Reader")
    due_on = forms.DateField(label="Due", required=False, widget=forms.DateInput(attrs=DAY))


class DealForm(DoForm):
    """Deal the chosen cases out at random."""

    readers = PeopleField(label="Readers", widget=forms.CheckboxSelectMultiple)
    seed = forms.IntegerField(label="Seed", min_value=0, max_value=2**31 - 1)
    due_on = forms.DateField(label="Due", required=False, widget=forms.DateInput(attrs=DAY))


class MoveForm(DoForm):
    """Take the chosen cases from one person, for another or for nobody."""

    source = HolderField(label="Take from")
    target = PersonField(label="Give to", required=False)
    reason = forms.CharField(label="Why", max_length=REASON_LENGTH)


class ScheduleForm(DoForm):
    """How urgent the chosen cases are, and by when."""

    priority = forms.IntegerField(label="Priority (-9 to 9)", min_value=-9, max_value=9, required=False)
    due_on = forms.DateField(label="Due", required=False, widget=forms.DateInput(attrs=DAY))


class ExcludeForm(DoForm):
    """Why the chosen cases leave."""

    reason = forms.CharField(label="Why", max_length=REASON_LENGTH)


class ReadmitForm(ExcludeForm):
    """Why the chosen cases come back."""


class DraftForm(DoForm):
    """Which algorithm drafts the chosen cases."""

    algorithm = AlgorithmField(label="Algorithm")


class RepeatForm(DoForm):
    """A random sample of signed readings is read again; no case is chosen by hand."""

    count = forms.IntegerField(label="Readings", min_value=1, max_value=500, initial=20)
    after_days = forms.IntegerField(label="From days after the signature", min_value=0, max_value=3650, initial=28)
    seed = forms.IntegerField(label="Seed", min_value=0, max_value=2**31 - 1)


FORMS: dict[str, tuple[str, str, type[DoForm]]] = {
    "assign": ("Assign", "Assign to a reader", AssignForm),
    "deal": ("Deal out", "Deal out at random, balanced by site", DealForm),
    "move": ("Take back or re-assign", "Re-assign or release", MoveForm),
    "schedule": ("Set", "Priority and due date", ScheduleForm),
    "draft": ("Put in line", "AI drafts", DraftForm),
    "exclude": ("Exclude", "Exclude from the campaign", ExcludeForm),
    "readmit": ("Readmit", "Readmit excluded cases", ReadmitForm),
    "repeat": ("Draw the sample", "Repeat readings of a random sample", RepeatForm),
}
