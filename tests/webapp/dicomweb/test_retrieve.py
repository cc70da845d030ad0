"""WADO-RS over a filed case: instances, metadata, frames, bulk data and pictures, equal to what was filed."""

import io
import json
from email.parser import BytesParser

import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image
from pydicom import Dataset, dcmread

from tests.webapp.dicomweb.conftest import ROOT, client_of
from webapp.archive.models import DerivedObject, Series
from webapp.archive.queries import files_of, instances_of
from webapp.audit.models import Event

EXPLICIT = "1.2.840.10008.1.2.1"
OCTETS = 'multipart/related; type="application/octet-stream"'
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")


def parts_of(answer) -> list[tuple[dict[str, str], bytes]]:
    """Headers and bytes of each part of a multipart answer, by the standard library's reading of RFC 2046."""
    assert answer.status_code == 200, answer.content[:300]
    body = b"".join(answer) if answer.streaming else answer.content
    whole = b"Content-Type: " + answer.headers["Content-Type"].encode() + b"\r\n\r\n" + body
    message = BytesParser().parsebytes(whole)
    assert message.is_multipart()
    found = []
    boundary = b"--" + message.get_boundary().encode()
    for piece in body.split(boundary + b"\r\n")[1:]:
        head, _, rest = piece.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        content = rest[: int(headers["Content-Length"])]
        assert rest[len(content) :] in (b"\r\n", b"\r\n" + boundary + b"--\r\n")
        found.append((headers, content))
    assert body.endswith(boundary + b"--\r\n")
    return found


@pytest.fixture
def reader(place):
    return client_of(place.reader)


@pytest.fixture
def study(place) -> str:
    return f"{ROOT}/studies/{place.case.scan.study.uid}"


@pytest.fixture
def series(place, study) -> str:
    return f"{study}/series/{place.case.scan.series_uid}"


@pytest.fixture
def instance(place, series) -> str:
    return f"{series}/instances/{instances_of(place.case.scan)[5].sop_uid}"


# Instances


def test_instances_of_a_series_are_the_filed_files_in_order(place, reader, series):
    parts = parts_of(reader.get(series))
    assert [content for _, content in parts] == list(files_of(place.case.scan))
    for (headers, content), row in zip(parts, instances_of(place.case.scan), strict=True):
        assert headers["Content-Type"] == f"application/dicom; transfer-syntax={EXPLICIT}"
        assert headers["Content-Location"].endswith(f"/instances/{row.sop_uid}")
        assert dcmread(io.BytesIO(content)).SOPInstanceUID == row.sop_uid


def test_a_study_brings_the_images_and_what_was_made_of_them(place, signed, reader, study):
    kinds = [dcmread(io.BytesIO(content)).Modality for _, content in parts_of(reader.get(study))]
    assert kinds == ["CT"] * 14 + ["SEG", "SEG", "SR"] * 2


def test_one_instance_comes_in_an_envelope_or_alone(place, reader, instance):
    ((_, content),) = parts_of(reader.get(instance))
    alone = reader.get(instance, headers={"Accept": "application/dicom"})
    assert alone.headers["Content-Type"] == f"application/dicom; transfer-syntax={EXPLICIT}"
    assert alone.content == content == list(files_of(place.case.scan))[5]


def test_a_series_is_streamed_file_by_file(place, reader, series, monkeypatch):
    """No file is read before its turn: the first is out before the second is touched."""
    from webapp.dicomweb import holdings

    read: list[str] = []
    plain = holdings.instance_bytes
    monkeypatch.setattr(holdings, "instance_bytes", lambda row: (read.append(row.sop_uid), plain(row))[1])
    answer = reader.get(series)
    assert read == []
    assert answer.is_async
    pieces = iter(answer)
    next(pieces)
    assert len(b"".join(pieces)) > 0
    assert len(read) == 14


