"""`manage.py load_demonstration`: a campaign of synthetic chests, and people to read them."""

import secrets
import tempfile
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from inference.phantoms.chest import make_phantom
from inference.phantoms.series import write_dicom_series
from webapp.accounts.actions import create_person, set_administrator, set_campaign_right
from webapp.accounts.events import CAMPAIGN_RIGHT_SET
from webapp.algorithms.baseline import register_baseline
from webapp.algorithms.queries import runnable_algorithms
from webapp.algorithms.shipped import register_shipped
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.campaigns.actions import add_case, add_guideline_picture, add_member, create_campaign, write_guideline
from webapp.campaigns.algorithm_actions import enable_algorithm
from webapp.campaigns.models import Campaign
from webapp.campaigns.protocols import PRESETS, stored_stages
from webapp.campaigns.queries import current_protocol
from webapp.intake.management.illustrations import guideline_pictures, guideline_text
from webapp.masks.presets import study_label_set

SLUG = "demonstration"
PEOPLE = [
    ("coordinator", "Clara Meyer", ["coordinator"], None),
    ("radiologist", "Dr Robin Lindqvist", ["radiologist"], 15),
    ("radiologist2", "Dr Amara Okafor", ["radiologist"], 5),
    ("technician", "Kim Park", ["technician"], 3),
    ("adjudicator", "Dr Ines Costa", ["adjudicator"], 22),
    ("auditor", "Otto Brandt", ["auditor"], None),
    ("administrator", "Sam Ferreira", [], None),
]
# The same scans and people under the workflows that the product was made for.
WORKFLOWS = {"draft_and_review": "study-protocol", "double_reading": "double-reading"}
REVIEWERS = ("coordinator", "radiologist")
SEEDS = (11, 12, 13)


class Command(BaseCommand):
    help = "Make the demonstration campaign and its people, where they are not there yet; prints the log-ins once."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            register_shipped(by=SYSTEM)
        except ActionRefused as refused:
            self.stderr.write(refused.sentence)  # people read without it
        if not Campaign.objects.filter(slug=SLUG).exists():
            self._make_campaign()
        campaign = Campaign.objects.get(slug=SLUG)
        if not current_protocol(campaign).guideline:
            self._write_guideline(campaign)
        missing = SEEDS[campaign.cases.count() :]
        for seed in missing:
            self.stdout.write(f"  A synthetic chest is being scanned ({SEEDS.index(seed) + 1} of {len(SEEDS)}) ...")
            with tempfile.TemporaryDirectory(prefix="groundglass-") as folder:
                phantom = make_phantom(seed, shape_zyx=(112, 288, 288), spacing_zyx_mm=(2.75, 1.15, 1.15))
                write_dicom_series(phantom, Path(folder), patient_name=f"Phantom^{seed}", patient_id=f"PHANTOM-{seed}")
                call_command("ingest", folder, campaign=SLUG, no_hold=True, stdout=self.stdout)
        for preset, slug in WORKFLOWS.items():
            self._show_workflow(campaign, preset, slug)
        self._let_review(campaign)

    @transaction.atomic
    def _let_review(self, campaign: Campaign) -> None:
        """Let its coordinator make campaigns, and its radiologists review scans of their own, where none was said so.

        What an administrator took from somebody is not given anew.
        """
        said = set(Event.objects.filter(name=CAMPAIGN_RIGHT_SET).values_list("subject", flat=True))
        for member in campaign.memberships.filter(role__in=REVIEWERS).select_related("user"):
            if f"person:{member.user_id}" not in said:
                set_campaign_right(user=member.user, allowed=True, by=SYSTEM)

    @transaction.atomic
    def _show_workflow(self, like: Campaign, preset: str, slug: str) -> None:
        """A campaign of a preset with the demonstration's people and scans, where it is not there yet."""
        chosen = PRESETS[preset]
        campaign = Campaign.objects.filter(slug=slug).first()
        if campaign is None:
            campaign = create_campaign(
                slug=slug,
                name=f"Demonstration: {chosen.title.lower()}",
                label_set=like.label_set,
                draft_algorithm=like.draft_algorithm,
                stages=stored_stages(chosen.stages),
                terms=chosen.terms,
                by=SYSTEM,
            )
            for member in like.memberships.select_related("user"):
                add_member(campaign=campaign, user=member.user, role=member.role, by=SYSTEM)
        there = campaign.cases.values("scan")
        for case in like.cases.exclude(scan__in=there).select_related("scan").order_by("number"):
            add_case(campaign=campaign, scan=case.scan, by=SYSTEM)

    @transaction.atomic
    def _write_guideline(self, campaign: Campaign) -> None:
        self.stdout.write("  The pictures of its guideline are being drawn ...")
        for file_name, content in guideline_pictures(campaign.label_set).items():
            add_guideline_picture(campaign=campaign, file_name=file_name, content=content, by=SYSTEM)
        known_version = current_protocol(campaign).version
        write_guideline(campaign=campaign, text=guideline_text(), known_version=known_version, by=SYSTEM)

    def _make_campaign(self) -> None:
        lines = []
        with transaction.atomic():
            baseline = register_baseline(by=SYSTEM)
            campaign = create_campaign(
                slug=SLUG,
                name="Demonstration",
                label_set=study_label_set(),
                draft_algorithm=baseline,
                by=SYSTEM,
            )
            for algorithm in runnable_algorithms().exclude(pk=baseline.pk):
                enable_algorithm(campaign=campaign, algorithm=algorithm, by=SYSTEM)
            for username, display_name, roles, years in PEOPLE:
                password = "-".join(secrets.token_hex(2) for _ in range(4))
                person = create_person(
                    username=username,
                    display_name=display_name,
                    password=password,
                    by=SYSTEM,
                    experience_years=years,
                )
                for role in roles:
                    add_member(campaign=campaign, user=person, role=role, by=SYSTEM)
                if not roles:
                    set_administrator(user=person, allowed=True, by=SYSTEM)
                what = " and ".join(roles) or "administrator of the site: its people, its trail"
                lines.append(f"  {username:<14} {password}   {display_name}, {what}")
        self.stdout.write("Log-ins of the demonstration (shown this once; each can be changed after signing in):")
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()
