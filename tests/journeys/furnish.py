"""Puts people and a campaign into a test's site through the site's own actions.

`python -m tests.journeys.furnish JSON`, with JSON {"slug", "name", "people": [{"username", "name", "role",
"password"}], "draft", "preset", "terms"}. Unless "draft" is false, the campaign drafts with the classical baseline; a
case has as many readers as there are radiologists, or the stages and terms of a "preset"; an "outsider" is no member. A
process of its own, so that no test shares Django's state with the site that it looks at.
"""

import dataclasses
import json
import os
import sys
from typing import Any


def furnish(wish: dict[str, Any]) -> None:
    """Make the people, the algorithm and the campaign that are wished for."""
    from webapp.accounts.actions import create_person
    from webapp.algorithms.baseline import register_baseline
    from webapp.audit.actor import SYSTEM
    from webapp.campaigns.actions import REVIEW, add_member, create_campaign
    from webapp.campaigns.protocols import PRESETS, stored_stages
    from webapp.masks.presets import study_label_set

    preset = PRESETS[wish["preset"]] if wish.get("preset") else None
    readers = sum(person["role"] == "radiologist" for person in wish["people"])
    campaign = create_campaign(
        slug=wish["slug"],
        name=wish["name"],
        label_set=study_label_set(),
        draft_algorithm=register_baseline(by=SYSTEM) if wish.get("draft", True) else None,
        stages=stored_stages(preset.stages) if preset else [{**s, "readers": max(1, readers)} for s in REVIEW],
        terms=dataclasses.replace(preset.terms, **wish["terms"]) if preset else None,
        by=SYSTEM,
    )
    for person in wish["people"]:
        user = create_person(
            username=person["username"],
            display_name=person["name"],
            password=person["password"],
            by=SYSTEM,
        )
        if person["role"] != "outsider":
            add_member(campaign=campaign, user=user, role=person["role"], by=SYSTEM)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    furnish(json.loads(sys.argv[1]))
