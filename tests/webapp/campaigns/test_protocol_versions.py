"""Campaigns made by people, protocols in versions, configurations that travel."""

import json
import threading
from dataclasses import replace

import pytest
from django.db import connection

from tests.factories.sites import a_campaign, a_person, a_team, submit
from webapp.audit.actor import SYSTEM, Actor
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.audit.verify import faults
from webapp.campaigns.actions import add_case, open_campaign, set_protocol
from webapp.campaigns.configurations import (
    Configuration,
    configuration_from,
    configuration_of,
    configuration_of_document,
    document_of,
)
from webapp.campaigns.models import Campaign, Case, Protocol
from webapp.campaigns.protocols import PRESETS, Acceptance, Arms, Stage
from webapp.campaigns.queries import current_protocol, roles_of
from webapp.campaigns.wording import changes_of_version, facts_of_protocol
from webapp.masks.models import LabelSet
from webapp.masks.presets import LABELS, NAME
from webapp.readings.actions import start_reading
from webapp.readings.assignment_actions import assign_reading

pytestmark = pytest.mark.django_db
OWN_LABELS = [
    {"name": "Consolidation", "colour": "#e69f00", "is_exclusion": False, "counts_as_lung": True},
    {"name": "Effusion", "colour": "#56B4E9", "is_exclusion": True, "counts_as_lung": False},
]


def a_configuration(**changes: object) -> Configuration:
    preset = PRESETS["double_reading"]
    stages = [replace(stage, starts_from="empty") for stage in preset.stages[:1]] + preset.stages[1:]
    plain = Configuration(NAME, LABELS, None, stages, preset.terms, "I have read this scan.")
    return replace(plain, **changes)  # type: ignore[arg-type]


def a_maker() -> object:
    person = a_person("maya")
    person.may_create_campaigns = True
    person.save()
    return person


def changed(campaign: Campaign, by: object, known_version: int = 1, note: str = "", **terms: object) -> Protocol:
    now = current_protocol(campaign)
    return set_protocol(
        campaign=campaign,
        stages=now.stage_list,
        terms=replace(now.said, **terms),  # type: ignore[arg-type]
        statement=now.statement,
        note=note,
        known_version=known_version,
        by=by,
    )


def test_whoever_makes_a_campaign_coordinates_it():
    maker = a_maker()
    campaign = open_campaign(slug="lungs", name="Lungs", configuration=a_configuration(), by=maker)
    assert roles_of(maker, campaign) == {"coordinator"}
    assert current_protocol(campaign).stage_list[0].readers == 2
    assert Event.objects.get(name="campaign.created").content["details"]["coordinator"] == str(maker.pk)
    assert list(faults()) == []


def test_others_make_none():
    for by in (a_person("mallory"), Actor("algorithm", "x", "X")):
        with pytest.raises(ActionRefused, match="Only an administrator"):
            open_campaign(slug="lungs", name="Lungs", configuration=a_configuration(), by=by)
    assert not Campaign.objects.exists()
    root = a_person("root")
    root.is_superuser = True
    root.save()
    assert open_campaign(slug="lungs", name="Lungs", configuration=a_configuration(), by=root).slug == "lungs"


@pytest.mark.parametrize("slug", ["", "new", "Lungs", "a b", "a/../b", "x" * 61, "-a", "täg", "taken", "a\n"])
def test_address_of_a_campaign_is_plain_and_its_own(slug):
    a_campaign("taken")
    with pytest.raises(ActionRefused):
        open_campaign(slug=slug, name="Lungs", configuration=a_configuration(), by=SYSTEM)
    assert Campaign.objects.count() == 1


def test_protocol_that_cannot_work_makes_no_campaign_and_no_labels():
    stages = [Stage("draft", "technician", ends_with="submit", starts_from="empty")]
    configuration = a_configuration(label_set_name="Own", labels=OWN_LABELS, stages=stages)
    with pytest.raises(ActionRefused, match="must end with a signature"):
        open_campaign(slug="lungs", name="Lungs", configuration=configuration, by=SYSTEM)
    assert not Campaign.objects.exists()
    assert not LabelSet.objects.filter(name="Own").exists()