def test_the_same_request_is_the_same_answer_and_is_not_sent_twice(reader, series, instance):
    for address in (series, instance, f"{series}/metadata", f"{instance}/frames/1", f"{instance}/rendered"):
        first_answer, second = reader.get(address), reader.get(address)
        assert first_answer.headers["ETag"] == second.headers["ETag"]
        assert b"".join(first_answer) == b"".join(second)
        assert "private" in first_answer.headers["Cache-Control"]
        assert {"Accept", "Authorization", "Cookie"} <= set(first_answer.headers["Vary"].split(", "))
        known = reader.get(address, headers={"If-None-Match": first_answer.headers["ETag"]})
        assert (known.status_code, known.content) == (304, b"")


def test_kept_for_ever_is_only_what_never_changes(reader, study, series, instance):
    for address in (instance, f"{instance}/frames/1", f"{instance}/rendered", f"{instance}/thumbnail"):
        assert "immutable" in reader.get(address).headers["Cache-Control"]
    for address in (study, series, f"{study}/metadata", f"{series}/rendered"):
        assert "no-cache" in reader.get(address).headers["Cache-Control"]


def test_a_name_that_is_known_opens_nothing_for_who_may_not(place, reader, instance):
    etag = reader.get(instance).headers["ETag"]
    assert client_of(place.outsider).get(instance, headers={"If-None-Match": etag}).status_code == 404


# Metadata


def test_metadata_is_the_header_of_each_file(place, reader, series):
    models = reader.get(f"{series}/metadata").json()
    assert len(models) == 14
    for model, content in zip(models, files_of(place.case.scan), strict=True):
        header = dcmread(io.BytesIO(content), stop_before_pixels=True)
        read = Dataset.from_json(model, bulk_data_uri_handler=lambda *_: None)
        del read.PixelData
        assert "SpecificCharacterSet" not in header
        assert {e.tag: e.value for e in read} == {e.tag: e.value for e in header}


def test_addresses_of_bulk_data_lead_to_the_pixels(place, reader, instance):
    (model,) = reader.get(f"{instance}/metadata").json()
    address = model["7FE00010"]["BulkDataURI"]
    assert address == f"http://testserver{instance}/bulkdata/7FE00010"
    ((headers, content),) = parts_of(reader.get(address.removeprefix("http://testserver")))
    assert headers["Content-Type"].startswith("application/octet-stream")
    assert np.array_equal(np.frombuffer(content, "<i2").reshape(48, 64) - 1024, place.volume.hu[5])


def test_metadata_of_a_segmentation_and_a_report_is_whole(place, signed, reader, study):
    for row in Series.objects.filter(made_from=signed.signature.version.pk):
        (model,) = reader.get(f"{study}/series/{row.uid}/metadata").json()
        read = Dataset.from_json(model, bulk_data_uri_handler=lambda *_: None)
        assert read.Modality == row.modality
        assert ("PixelData" in read) == (row.modality == "SEG")
        if row.modality == "SEG":
            assert len(read.PerFrameFunctionalGroupsSequence) == read.NumberOfFrames


def test_hostile_words_in_headers_stay_words(place, reader, series):
    from inference.imaging.dicomjson import header_json, with_addresses

    header = Dataset()
    header.SeriesDescription = '"BulkDataURI":"@/7FE00010'
    header.PatientComments = "</script>\\\u2028"
    text = with_addresses(header_json(header), 'http://a/b"c')
    assert json.loads(text)["0008103E"]["Value"] == ['"BulkDataURI":"@/7FE00010']


# Frames and bulk data


def hu_of(content: bytes) -> np.ndarray:
    """The phantom's HU from plain frame bytes: it is written with an intercept of -1024 or none."""
    return np.frombuffer(content, "<i2")


def test_frames_are_the_filed_voxels(place, reader, series):
    for z, row in enumerate(instances_of(place.case.scan)):
        ((headers, content),) = parts_of(reader.get(f"{series}/instances/{row.sop_uid}/frames/1"))
        assert headers["Content-Type"] == f"application/octet-stream; transfer-syntax={EXPLICIT}"
        header = dcmread(io.BytesIO(list(files_of(place.case.scan))[z]), stop_before_pixels=True)
        voxels = np.frombuffer(content, "<i2" if header.PixelRepresentation else "<u2").astype(int)
        hu = voxels * int(header.RescaleSlope) + int(header.RescaleIntercept)
        assert np.array_equal(hu.reshape(48, 64), place.volume.hu[z])


