"""The demonstration's guideline covers its label set, and every picture that it names is drawn."""

import io

import pytest
from PIL import Image

from tests.factories.sites import a_campaign
from webapp.audit.actor import SYSTEM
from webapp.campaigns.actions import add_guideline_picture, write_guideline
from webapp.campaigns.queries import guideline_html
from webapp.intake.management.illustrations import guideline_pictures, guideline_text

pytestmark = pytest.mark.django_db


def test_guideline_shows_every_label_with_a_picture():
    campaign = a_campaign()
    pictures = guideline_pictures(campaign.label_set)
    for file_name, content in pictures.items():
        assert Image.open(io.BytesIO(content)).format == "PNG"
        picture = add_guideline_picture(campaign=campaign, file_name=file_name, content=content, by=SYSTEM)
        assert picture.name == file_name
    protocol = write_guideline(campaign=campaign, text=guideline_text(), known_version=1, by=SYSTEM)
    html = guideline_html(protocol)
    assert html.count("<img") == len(pictures) == 9
    for label in campaign.label_set.labels:
        assert f"Label {label['value']}" in html
        assert label["name"].lower() in html.lower()