def test_own_labels_get_values_codes_and_a_version_of_their_own():
    configuration = a_configuration(label_set_name="Own", labels=OWN_LABELS)
    first = open_campaign(slug="one", name="One", configuration=configuration, by=SYSTEM).label_set
    assert [label["value"] for label in first.labels] == [1, 2]
    assert first.labels[0]["colour"] == "#E69F00"
    assert first.labels[0]["code"] == {"scheme": "99GROUNDGLASS", "value": "LABEL1", "meaning": "Consolidation"}
    assert (first.lesion_values, first.not_lung_values) == ([1], [2])
    assert open_campaign(slug="two", name="Two", configuration=configuration, by=SYSTEM).label_set == first
    other = replace(configuration, labels=OWN_LABELS[:1])
    second = open_campaign(slug="three", name="Three", configuration=other, by=SYSTEM).label_set
    assert (second.name, second.version) == ("Own", first.version + 1)
    first.refresh_from_db()
    assert len(first.labels) == 2


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([], "1 to 30 labels"),
        ([OWN_LABELS[0], OWN_LABELS[0]], "same name"),
        ([OWN_LABELS[1]], "nothing would be lesion"),
        ([{**OWN_LABELS[0], "colour": "red"}], "written like"),
        ([{**OWN_LABELS[0], "counts_as_lung": False}], "count nowhere"),
        ([{**OWN_LABELS[0], "value": 256}], "between 1 and 255"),
        ([{**OWN_LABELS[0], "code": {"scheme": "", "value": "1", "meaning": "x"}}], "needs a scheme"),
    ],
)
def test_labels_that_mean_nothing_are_refused(labels, words):
    with pytest.raises(ActionRefused, match=words):
        open_campaign(
            slug="lungs", name="Lungs", configuration=a_configuration(label_set_name="Own", labels=labels), by=SYSTEM
        )


def test_change_makes_a_version_that_says_what_changed_and_why():
    team = a_team("double_reading")
    reading = start_reading(case=team.case(), by=team["robin"])
    rule = Acceptance(dice_at_least=0.8)
    second = changed(team.campaign, team["clara"], note="The pilot agreed well.", acceptance=rule)
    assert (second.version, second.note, second.said.acceptance) == (2, "The pilot agreed well.", rule)
    first = team.campaign.protocols.get(version=1)
    (change,) = changes_of_version(first, second)
    assert change.term == "Acceptance"
    assert "0.7 or more" in change.before
    assert "0.8 or more" in change.after
    details = Event.objects.filter(name="campaign.protocol_set").latest("id").content["details"]
    assert details["after"] == {"Acceptance": change.after}
    reading.refresh_from_db()
    assert reading.protocol == team.case().protocol == first
    assert list(faults()) == []


def test_only_coordinators_change_it_and_the_same_again_is_no_version():
    team = a_team("double_reading")
    for name in ("robin", "otto", "ada", "mallory"):
        with pytest.raises(ActionRefused, match="Only a coordinator"):
            changed(team.campaign, team[name], pilot=True)
    with pytest.raises(ActionRefused, match="nothing to save"):
        changed(team.campaign, team["clara"])
    assert team.campaign.protocols.count() == 1


def test_whoever_comes_second_is_told_and_overwrites_nothing():
    team = a_team("double_reading")
    changed(team.campaign, team["clara"], pilot=True)
    with pytest.raises(ActionRefused, match="at version 2 by now, and you saw version 1"):
        changed(team.campaign, team["clara"], dwell_ms=500)
    assert current_protocol(team.campaign).said.dwell_ms == 250


@pytest.mark.django_db(transaction=True)
def test_two_coordinators_at_once_make_one_version():
    team = a_team("double_reading")
    gate, said = threading.Barrier(2), []

    def write(dwell_ms: int) -> None:
        gate.wait()
        try:
            said.append(changed(team.campaign, team["clara"], dwell_ms=dwell_ms).version)
        except ActionRefused as refused:
            said.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(dwell_ms,)) for dwell_ms in (300, 400)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said, key=str) == [2, "changed_meanwhile"]
    assert team.campaign.protocols.count() == 2
    assert list(faults()) == []


def test_cases_not_begun_go_by_the_new_version_and_others_keep_theirs():
    team = a_team("draft_and_review", cases=2)
    submit(start_reading(case=team.case(0), by=team["kim"]))
    now = current_protocol(team.campaign)
    set_protocol(
        campaign=team.campaign,
        stages=[Stage("alone", "radiologist", readers=2)],
        terms=replace(now.said, arms=Arms(seed=3)),
        statement=now.statement,
        note="",
        known_version=1,
        by=team["clara"],
    )
    assert (team.case(0).stage, team.case(0).protocol, team.case(0).arm) == ("review", now, "")
    assert (team.case(1).stage, team.case(1).places_left) == ("alone", 2)
    assert team.case(1).arm == Arms(seed=3).arm_of(2)
    assert start_reading(case=team.case(0), by=team["robin"]).protocol == now
    with pytest.raises(ActionRefused, match="Only a radiologist"):
        start_reading(case=team.case(1), by=team["kim"])


