"""OHIF, as its package brings it, opens a case with its signed mask from our DICOMweb root, by proxy and token."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.bench.peers import Missing, get_ohif
from tests.journeys.fixtures import furnished_case
from tests.journeys.formats import read_mask_container
from tests.journeys.ohif import running_ohif
from tests.journeys.program import Program
from tests.journeys.site import PATIENCE_S, Site, wait_until

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.slow]
PATIENCE_MS = PATIENCE_S * 1000
# Every image of the labelmap that OHIF made of the SEG: which CT image it lies on, and where its voxels are.
LABELMAP = """() => {
  const [segmentation] = window.cornerstoneTools?.segmentation.state.getSegmentations() ?? [];
  const ids = segmentation?.representationData.Labelmap?.imageIds ?? [];
  const images = ids.map((id) => window.cornerstone.cache.getImage(id));
  if (!images.length || images.some((image) => !image)) return null;
  return images.map((image) => {
    const voxels = [];
    image.voxelManager.getScalarData().forEach((value, at) => value && voxels.push([at, value]));
    return [image.referencedImageId, voxels];
  });
}"""


def test_ohif_lists_the_study_and_opens_the_scan_with_its_signed_mask(site: Site, browser: Browser) -> None:
    try:
        pages = get_ohif()
    except Missing as missing:
        pytest.skip(str(missing))
    slug, people = furnished_case(site, "ohif", "coordinator", "radiologist")
    program = Program(site, people["radiologist"])
    reading_id = program.start_and_sign(slug, 1)
    (study,) = wait_until("the study", program.dicomweb(slug).search_for_studies)
    study_uid, pseudonym = study["0020000D"]["Value"][0], study["00100020"]["Value"][0]
    wait_until("the mask's objects", lambda: len(program.dicomweb(slug).search_for_series(study_uid)) == 7)
    context = browser.new_context(viewport={"width": 1500, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    with running_ohif(pages, site, slug, program.token) as (address, log):
        page.goto(address)
        expect(page.get_by_text(pseudonym).first).to_be_visible()
        page.get_by_text("Confirm and hide").click()
        page.goto(f"{address}/segmentation?StudyInstanceUIDs={study_uid}")
        for words in ("Lung 1.0", "Findings, signed by", "Lungs, signed by", "Measurements, signed"):
            expect(page.get_by_text(words).first).to_be_visible()
        page.get_by_text("Findings, signed by").first.dblclick()
        found = loaded(page)
        instances = program.dicomweb(slug).search_for_instances(study_uid, search_filters={"Modality": "CT"})
        context.close()
    order = [one["00080018"]["Value"][0] for one in instances]
    signed, _ = read_mask_container(program.get(f"/api/readings/{reading_id}/mask/").content)
    opened = np.zeros_like(signed["findings"])
    for image_id, voxels in found:
        (z,) = [z for z, uid in enumerate(order) if f"/instances/{uid}/" in image_id]
        for at, value in voxels:
            opened[z].reshape(-1)[at] = value
    assert signed["findings"].any()
    assert np.array_equal(opened, (signed["findings"] == 1).astype(np.uint8))
    assert np.array_equal(signed["findings"] > 0, signed["findings"] == 1)
    assert {line.split()[0] for line in log} == {"200"}, log
    assert any("/frames/1" in line for line in log)


def loaded(page: Page) -> list[tuple[str, list[tuple[int, int]]]]:
    """The labelmap of the one segmentation that OHIF holds, once all of it is there."""
    result: Any = wait_until("OHIF's labelmap", lambda: page.evaluate(LABELMAP))
    return result
