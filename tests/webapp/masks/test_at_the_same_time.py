"""Strokes, leases, signatures, restores and decisions that reach the server at the same moment: none waits for ever."""

import json
import random
import threading
import time
import uuid
from collections import Counter

import pytest
from django.db import connection
from django.test import Client

from tests.factories.sites import PASSWORD, Tab, a_reading, a_workplace
from tests.webapp.readings.test_api import stroke_json
from webapp.masks.models import Mask, Stroke
from webapp.masks.queries import head_layers
from webapp.masks.verify import faults
from webapp.readings.models import Reading, Signature

pytestmark = pytest.mark.django_db(transaction=True)
HANDS, ACTS = 5, 14


class Hand(threading.Thread):
    """One browser tab that does as it likes, in a thread and a connection of its own."""

    def __init__(self, number: int, reading: Reading, start: threading.Barrier) -> None:
        super().__init__(name=f"hand {number}")
        self.random = random.Random(number)
        self.reading, self.start_together = reading, start
        self.tab = str(uuid.uuid4())
        self.epoch = 1
        self.client = Client(raise_request_exception=False)
        self.client.force_login(reading.reader)
        self.answers: Counter[str] = Counter()
        self.trouble: Exception | None = None
        self.sent: list[str] = []

    def run(self) -> None:
        try:
            self.start_together.wait(60)
            for _ in range(ACTS):
                act = self.random.choices(
                    [self.paint, self.take, self.restore, self.settle, self.look], [8, 3, 1, 1, 2]
                )[0]
                answer = act()
                said = "" if answer.status_code < 300 else answer.json().get("error", "")
                self.answers[f"{act.__name__} {answer.status_code} {said}"] += 1
        except Exception as error:
            self.trouble = error
        finally:
            connection.close()

    def post(self, path: str, body: dict[str, object]):
        url = f"/api/readings/{self.reading.pk}/{path}"
        return self.client.post(url, json.dumps(body), content_type="application/json")

    def take(self):
        answer = self.post("lease/", {"tab": self.tab, "take_over": True})
        self.epoch = answer.json().get("epoch", self.epoch)
        return answer

    def paint(self):
        old = head_layers(Mask.objects.get(pk=self.reading.mask_id))["findings"]
        new = old.copy()
        z, y, x = (self.random.randrange(n) for n in (10, 40, 50))
        new[z : z + 2, y : y + 4, x : x + 4] = (old[z, y, x] + 1) % 3
        pen = Tab.__new__(Tab)
        pen.id, pen.epoch, pen.sequence = uuid.UUID(self.tab), self.epoch, len(self.sent)
        body = stroke_json(pen, old, new)
        self.sent.append(body["id"])
        return self.post("strokes/", {"strokes": [body]})

    def restore(self):
        return self.post("restore/", {"state": "stroke:0", "tab": self.tab, "epoch": self.epoch})

    def settle(self):
        branches = self.client.get(f"/api/readings/{self.reading.pk}/branches/").json()["branches"]
        branch = next((b for b in branches if b["settled"] is None), None)
        if branch is None:
            return self.look()
        body = {"tab": branch["tab"], "epoch": branch["epoch"], "up_to": branch["strokes"][-1]["stroke_sequence"]}
        return self.post("branches/settle/", {**body, "decision": "set_aside", "strokes": []})

    def look(self):
        return self.client.get(f"/api/readings/{self.reading.pk}/difference/?a=stroke:0&b=head")


def test_many_hands_on_one_mask_and_a_signature_among_them():
    reading = a_reading(a_workplace())
    start = threading.Barrier(HANDS + 1)
    hands = [Hand(number, reading, start) for number in range(HANDS)]
    for hand in hands:
        hand.start()
    signer = Client(raise_request_exception=False)
    signer.force_login(reading.reader)
    start.wait(60)
    signed = []
    while not signed:
        sequence = Mask.objects.get(pk=reading.mask_id).stroke_sequence
        if sequence < HANDS * ACTS / 4 and any(hand.is_alive() for hand in hands):
            time.sleep(0.02)
            continue
        body = {"password": PASSWORD, "stroke_sequence": sequence, "statement": reading.protocol.statement}
        answer = signer.post(f"/api/readings/{reading.pk}/sign/", json.dumps(body), content_type="application/json")
        signed += [answer] if answer.status_code == 200 else []
        assert answer.status_code in (200, 409), answer.content
    for hand in hands:
        hand.join(120)
        assert not hand.is_alive(), "somebody waits for ever"
        assert hand.trouble is None, hand.trouble
    answers = sum((hand.answers for hand in hands), Counter())
    wrong = {said: n for said, n in answers.items() if said.split()[1] not in ("200", "409")}
    assert not wrong, answers
    for act in ("paint 200 ", "take 200 ", "look 200 "):
        assert answers[act], f"nobody did {act}: {answers}"
    assert len(signed) == 1, "there is one signature"
    reading.refresh_from_db()
    assert reading.state == Reading.SIGNED
    sent = {name for hand in hands for name in hand.sent}
    assert sent <= {str(pk) for pk in Stroke.objects.filter(mask=reading.mask).values_list("pk", flat=True)}
    assert list(faults()) == []
    version = Signature.objects.get(reading=reading).version
    late = Stroke.objects.filter(mask=reading.mask, stroke_sequence__gt=version.stroke_sequence)
    assert not late.filter(applied=True).exists(), "nothing is applied after the signature"