def test_case_that_was_given_keeps_the_version_that_it_was_given_under():
    team = a_team("draft_and_review", cases=2)
    assign_reading(case=team.case(0), reader=team["kim"], by=team["clara"])
    now = current_protocol(team.campaign)
    set_protocol(
        campaign=team.campaign,
        stages=[Stage("alone", "radiologist")],
        terms=now.said,
        statement=now.statement,
        note="",
        known_version=1,
        by=team["clara"],
    )
    assert (team.case(0).protocol, team.case(0).stage) == (now, "draft")
    assert (team.case(1).protocol, team.case(1).stage) == (None, "alone")
    assert start_reading(case=team.case(0), by=team["kim"]).stage == "draft"
    with pytest.raises(ActionRefused, match="Only a technician"):
        start_reading(case=Case.objects.get(pk=team.case(0).pk), by=team["robin"])


def test_facts_name_every_term():
    facts = facts_of_protocol(current_protocol(a_team("double_reading").campaign))
    assert facts["Stage 1"] == (
        "reading: two radiologists, begins from the AI draft, ends with a signature; blinded to other readings"
    )
    assert facts["Order of cases"] == "by number"
    assert facts["Statement"].startswith("I have reviewed this scan")


def test_configuration_comes_back_as_it_went():
    team = a_team("double_reading", hides_metadata=True, release_after_days=9, arms=Arms(seed=7))
    went = configuration_of(team.campaign, current_protocol(team.campaign))
    text = json.dumps(document_of(went))
    assert configuration_from(text) == went
    assert not any(name in text.lower() for name in ("robin", "clara", "kim"))
    copy = open_campaign(slug="copy", name="Copy", configuration=configuration_from(text), by=SYSTEM)
    assert copy.label_set == team.campaign.label_set
    assert facts_of_protocol(current_protocol(copy)) == facts_of_protocol(current_protocol(team.campaign))
    assert not copy.cases.exists()


HOSTILE = [
    b"",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b"{}",
    b"[]",
    b"null",
    b'{"format": "groundglass-configuration", "format_version": 2}',
    b"x" * 500_001,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_configuration_is_refused_in_a_sentence(text):
    with pytest.raises(ActionRefused) as refused:
        configuration_from(text)
    assert len(refused.value.sentence) < 400


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("stages", 0, "readers"), True),
        (("stages", 0, "readers"), 2.0),
        (("stages", 0, "readers"), 10**30),
        (("stages", 0, "role"), "king"),
        (("stages", 0, "name"), "a\0b"),
        (("stages", 0, "data_set"), "6f1c6f9e-0000-0000-0000-000000000000"),
        (("stages", 0, "__class__"), "x"),
        (("stages",), []),
        (("stages",), [{"name": "x", "role": "radiologist"}] * 9),
        (("terms", "acceptance"), {"dice_at_least": float("nan")}),
        (("terms", "acceptance"), {"dice_at_least": 1.1}),
        (("terms", "attests"), {"everything": "block"}),
        (("terms", "arms"), {"of": 1}),
        (("terms", "forms"), [{"a": [[[[[[[[[[[[1]]]]]]]]]]]]}]),
        (("terms", "unknown"), 1),
        (("statement",), "\ud800"),
        (("statement",), ""),
        (("label_set", "labels", 0, "colour"), "url(x)"),
        (("draft_algorithm",), {"name": "nobody", "version": "0"}),
        (("people",), ["robin"]),
    ],
)
def test_hostile_parts_of_a_configuration_are_refused(path, value):
    campaign = a_team("double_reading").campaign
    document = json.loads(json.dumps(document_of(configuration_of(campaign, current_protocol(campaign)))))
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(ActionRefused) as refused:
        configuration_of_document(document)
    assert len(refused.value.sentence) < 400


def test_case_added_after_a_change_stands_at_its_first_stage():
    team = a_team("double_reading")
    other = a_campaign("other")
    scan = team.case().scan
    changed(other, SYSTEM, order="random")
    assert add_case(campaign=other, scan=scan, by=SYSTEM).stage == "review"


def test_schema_knows_every_term_and_no_other():
    from dataclasses import fields

    from webapp.campaigns.configurations import ACCEPTANCE_SCHEMA, STAGES_SCHEMA, TERMS_SCHEMA
    from webapp.campaigns.protocols import ATTESTED, Qualification, Terms

    known = {
        Terms: TERMS_SCHEMA,
        Stage: STAGES_SCHEMA["items"],
        Acceptance: ACCEPTANCE_SCHEMA,
        Arms: TERMS_SCHEMA["properties"]["arms"]["anyOf"][0],
        Qualification: TERMS_SCHEMA["properties"]["qualification"]["anyOf"][0],
    }
    for kind, schema in known.items():
        assert set(schema["properties"]) == {field.name for field in fields(kind)}, kind
    assert set(TERMS_SCHEMA["properties"]["attests"]["properties"]) == set(ATTESTED)
