"""What people are told, where, and what never leaves the site."""

import datetime

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from tests.factories.sites import a_person, a_team, paint, sign, submit
from webapp.audit.actor import SYSTEM
from webapp.audit.models import Event
from webapp.audit.refusal import ActionRefused
from webapp.notices.actions import set_notice_mail
from webapp.notices.models import Notice, NoticePreference
from webapp.notices.notify import notify, notify_once
from webapp.notices.tasks import send_digests
from webapp.readings.actions import return_submission, start_reading
from webapp.readings.assignment_actions import assign_reading, assign_repeat, reassign_reading, release_reading
from webapp.readings.telling import tell_of_days
from webapp.settings.mail import OFF, mail_settings

pytestmark = pytest.mark.django_db


def told(person):
    return list(Notice.objects.filter(person=person).order_by("made_at").values_list("kind", "sentence", "detail"))


def browser_of(person):
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def mailing(settings):
    settings.SITE_ADDRESS = "https://ct.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def robin(mailing):
    person = a_person("robin")
    person.email = "robin@example.org"
    person.save()
    return person


def test_reader_is_told_what_a_coordinator_gives_and_takes_and_not_what_they_do_themselves():
    team = a_team("ai_check", cases=2)
    given = assign_reading(case=team.case(), reader=team["robin"], by=team["clara"])
    reassign_reading(reading=given, reader=team["amara"], reason="Robin is on holiday", by=team["clara"])
    own = start_reading(case=team.case(1), by=team["robin"])
    release_reading(reading=own, reason="not mine to read", by=team["robin"])
    assert told(team["robin"]) == [
        ("assigned", "Case 1 was given to you to read (check).", ""),
        ("released", "Case 1 is no longer with you (check).", "Robin is on holiday"),
    ]
    assert told(team["amara"]) == [("assigned", "Case 1 was given to you to read (check).", "")]
    assert Notice.objects.filter(person=team["clara"]).count() == 0


def test_returned_draft_is_told_to_its_technician_with_the_reason_on_the_page_alone(mailing, run_jobs):
    team = a_team("draft_and_review")
    kim = team["kim"]
    kim.email = "kim@example.org"
    kim.save()
    set_notice_mail(by_mail="at once", by=kim)
    submit(start_reading(case=team.case(), by=kim))
    review = start_reading(case=team.case(), by=team["robin"])
    reason = "Mrs Miller's left lung is missing"
    return_submission(reading=review, reason=reason, stroke_sequence=0, by=team["robin"])
    assert told(kim) == [("returned", "Case 1 was returned to you (draft).", reason)]
    assert reason.replace("'", "&#x27;") in browser_of(kim).get("/notices/").content.decode()
    run_jobs()
    (letter,) = mail.outbox
    assert letter.to == ["kim@example.org"]
    assert "Case 1 was returned to you" in letter.subject
    assert "https://ct.example/campaigns/team/cases/1/" in letter.body
    pseudonym = team.case().scan.study.patient.pseudonym
    for word in ("Miller", pseudonym, "Robin"):
        assert word not in letter.body + letter.subject


def test_dispute_is_told_to_adjudicators_and_to_nobody_who_read_the_case(run_jobs):
    team = a_team("double_reading")
    for name in ("robin", "amara"):
        reading = start_reading(case=team.case(), by=team[name])
        if name == "amara":
            paint(reading, team[name], (team.phantoms[0].findings * 0))
        sign(reading)
        assert Notice.objects.count() == 0  # neither hears of the other's
    run_jobs()
    assert [notice.person.username for notice in Notice.objects.all()] == ["ada"]
    assert told(team["ada"]) == [("adjudication", "Case 1 waits to be adjudicated.", "")]


def test_what_is_due_soon_and_what_may_be_read_again_is_told_once():
    team = a_team("ai_check", cases=3)
    today = timezone.localdate()
    soon, later = today + datetime.timedelta(days=1), today + datetime.timedelta(days=9)
    assign_reading(case=team.case(0), reader=team["robin"], by=SYSTEM, due_on=soon)
    assign_reading(case=team.case(1), reader=team["robin"], by=SYSTEM, due_on=later)
    signed = start_reading(case=team.case(2), by=team["amara"])
    sign(signed)
    signed.refresh_from_db()
    again = assign_repeat(reading=signed, after_days=14, by=team["clara"])
    Notice.objects.all().delete()
    assert (tell_of_days(today), tell_of_days(today)) == (1, 0)
    assert [kind for kind, *_ in told(team["robin"])] == ["due_soon"]
    assert told(team["amara"]) == []
    again.not_before = timezone.now() - datetime.timedelta(minutes=1)
    again.save()
    assert (tell_of_days(today), tell_of_days(today)) == (1, 0)
    assert [kind for kind, *_ in told(team["amara"])] == ["repeat_due"]


