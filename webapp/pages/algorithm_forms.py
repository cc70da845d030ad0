"""A version of an algorithm as an administrator sends it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from webapp.algorithms.submitted import (
    CARD_BYTES,
    CURVES_BYTES,
    LONGEST_TITLE,
    MIB,
    MOST_PICTURES,
    WEIGHTS_BYTES,
    Submitted,
    checked,
)
from webapp.archive.sent_pictures import LARGEST_BYTES


class ManyFiles(forms.FileInput):
    """A field that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, each as a FileField has it."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        """The files, none where none was chosen."""
        sent = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(FilesField, self).clean(one, initial) for one in sent]


class VersionForm(forms.Form):
    """Card and weights, and what may come with them."""

    card = forms.FileField(label="Card (.json)", widget=forms.FileInput(attrs={"accept": ".json,application/json"}))
    weights = forms.FileField(
        label="Weights (.safetensors)",
        widget=forms.FileInput(attrs={"accept": ".safetensors"}),
        help_text=f"At most {WEIGHTS_BYTES // MIB} MiB.",
    )
    title = forms.CharField(
        label="Name for people",
        max_length=LONGEST_TITLE,
        required=False,
        help_text="Left empty: made of the card's name.",
    )
    pictures = FilesField(
        label="Pictures (PNG)",
        required=False,
        widget=ManyFiles(attrs={"accept": "image/png"}),
        help_text="Named by what they show: failure-1.png.",
    )
    curves = forms.FileField(
        label="Learning curves (.curves.csv)", required=False, widget=forms.FileInput(attrs={"accept": ".csv"})
    )

    def clean_card(self) -> UploadedFile:
        """Refuse what is too large before it is read."""
        return _bounded(self.cleaned_data["card"], CARD_BYTES)

    def clean_weights(self) -> UploadedFile:
        """Refuse what is too large before it is read."""
        return _bounded(self.cleaned_data["weights"], WEIGHTS_BYTES)

    def clean_curves(self) -> UploadedFile | None:
        """Refuse what is too large before it is read."""
        curves = self.cleaned_data["curves"]
        return _bounded(curves, CURVES_BYTES) if curves else None

    def clean_pictures(self) -> Sequence[UploadedFile]:
        """Refuse what is too many or too large before it is read."""
        pictures: list[UploadedFile] = self.cleaned_data["pictures"]
        if len(pictures) > MOST_PICTURES:
            raise forms.ValidationError(f"A card has at most {MOST_PICTURES} pictures.")
        return [_bounded(picture, LARGEST_BYTES) for picture in pictures]

    def submitted(self) -> Submitted:
        """The version, checked, of a form that is valid. Raises ActionRefused."""
        sent = self.cleaned_data
        return checked(
            card=sent["card"].read(),
            weights=sent["weights"],
            pictures=[(str(one.name), one.read()) for one in sent["pictures"]],
            curves=sent["curves"].read() if sent["curves"] else None,
            title=sent["title"],
        )


def _bounded(sent: UploadedFile, most: int) -> UploadedFile:
    if sent.size is None or sent.size > most:
        raise forms.ValidationError(f"{str(sent.name)[:80]} has more than {most // MIB} MiB.")
    return sent
