"""Campaigns from before there were algorithms to enable may use what drafts in them."""

import pytest

from tests.webapp.archive.test_migrations import as_of

BEFORE = [("campaigns", "0007_measured_stages"), ("algorithms", "0001_algorithms_draft_runs")]


@pytest.mark.django_db(transaction=True)
def test_what_drafts_is_enabled_by_the_migration():
    with as_of(BEFORE) as old:
        named = {"name": "classical-baseline", "version": "1", "title": "Classical baseline"}
        algorithm = old.get_model("algorithms", "Algorithm").objects.create(entry="classical-baseline", **named)
        labels = old.get_model("masks", "LabelSet").objects.create(name="x", version=1, labels=[])
        campaigns = old.get_model("campaigns", "Campaign").objects
        campaigns.create(slug="drafted", name="Drafted", label_set=labels, draft_algorithm=algorithm)
        campaigns.create(slug="empty", name="Empty", label_set=labels)
    from webapp.campaigns.models import EnabledAlgorithm

    enabled = EnabledAlgorithm.objects.values_list("campaign__slug", "algorithm__name")
    assert list(enabled) == [("drafted", "classical-baseline")]