def test_frames_of_a_segmentation_are_its_bits(place, signed, reader, study):
    row = DerivedObject.objects.get(made_from=signed.signature.version.pk, kind="findings")
    base = f"{study}/series/{row.series.uid}/instances/{row.sop_uid}"
    from webapp.archive.derived import object_bytes

    seg = dcmread(io.BytesIO(object_bytes(row)))
    pixels = seg.pixel_array
    parts = parts_of(reader.get(f"{base}/frames/3,1,{seg.NumberOfFrames}"))
    for (_, content), number in zip(parts, (3, 1, seg.NumberOfFrames), strict=True):
        bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")[: 48 * 64].reshape(48, 64)
        assert np.array_equal(bits, pixels[number - 1])
    ((_, whole),) = parts_of(reader.get(f"{base}/bulkdata/7FE00010"))
    assert whole == seg.PixelData


@pytest.mark.parametrize(
    ("numbers", "status", "words"),
    [
        ("0", 400, "counted from 1"),
        ("1,2", 404, "has 1 frame."),
        ("1,,2", 400, "separated by commas"),
        ("-1", 400, "separated by commas"),
        ("9999999", 400, "separated by commas"),
        ("1;DROP", 400, "separated by commas"),
        ("٣", 400, "separated by commas"),
    ],
)
def test_frames_that_are_not_there(reader, instance, numbers, status, words):
    answer = reader.get(f"{instance}/frames/{numbers}")
    assert (answer.status_code, words in answer.json()["sentence"]) == (status, True)
    assert reader.get(f"{instance}/frames/{numbers}/rendered").status_code == status


def test_a_report_has_no_frames_and_no_picture(place, signed, reader, study):
    row = DerivedObject.objects.get(made_from=signed.signature.version.pk, kind="report")
    base = f"{study}/series/{row.series.uid}/instances/{row.sop_uid}"
    for name in ("frames/1", "rendered", "thumbnail", "bulkdata/7FE00010"):
        assert reader.get(f"{base}/{name}").status_code == 404, name


def test_bulk_data_of_a_whole_series_is_a_part_an_image(place, reader, series, study):
    for address in (f"{series}/bulkdata", f"{study}/bulkdata"):
        parts = parts_of(reader.get(address))
        assert len(parts) == 14 + (2 if address.startswith(f"{study}/bulk") else 0)
        assert all(headers["Content-Location"].endswith("/bulkdata/7FE00010") for headers, _ in parts)


@pytest.mark.parametrize("tag", ["00100010", "7FE00011", "nonsense", "..", "7FE0001", "7fe00010x"])
def test_bulk_data_that_is_not_there(reader, instance, tag):
    answer = reader.get(f"{instance}/bulkdata/{tag}")
    assert answer.status_code in (400, 404)
    assert reader.get(f"{instance}/bulkdata/7fe00010").status_code == 200


# Pictures


def picture(answer) -> Image.Image:
    assert answer.status_code == 200, answer.content
    return Image.open(io.BytesIO(answer.content))


def test_a_rendered_image_is_windowed_by_the_formula(place, reader, instance):
    answer = reader.get(f"{instance}/rendered", {"window": "-600,1500,linear"}, headers={"Accept": "image/png"})
    assert answer.headers["Content-Type"] == "image/png"
    grey = np.asarray(picture(answer))
    hu = place.volume.hu[5].astype(float)
    expected = np.clip((hu - (-600 - 0.5)) / (1500 - 1) + 0.5, 0, 1) * 255
    assert np.abs(grey - expected).max() <= 0.5001


def test_window_functions_differ_as_the_standard_says(place, reader, instance):
    hu = place.volume.hu[5].astype(float)
    exact = np.clip((hu + 600) / 1500 + 0.5, 0, 1) * 255
    sigmoid = 255 / (1 + np.exp(-4 * (hu + 600) / 1500))
    for function, expected in (("linear-exact", exact), ("sigmoid", sigmoid)):
        query = {"window": f"-600,1500,{function}", "accept": "image/png"}
        grey = np.asarray(picture(reader.get(f"{instance}/rendered", query)))
        assert np.abs(grey - expected).max() <= 0.5001


