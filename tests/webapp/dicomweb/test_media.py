"""Which form a client gets for what it accepts. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.dicomweb.faults import NotAcceptable
from webapp.dicomweb.media import Form, dicom_form, frames_form, header_form, picture_form, read_accept

EXPLICIT, LOSSLESS, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.1.99"
PARTS = 'multipart/related; type="{}"'


def dicom(accept: str | None, stored=(LOSSLESS,), count: int = 3) -> Form:
    return dicom_form(read_accept(accept), set(stored), count)


def frames(accept: str | None, stored: str = LOSSLESS, count: int = 1) -> Form:
    return frames_form(read_accept(accept), stored, count)


@pytest.mark.parametrize("accept", [None, "", "*/*", "multipart/related", PARTS.format("application/dicom")])
def test_instances_are_explicit_little_endian_parts_unless_something_else_is_asked_for(accept):
    assert dicom(accept) == Form("application/dicom", "", True)


@pytest.mark.parametrize("accept", ["multipart/related; type=application/dicom; transfer-syntax=*"])
def test_an_unquoted_type_is_understood(accept):
    assert dicom(accept) == Form("application/dicom", "*", True)


def test_a_named_transfer_syntax_is_given_where_everything_is_kept_in_it():
    wanted = PARTS.format("application/dicom") + f"; transfer-syntax={LOSSLESS}"
    assert dicom(wanted).syntax == LOSSLESS
    assert dicom(PARTS.format("application/dicom") + f"; transfer-syntax={EXPLICIT}").syntax == ""
    for stored in ((EXPLICIT,), (LOSSLESS, EXPLICIT)):
        with pytest.raises(NotAcceptable, match="transfer syntax"):
            dicom(wanted, stored)


def test_what_may_not_go_over_the_web_is_not_given_even_when_named():
    with pytest.raises(NotAcceptable):
        dicom(PARTS.format("application/dicom") + f"; transfer-syntax={DEFLATED}", (DEFLATED,))


def test_one_instance_may_come_alone_and_many_may_not():
    assert dicom("application/dicom", count=1) == Form("application/dicom", "", False)
    with pytest.raises(NotAcceptable):
        dicom("application/dicom", count=2)


def test_quality_values_order_what_is_accepted_and_zero_forbids_it():
    accept = f"image/png;q=0.2, {PARTS.format('application/dicom')}; transfer-syntax=*; q=0.5, application/json; q=0"
    assert dicom(accept) == Form("application/dicom", "*", True)
    assert picture_form(read_accept("image/jpeg;q=0.1, image/png"), ("image/jpeg", "image/png")) == "image/png"
    with pytest.raises(NotAcceptable):
        header_form(read_accept("application/dicom+json;q=0"))


@pytest.mark.parametrize("accept", ["text/html", "application/zip", "nonsense", ",;,", "image/png"])
def test_nothing_that_is_offered_is_406_with_what_there_is(accept):
    for choose in (dicom, frames, lambda text: header_form(read_accept(text))):
        if choose is frames and accept == "image/png":
            continue
        with pytest.raises(NotAcceptable) as refused:
            choose(accept)
        assert "come" in refused.value.sentence


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Form("application/octet-stream", "", True)),
        (PARTS.format("*/*"), Form("application/octet-stream", "", True)),
        (PARTS.format("application/octet-stream"), Form("application/octet-stream", "", True)),
        (
            "multipart/related; type=application/octet-stream; transfer-syntax=*",
            Form("application/octet-stream", "*", True),
        ),
        (PARTS.format("image/jpeg"), Form("image/jpeg", "*", True)),
        (PARTS.format("image/jpeg") + f"; transfer-syntax={LOSSLESS}", Form("image/jpeg", "*", True)),
        (PARTS.format("image/*"), Form("image/jpeg", "*", True)),
        ("image/jpeg", Form("image/jpeg", "*", False)),
        ("application/octet-stream", Form("application/octet-stream", "", False)),
    ],
)
def test_frames_come_plain_or_as_they_are_kept(accept, form):
    assert frames(accept) == form


def test_frames_that_no_client_could_decode_come_plain():
    retired = "1.2.840.10008.1.2.4.55"
    accept = "multipart/related; type=application/octet-stream; transfer-syntax=*"
    assert frames(accept, retired) == Form("application/octet-stream", "", True)
    with pytest.raises(NotAcceptable):
        frames(PARTS.format("image/jpeg"), retired)


def test_frames_of_another_compression_are_not_made():
    with pytest.raises(NotAcceptable, match="image/jpeg"):
        frames(PARTS.format("image/jls"))
    assert frames(PARTS.format("image/x-jls"), "1.2.840.10008.1.2.4.80").media_type == "image/jls"


def test_several_frames_never_come_alone():
    with pytest.raises(NotAcceptable):
        frames("application/octet-stream", count=2)


def test_headers_are_json_or_xml():
    assert header_form(read_accept("application/dicom+json, application/json")).media_type == "application/dicom+json"
    assert header_form(read_accept("application/json")).media_type == "application/json"
    assert header_form(read_accept(PARTS.format("application/dicom+xml"))).multipart
    assert header_form(read_accept(None)) == Form("application/dicom+json", "", False)


@given(st.text(max_size=200))
def test_no_header_breaks_the_reading_of_it(header):
    for choose in (dicom, frames):
        try:
            assert choose(header).media_type
        except NotAcceptable:
            continue
