"""The report of a signed reading: one page that says what was measured, by whom, and for what it is not."""

import io

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from tests.factories.filed import a_filed_place, letter_f, read_and_sign
from tests.webapp.releases.conftest import body_of, client_of
from webapp.archive.models import Scan
from webapp.audit.models import Event
from webapp.releases.measurements import measured
from webapp.releases.report_pictures import key_slices, report_pictures

pytestmark = pytest.mark.django_db
REPORT = "/campaigns/covid/cases/1/exports/report.pdf"


def texts_of(content: bytes) -> tuple[int, str]:
    """How many pages a PDF has, and its words."""
    pages = PdfReader(io.BytesIO(content)).pages
    return len(pages), "\n".join(page.extract_text() for page in pages)


def test_report_says_what_was_measured_by_whom_on_one_page(place, signed):
    answer = client_of(place.reader).get(REPORT)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    count, words = texts_of(body_of(answer))
    values = measured(signed.signature.version).values
    assert count == 1
    for expected in (
        f"{values['extent_percent']:.2f} %",
        f"{values['weight_g']:,.1f} g",
        f"{values['lung_volume_ml']:,.0f} mL",
        "For research only",
        "Covid-Reader",
        "Classical baseline 1",
        place.case.scan.study.patient.pseudonym,
        signed.signature.version_sha256[:16],
        signed.signature.statement[:30],
        "Contrast medium was given",
        "slice ",
    ):
        assert expected in words, expected
    event = Event.objects.get(name="export.downloaded")
    assert event.content["details"]["versions"] == [signed.signature.version_sha256]


def test_nobody_else_gets_it(place, signed):
    assert client_of(place.outsider).get(REPORT).status_code == 404
    assert client_of(place.other_reader).get(REPORT).status_code == 409


def test_pictures_lie_as_readers_expect(place, signed):
    """The letter's colours stand where its voxels are, in a scan that is filed prone or supine alike."""
    axial, coronal = report_pictures(signed.signature.version)
    assert len(axial) == 6
    picture = np.asarray(Image.open(io.BytesIO(axial[2].png))).astype(int)
    orange = (picture[..., 0] - picture[..., 2]) > 60
    rows, columns = np.nonzero(orange)
    # The letter is drawn from a fifth of the width of the file's grid on; the F's beam is at its front.
    assert rows.size > 20
    assert columns.mean() < picture.shape[1] / 2
    plane = np.asarray(Image.open(io.BytesIO(coronal.png))).astype(int)
    # The letter grows towards the head: its upper half is wider.
    orange = (plane[..., 0] - plane[..., 2]) > 60
    marked = np.nonzero(orange.any(axis=1))[0]
    upper, lower = np.array_split(orange[marked[0] : marked[-1] + 1], 2)
    assert upper.sum() > lower.sum()


def test_key_slices_share_the_lesion_and_fall_back_to_all():
    held = np.array([0, 0, 10, 10, 10, 10, 10, 10, 0], np.int64)
    assert key_slices(held) == [2, 3, 4, 5, 6, 7]
    assert key_slices(np.array([0, 600, 0], np.int64)) == [1]
    assert key_slices(np.zeros(12, np.int64)) == [0, 2, 4, 6, 8, 10]


def test_an_empty_mask_has_a_report_too(tmp_path):
    place = a_filed_place(tmp_path, slug="empty")
    read_and_sign(place.case, place.reader, letter_f(place.volume.shape_zyx) * 0)
    _, words = texts_of(body_of(client_of(place.reader).get("/campaigns/empty/cases/1/exports/report.pdf")))
    assert "0.00 %" in words


def test_a_report_of_a_scan_whose_pixels_are_missing_is_refused_in_words(place, signed):
    measured(signed.signature.version)
    Scan.objects.filter(pk=place.case.scan_id).update(slabs=[])
    answer = client_of(place.reader).get(REPORT)
    assert answer.status_code == 409
    assert "missing or damaged" in answer.content.decode()