def test_viewport_crops_scales_and_mirrors_without_distortion(reader, instance):
    def rendered(viewport: str) -> Image.Image:
        return picture(reader.get(f"{instance}/rendered", {"viewport": viewport, "accept": "image/png"}))

    whole = picture(reader.get(f"{instance}/rendered", {"accept": "image/png"}))
    assert whole.size == (64, 48)
    assert rendered("128,128").size == (128, 96)
    assert rendered("32,240").size == (32, 24)
    crop = rendered("16,12,8,4,16,12")
    assert np.array_equal(np.asarray(crop), np.asarray(whole)[4:16, 8:24])
    mirrored = rendered("64,48,,,-64,")
    assert np.array_equal(np.asarray(mirrored), np.asarray(whole)[:, ::-1])
    assert np.array_equal(np.asarray(rendered("64,48,0,0,64,-48")), np.asarray(whole)[::-1])


@pytest.mark.parametrize(
    "query",
    [
        {"window": "-600"},
        {"window": "-600,0,linear"},
        {"window": "-600,1500,curved"},
        {"window": "nan,1500,linear"},
        {"window": "-600,inf,linear"},
        {"viewport": "0,10"},
        {"viewport": "10"},
        {"viewport": "99999,99999"},
        {"viewport": "10,10,60,0,20,20"},
        {"viewport": "10,10,a"},
        {"viewport": "1,1,1,1,1,1,1"},
        {"quality": "0"},
        {"quality": "101"},
        {"quality": "good"},
        {"annotation": "everything"},
    ],
)
def test_wishes_that_make_no_sense_get_a_sentence(reader, instance, query):
    answer = reader.get(f"{instance}/rendered", query)
    assert answer.status_code == 400
    assert answer.json()["sentence"].endswith((".", "256."))


def test_annotations_are_not_burned_in_and_that_is_said(reader, instance):
    answer = reader.get(f"{instance}/rendered", {"annotation": "patient,technique"})
    assert answer.status_code == 200
    assert answer.headers["Warning"].endswith("annotation values are not supported: patient, technique")


def test_jpeg_is_the_default_and_quality_changes_its_size(reader, instance):
    sizes = [len(reader.get(f"{instance}/rendered", {"quality": quality}).content) for quality in ("5", "100")]
    assert sizes[0] < sizes[1]
    assert picture(reader.get(f"{instance}/rendered")).format == "JPEG"
    assert picture(reader.get(f"{instance}/rendered", headers={"Accept": "image/gif"})).format == "GIF"
    assert reader.get(f"{instance}/rendered", headers={"Accept": "image/webp"}).status_code == 406


def test_a_rendered_series_is_a_picture_an_image(reader, series):
    parts = parts_of(reader.get(f"{series}/rendered", headers={"Accept": 'multipart/related; type="image/png"'}))
    assert len(parts) == 14
    assert all(Image.open(io.BytesIO(content)).size == (64, 48) for _, content in parts)


def test_thumbnails_at_every_level(reader, study, series, instance):
    for address in (study, series, instance, f"{instance}/frames/1"):
        small = picture(reader.get(f"{address}/thumbnail"))
        assert max(small.size) == 128
        assert picture(reader.get(f"{address}/thumbnail", {"viewport": "32,32"})).size == (32, 24)
        assert reader.get(f"{address}/thumbnail", {"viewport": "32,32,1,1,2,2"}).status_code == 400


def test_a_segmentation_can_be_looked_at(place, signed, reader, study):
    row = DerivedObject.objects.get(made_from=signed.signature.version.pk, kind="anatomy")
    answer = reader.get(f"{study}/series/{row.series.uid}/instances/{row.sop_uid}/rendered?accept=image/png")
    assert set(np.unique(np.asarray(picture(answer)))) == {0, 255}


# Damage


def damage(path: str) -> None:
    with open(default_storage.path(path), "r+b") as file:
        file.seek(200)
        file.write(b"damage")


