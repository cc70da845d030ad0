"""What a search may ask for, and the sentence for everything else. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.dicomweb.faults import BadRequest
from webapp.dicomweb.parameters import MOST_RESULTS, read_search


def search(level: str = "study", **query: str):
    return read_search(level, [(name, [value]) for name, value in query.items()])


def test_keywords_and_tags_name_the_same_key():
    by_keyword, by_tag = search(PatientID="GG-1"), search(**{"00100020": "GG-1"})
    assert by_keyword.keys == by_tag.keys
    assert by_keyword.keys[0].attribute.keyword == "PatientID"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("20240105", ("20240105", "20240105")),
        ("20240101-20240131", ("20240101", "20240131")),
        ("20240101-", ("20240101", "")),
        ("-20240131", ("", "20240131")),
    ],
)
def test_dates_are_days_or_ranges(text, span):
    assert search(StudyDate=text).keys[0].span == span


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"StudyDate": "2024-01-05"}, "StudyDate is written 20240101"),
        ({"StudyDate": "20241301"}, "StudyDate is written"),
        ({"StudyDate": "-"}, "StudyDate is written"),
        ({"StudyTime": "9"}, "StudyTime is written 0830"),
        ({"StudyTime": "2561"}, "StudyTime is written"),
        ({"StudyInstanceUID": "1.2.x"}, "This is no StudyInstanceUID: 1.2.x"),
        ({"StudyInstanceUID": "1.02"}, "This is no StudyInstanceUID"),
        ({"StudyInstanceUID": "1." * 40 + "1"}, "at most 64"),
        ({"limit": "many"}, "limit is a number"),
        ({"limit": "-1"}, "limit is a number"),
        ({"offset": "1e3"}, "offset is a number"),
        ({"offset": "٣"}, "offset is a number"),
        ({"fuzzymatching": "perhaps"}, "fuzzymatching is true or false"),
        ({"Nonsense": "x"}, "Nonsense is no parameter"),
        ({"' OR 1=1 --": "x"}, "is no parameter"),
        ({"0010002": "x"}, "is no parameter"),
        ({"PatientName": "a\0b"}, "NUL"),
        ({"PatientName": "x" * 300}, "longer than any"),
        ({"Modality": "CT"}, "Modality belongs to series"),
        ({"SOPInstanceUID": "1.2"}, "SOPInstanceUID belongs to instances"),
        ({"KVP": "120"}, "does not search by KVP. It searches by StudyDate"),
        ({"NumberOfStudyRelatedSeries": "3"}, "does not search by"),
        ({"PatientID": "a", "00100020": "b"}, "more than once, by keyword and by tag"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(query, words):
    with pytest.raises(BadRequest) as refused:
        search(**query)
    assert words in refused.value.sentence


def test_a_key_may_stand_once():
    with pytest.raises(BadRequest, match="more than once"):
        read_search("study", [("PatientID", ["a", "b"])])


def test_uid_lists_are_split_at_commas_and_backslashes():
    assert search(StudyInstanceUID="1.2,1.3\\1.4").keys[0].values == ("1.2", "1.3", "1.4")
    with pytest.raises(BadRequest, match="At most"):
        search(StudyInstanceUID=",".join(["1.2"] * 1001))


def test_empty_keys_and_lone_stars_match_everything_and_ask_for_the_attribute():
    for value in ("", "*", "**"):
        asked = search(PatientSex=value)
        assert asked.keys == []
        assert asked.include == {"00100040"}


def test_fields_are_asked_for_by_list_by_repetition_and_all():
    asked = read_search("study", [("includefield", ["00081030,PatientSex", "00080061", "Nonsense"])])
    assert asked.include == {"00081030", "00100040", "00080061"}
    assert read_search("study", [("includefield", ["all"])]).everything


def test_limits_are_cut_at_the_servers_own():
    assert search(limit="99999999999").limit == MOST_RESULTS
    assert search(limit="0").limit == 0


def test_fuzzy_matching_is_refused_in_the_standards_words():
    asked = search(fuzzymatching="true", PatientName="x")
    assert asked.warnings == ["The fuzzymatching parameter is not supported. Only literal matching has been performed."]
    assert search(fuzzymatching="false").warnings == []


def test_keys_of_the_request_match_nothing_since_nothing_of_it_is_kept():
    asked = search("series", **{"00400275.00401001": "R1"})
    assert asked.keys[0].attribute.match == "empty"


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=80), max_size=4), st.sampled_from(["study", "instance"]))
def test_no_query_breaks_the_reading_of_it(query, level):
    try:
        found = read_search(level, [(name, [value]) for name, value in query.items()])
    except BadRequest:
        return
    assert 0 <= found.limit <= MOST_RESULTS
