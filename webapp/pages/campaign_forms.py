"""What coordinators type: a campaign's names and labels, and the stages and terms of its protocol."""

from dataclasses import replace
from typing import Any

from django import forms

from webapp.algorithms.queries import runnable_algorithms
from webapp.campaigns.configurations import STATEMENT_LENGTH, Configuration
from webapp.campaigns.models import ROLES, Campaign
from webapp.campaigns.protocols import (
    ATTESTED,
    BLOCK,
    CAMPAIGN_CLOSED,
    CASE_SIGNED,
    IMPORTED_MASK,
    MOST_READERS,
    MOST_STAGES,
    OFF,
    SIGN,
    STAGE_NAME_LENGTH,
    SUBMIT,
    WARN,
    Acceptance,
    Arms,
    Qualification,
    Stage,
    Terms,
)
from webapp.campaigns.queries import data_sets_in
from webapp.campaigns.score_presets import PRESET_FORMS
from webapp.campaigns.wording import ORDERS_IN_WORDS, TAKES_IN_WORDS
from webapp.campaigns.wording_of_stages import STARTS_IN_WORDS
from webapp.masks.labels import MOST_LABELS
from webapp.masks.models import DataSet, LabelSet

READERS_BY_ROLE = [(role, role) for role in ROLES if role not in ("coordinator", "auditor")]
EMPTY_ROWS = 2
LEVELS = [(OFF, "not asked"), (WARN, "warn"), (BLOCK, "block")]


class RowsFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """Rows of which those without a name count for nothing."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What was typed into the rows that have a name, in order."""
        return [form.cleaned_data for form in self.forms if form.cleaned_data.get("name", "").strip()]


