"""The protocol's editor as a browser sends it."""

from webapp.pages.campaign_forms import ProtocolForms


def sent_by(forms: ProtocolForms, **changes: str) -> dict[str, object]:
    """What a browser would send of a form that nobody touched, with some fields changed."""
    said: dict[str, object] = {}
    for form in [forms.stages.management_form, *forms.stages.forms, forms.terms]:
        said |= values_of(form)
    return {**said, **changes}


def values_of(form: object) -> dict[str, object]:
    """What a browser would send of one form as it is shown."""
    said: dict[str, object] = {}
    for bound in form:  # type: ignore[attr-defined]
        value = bound.value()
        if isinstance(value, bool):
            said |= {bound.html_name: "on"} if value else {}
        elif isinstance(value, list):
            said[bound.html_name] = value
        elif value is not None:
            said[bound.html_name] = str(value)
    return said