def test_a_damaged_file_is_never_handed_out(place, reader, study, series, instance):
    row = instances_of(place.case.scan)[5]
    damage(row.path)
    for address in (instance, f"{instance}/frames/1", f"{instance}/rendered", f"{instance}/bulkdata/7FE00010"):
        answer = reader.get(address)
        assert answer.status_code == 500, address
        assert answer.json()["error"] == "damaged"
    assert reader.get(f"{instance}/metadata").status_code == 200  # read before the damage, at filing


def test_an_answer_that_breaks_on_the_way_has_no_end(place, reader, series, caplog):
    damage(instances_of(place.case.scan)[5].path)
    answer, body = reader.get(series), b""
    with pytest.raises(Exception, match="checksum differs"):  # noqa: PT012
        for piece in answer:
            body += piece
    assert not body.rstrip().endswith(b"--")
    assert "broken off" in caplog.text


def test_a_missing_object_is_damage_too(place, signed, reader, study):
    row = DerivedObject.objects.get(made_from=signed.signature.version.pk, kind="report")
    default_storage.delete(row.path)
    answer = reader.get(f"{study}/series/{row.series.uid}/instances/{row.sop_uid}")
    assert (answer.status_code, answer.json()["error"]) == (500, "damaged")


# The trail


def events() -> list[tuple[str, dict]]:
    rows = Event.objects.filter(name__startswith="series.").order_by("id")
    return [(row.name, row.content["details"]) for row in rows]


def test_looking_through_a_series_is_one_event_and_taking_it_another(place, reader, series, instance):
    reader.get(f"{series}/metadata")
    for _ in range(3):
        reader.get(f"{instance}/frames/1")
        reader.get(f"{instance}/rendered")
    assert [name for name, _ in events()] == ["series.viewed"]
    b"".join(reader.get(series))
    reader.get(instance, headers={"Accept": "application/dicom"})
    assert [name for name, _ in events()] == ["series.viewed", "series.downloaded"]
    details = events()[0][1]
    assert details["series"] == [place.case.scan.series_uid]
    assert details["scans"] == [str(place.case.scan.pk)]
    assert details["token"].startswith("gg_")
    assert Event.objects.get(name="series.viewed").chain == f"campaign:{place.campaign.pk}"


def test_each_series_and_each_person_is_noted_of_its_own(place, signed, reader, study, series):
    reader.get(f"{series}/metadata")
    reader.get(f"{study}/metadata")
    client_of(place.coordinator).get(f"{series}/metadata")
    lists = [details["series"] for _, details in events()]
    assert lists[0] == [place.case.scan.series_uid]
    assert len(lists[1]) == 6
    assert place.case.scan.series_uid not in lists[1]
    assert lists[2] == [place.case.scan.series_uid]
    versions = {version for _, details in events() for version in details["versions"]}
    assert str(signed.signature.version.pk) in versions


def test_a_later_sitting_is_noted_again(place, reader, series, monkeypatch):
    from datetime import timedelta

    from webapp.dicomweb import noting

    reader.get(f"{series}/metadata")
    monkeypatch.setattr(noting, "SITTING", timedelta(seconds=-1))
    reader.get(f"{series}/metadata", headers={"Accept": "application/json"})
    assert len(events()) == 2


def test_what_is_refused_is_no_look(place, reader, instance):
    reader.get(f"{instance}/frames/7")
    reader.get(instance, headers={"Accept": "text/html"})
    client_of(place.outsider).get(instance)
    assert events() == []


# The door


def test_the_door_of_a_root(place, instance, client):
    for address in (instance, f"{ROOT}/studies"):
        nobody = client.get(address)
        assert nobody.status_code == 401
        assert nobody.headers["WWW-Authenticate"].startswith("Bearer")
        outsider = client_of(place.outsider).get(address)
        assert (outsider.status_code, outsider.json()["error"]) == (404, "not_found")
    client.force_login(place.reader)
    assert client.get(instance).status_code == 200


def test_head_tells_without_the_body(reader, series, instance):
    for address in (series, instance):
        answer = reader.head(address)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["ETag"]