class StageForm(forms.Form):
    """One stage: a row without a name is no stage."""

    name = forms.CharField(label="Name", max_length=STAGE_NAME_LENGTH, required=False)
    role = forms.ChoiceField(label="Role", choices=READERS_BY_ROLE, initial="radiologist")
    readers = forms.IntegerField(label="Readers", min_value=1, max_value=MOST_READERS, initial=1)
    starts_from = forms.ChoiceField(label="Begins from")
    ends_with = forms.ChoiceField(
        label="Ends with", choices=[(SIGN, "a signature"), (SUBMIT, "handing on")], initial=SIGN
    )
    blinded = forms.BooleanField(label="Blinded", required=False, initial=True)
    only_if_disputed = forms.BooleanField(label="Only if disputed", required=False)

    def __init__(self, *args: Any, data_sets: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        starts = [(code, words) for code, words in STARTS_IN_WORDS.items() if code != IMPORTED_MASK]
        starts += [(f"{IMPORTED_MASK}:{pk}", f"the imported mask of {name}") for pk, name in (data_sets or {}).items()]
        self.fields["starts_from"].choices = starts  # type: ignore[attr-defined]


StageFormSet = forms.formset_factory(
    StageForm, formset=RowsFormSet, extra=0, max_num=MOST_STAGES, absolute_max=MOST_STAGES
)


def initial_of_stage(stage: Stage) -> dict[str, Any]:
    """A stage as its row shows it."""
    start = f"{stage.starts_from}:{stage.data_set}" if stage.data_set else stage.starts_from
    return {**vars(stage), "starts_from": start}


def stage_of_row(row: dict[str, Any]) -> Stage:
    """The stage that a row says."""
    start, _, data_set = row["starts_from"].partition(":")
    return Stage(**{**row, "name": row["name"].strip(), "starts_from": start}, data_set=data_set or None)


class TermsForm(forms.Form):
    """Everything that a protocol says beside its stages."""

    pilot = forms.BooleanField(label="This version is a pilot", required=False)
    unblinded_when = forms.ChoiceField(
        label="Readers see each other's readings",
        choices=[(CASE_SIGNED, "when the case is signed"), (CAMPAIGN_CLOSED, "when the campaign is closed")],
    )
    hides_ai = forms.BooleanField(label="Hide the AI draft from readers", required=False)
    hides_metadata = forms.BooleanField(label="Hide age, sex, site and scanner from readers", required=False)
    separate_duties = forms.BooleanField(label="Nobody works on a case at two stages", required=False)
    draws = forms.BooleanField(label="Draw at random which cases begin with the AI draft", required=False)
    seed = forms.IntegerField(label="Seed", min_value=0, max_value=2**31 - 1, initial=1)
    draft_in = forms.IntegerField(label="With the draft", min_value=1, max_value=99, initial=2)
    of = forms.IntegerField(label="of each", min_value=2, max_value=100, initial=4)
    accepts = forms.BooleanField(label="Accept readings that agree, without an adjudicator", required=False)
    dice_at_least = forms.FloatField(label="Dice, at least", min_value=0, max_value=1, initial=0.7)
    extent_difference_at_most = forms.FloatField(
        label="Extents apart, at most (points)", min_value=0, max_value=100, initial=2.0
    )
    no_contradicting_verdicts = forms.BooleanField(label="No verdicts that contradict each other", required=False)
    takes = forms.ChoiceField(label="The reference is then", choices=list(TAKES_IN_WORDS.items()))
    qualifies = forms.BooleanField(label="Readers qualify before study cases are given to them", required=False)
    qualifying_dice = forms.FloatField(label="Dice with the known reference, at least", min_value=0, max_value=1)
    qualifying_extent = forms.FloatField(label="Extents apart, at most (points)", min_value=0, max_value=100)
    scores = forms.MultipleChoiceField(
        label="Scoring forms", required=False, widget=forms.CheckboxSelectMultiple, choices=[]
    )
    flags = forms.CharField(
        label="Flags, one a line", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    dwell_ms = forms.IntegerField(label="A slice counts as seen after (ms)", min_value=0, max_value=60_000)
    release_after_days = forms.IntegerField(
        label="Give an idle case back after (days)", min_value=1, max_value=365, required=False
    )
    order = forms.ChoiceField(label="Cases come", choices=list(ORDERS_IN_WORDS.items()))
    statement = forms.CharField(
        label="Statement that is signed", max_length=STATEMENT_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, own: list[dict[str, Any]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The forms that the protocol has already, as they are, and the presets that it has not.
        self.known = {form["key"]: form for form in [*PRESET_FORMS.values(), *(own or [])]}
        self.fields["scores"].choices = [(key, form["title"]) for key, form in self.known.items()]  # type: ignore[attr-defined]
        for code, sentence in ATTESTED.items():
            self.fields[f"attests_{code}"] = forms.ChoiceField(label=sentence, choices=LEVELS)

    @property
    def attested(self) -> list[forms.BoundField]:
        """The fields of what a signature attests."""
        return [self[f"attests_{code}"] for code in ATTESTED]

    def terms(self, base: Terms) -> Terms:
        """What was typed, of a form that is valid; what it does not ask is as in `base`."""
        said = self.cleaned_data
        levels = {code: said[f"attests_{code}"] for code in ATTESTED if said[f"attests_{code}"] != OFF}
        rule = Acceptance(
            **{name: said[name] for name in ("dice_at_least", "extent_difference_at_most", "takes")},
            no_contradicting_verdicts=said["no_contradicting_verdicts"],
        )
        arms = Arms(said["seed"], said["draft_in"], said["of"])
        qualification = Qualification(said["qualifying_dice"], said["qualifying_extent"])
        plain = ("pilot", "unblinded_when", "hides_ai", "hides_metadata", "separate_duties", "dwell_ms", "order")
        return replace(
            base,
            **{name: said[name] for name in plain},
            attests=levels,
            acceptance=rule if said["accepts"] else None,
            arms=arms if said["draws"] else None,
            qualification=qualification if said["qualifies"] else None,
            release_after_days=said["release_after_days"],
            forms=[self.known[key] for key in said["scores"]],
            flags=[line.strip() for line in said["flags"].splitlines() if line.strip()],
        )


def initial_of_terms(terms: Terms, statement: str) -> dict[str, Any]:
    """Terms as their form shows them."""
    rule, arms = terms.acceptance or Acceptance(), terms.arms or Arms()
    needed = terms.qualification or Qualification()
    apart = ("acceptance", "arms", "qualification", "forms", "flags", "attests")
    return {
        **{name: value for name, value in vars(terms).items() if name not in apart},
        **vars(rule),
        **vars(arms),
        "accepts": terms.acceptance is not None,
        "draws": terms.arms is not None,
        "qualifies": terms.qualification is not None,
        "qualifying_dice": needed.dice_at_least,
        "qualifying_extent": needed.extent_difference_at_most,
        "statement": statement,
        "scores": [form["key"] for form in terms.forms],
        "flags": "\n".join(terms.flags),
        **{f"attests_{code}": terms.level(code) for code in ATTESTED},
    }


class ProtocolForms:
    """The stages and the terms of a protocol together, shown or sent."""

    def __init__(
        self, stages: list[Stage], terms: Terms, statement: str, data: Any = None, campaign: Campaign | None = None
    ) -> None:
        self.base = terms
        there = data_sets_in(campaign) if campaign else DataSet.objects.none()
        # What the stages name stays to be chosen, also where no case here has such a mask (yet).
        named = DataSet.objects.filter(pk__in=[stage.data_set for stage in stages if stage.data_set])
        sets = {str(one.pk): one.name for one in [*there, *named]}
        rows = [initial_of_stage(stage) for stage in stages] if data is None else None
        self.stages: Any = StageFormSet(data, initial=rows, prefix="stage", form_kwargs={"data_sets": sets})
        if data is None:
            self.stages.extra = min(max(EMPTY_ROWS, 4 - len(stages)), MOST_STAGES - len(stages))
        self.terms = TermsForm(data, initial=initial_of_terms(terms, statement), own=terms.forms)

    def is_valid(self) -> bool:
        """Whether everything was typed as it must be; whether it makes sense the action says."""
        return all([self.stages.is_valid(), self.terms.is_valid()])

    @property
    def said(self) -> tuple[list[Stage], Terms, str]:
        """Stages, terms and statement, of forms that are valid."""
        stages = [stage_of_row(row) for row in self.stages.rows]
        return stages, self.terms.terms(self.base), self.terms.cleaned_data["statement"].strip()


class LabelForm(forms.Form):
    """One label of an own set: a row without a name is none."""

    name = forms.CharField(label="Name", max_length=60, required=False)
    colour = forms.RegexField(
        r"^#[0-9A-Fa-f]{6}$", label="Colour", initial="#E69F00", widget=forms.TextInput(attrs={"type": "color"})
    )
    scheme = forms.CharField(label="Code scheme", max_length=16, required=False)
    value = forms.CharField(label="Code", max_length=64, required=False)
    meaning = forms.CharField(label="Code meaning", max_length=64, required=False)
    is_exclusion = forms.BooleanField(label="Exclusion", required=False)
    counts_as_lung = forms.BooleanField(label="Counts as lung", required=False, initial=True)

    def clean(self) -> dict[str, Any]:
        """Refuse half a code."""
        said = super().clean() or {}
        parts = [said.get(part, "").strip() for part in ("scheme", "value", "meaning")]
        if any(parts) and not all(parts):
            self.add_error("value", "A code has a scheme (SCT, DCM), a value and a meaning, or is left out.")
        return said


LabelFormSet = forms.formset_factory(
    LabelForm, formset=RowsFormSet, extra=0, max_num=MOST_LABELS, absolute_max=MOST_LABELS
)
COLOURS = ("#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#8F8FE0", "#B0895B", "#D3FDE8", "#6A55BE")


def labels_of_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Labels as the action takes them."""
    labels = []
    for row in rows:
        code = {part: row[part].strip() for part in ("scheme", "value", "meaning")}
        kept = {key: row[key] for key in ("colour", "is_exclusion", "counts_as_lung")}
        labels.append({"name": row["name"].strip(), **kept, **({"code": code} if code["value"] else {})})
    return labels


class CampaignForm(forms.Form):
    """What a campaign is called, what is painted in it, and who drafts."""

    name = forms.CharField(label="Name", max_length=120, widget=forms.TextInput(attrs={"autofocus": True}))
    slug = forms.CharField(
        label="Name in addresses",
        max_length=60,
        help_text="Small letters, digits and hyphens: covid-176. It stays.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    labels = forms.ChoiceField(label="Labels")
    own_name = forms.CharField(label="Name of the own set", max_length=80, required=False)
    algorithm = forms.ChoiceField(label="AI draft", required=False)
    guideline = forms.CharField(
        label="Guideline (Markdown; pictures are added later)",
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sets = {str(one.pk): one for one in LabelSet.objects.order_by("name", "-version")}
        sets = [
            (pk, f"{one}: {', '.join(label['name'] for label in one.labels[:4])} …") for pk, one in self.sets.items()
        ]
        self.fields["labels"].choices = [*sets, ("own", "own labels, below")]  # type: ignore[attr-defined]
        self.algorithms = {str(one.pk): one for one in runnable_algorithms()}
        drafts = [("", "none"), *((pk, str(one)) for pk, one in self.algorithms.items())]
        self.fields["algorithm"].choices = drafts  # type: ignore[attr-defined]

    def configuration(self, rows: list[dict[str, Any]], protocol: ProtocolForms) -> Configuration:
        """The configuration that was typed, of forms that are valid."""
        said = self.cleaned_data
        chosen = self.sets.get(said["labels"])
        stages, terms, statement = protocol.said
        return Configuration(
            label_set_name=chosen.name if chosen else said["own_name"].strip(),
            labels=chosen.labels if chosen else labels_of_rows(rows),
            draft_algorithm=self.algorithms.get(said["algorithm"]),
            stages=stages,
            terms=terms,
            statement=statement,
            guideline=said["guideline"].replace("\r\n", "\n").replace("\0", "").strip(),
        )


class ImportForm(forms.Form):
    """A campaign by a configuration's file."""

    name = forms.CharField(label="Name", max_length=120)
    slug = forms.CharField(
        label="Name in addresses", max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    file = forms.FileField(label="Configuration (JSON)", widget=forms.FileInput(attrs={"accept": "application/json"}))