def test_bell_counts_what_is_new_and_a_notice_leads_on_and_is_seen(robin):
    other = a_person("amara")
    first, _ = (notify([robin], "mentioned", sentence=f"Comment {n}", url="/scans/")[0] for n in (1, 2))
    client = browser_of(robin)
    assert '<span class="badge">2<' in client.get("/").content.decode()
    assert browser_of(other).get(f"/notices/{first.pk}/").status_code == 404
    assert client.get(f"/notices/{first.pk}/")["Location"] == "/scans/"
    assert '<span class="badge">1<' in client.get("/notices/bell/").content.decode()
    client.post("/notices/", {"seen": "all"})
    assert "badge" not in client.get("/notices/bell/").content.decode()
    assert "badge" not in browser_of(other).get("/").content.decode()


def test_digest_holds_what_is_neither_seen_nor_sent_and_comes_once_a_day(robin):
    for n in (1, 2, 3):
        notify([robin], "assigned", sentence=f"Case {n} was given to you.", url=f"/campaigns/c/cases/{n}/")
    Notice.objects.filter(url__contains="/2/").update(seen_at=timezone.now())
    send_digests()
    (letter,) = mail.outbox
    assert "2 things wait for you" in letter.subject
    assert "/cases/1/" in letter.body
    assert "/cases/2/" not in letter.body
    notify([robin], "assigned", sentence="Case 4 was given to you.", url="/campaigns/c/cases/4/")
    send_digests()
    assert len(mail.outbox) == 1
    NoticePreference.objects.update(digest_at=timezone.now() - datetime.timedelta(days=1))
    send_digests()
    assert "Case 4" in mail.outbox[1].subject


def test_refused_digest_is_tried_again(robin, monkeypatch):
    notify([robin], "assigned", sentence="Case 1 was given to you.", url="/")

    def refuses(*_args):
        raise OSError("no route to host")

    with monkeypatch.context() as patch:
        patch.setattr("webapp.notices.tasks.send_notices", refuses)
        with pytest.raises(OSError, match="no route"):
            send_digests()
    send_digests()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("why", ["site is off", "person said never", "no address"])
def test_no_mail_where_it_is_switched_off(robin, settings, run_jobs, why):
    set_notice_mail(by_mail="at once", by=robin)
    if why == "site is off":
        settings.EMAIL_BACKEND = OFF
    elif why == "person said never":
        set_notice_mail(by_mail="off", by=robin)
    else:
        robin.email = ""
        robin.save()
    notify([robin], "assigned", sentence="Case 1 was given to you.", url="/")
    run_jobs()
    send_digests()
    assert mail.outbox == []
    assert Notice.objects.filter(person=robin).count() == 1


def test_a_wish_is_kept_audited_and_checked(robin):
    client = browser_of(robin)
    client.post("/notices/", {"by_mail": "daily"})
    assert NoticePreference.objects.get(person=robin).by_mail == "daily"
    assert Event.objects.filter(name="notices.set").count() == 1
    with pytest.raises(ActionRefused):
        set_notice_mail(by_mail="hourly", by=robin)


def test_notices_lead_nowhere_else_and_have_kinds_that_exist(robin):
    with pytest.raises(IntegrityError), transaction.atomic():
        notify([robin], "assigned", sentence="Come here", url="https://evil.example/")
    with pytest.raises(ValueError, match="no notices of the kind"):
        notify([robin], "advert", sentence="Buy", url="/")
    robin.is_active = False
    assert notify([robin], "assigned", sentence="Case 1", url="/") == []
    robin.is_active = True
    assert [len(notify_once([robin], "due_soon", sentence="Case 1", url="/x/")) for _ in range(2)] == [1, 0]


def test_mail_address_says_how_to_reach_the_server():
    assert mail_settings("").backend == OFF
    said = mail_settings("smtp://me:p%40ss@mail.example:2525")
    assert (said.password, said.port, said.starttls, said.tls) == ("p@ss", 2525, True, False)
    assert mail_settings("smtps://mail.example").port == 465
    assert mail_settings("smtp+plain://localhost").starttls is False
    for wrong in ("mail.example", "https://mail.example", "smtp://"):
        with pytest.raises(ValueError, match="GROUNDGLASS_EMAIL_URL"):
            mail_settings(wrong)
