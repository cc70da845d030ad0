"""However many write at once, and wherever the database is carried, the chain has no gap."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from webapp import postgres
from webapp.audit.actor import SYSTEM, Actor
from webapp.audit.models import ChainHead, Event
from webapp.audit.record import record
from webapp.audit.trail import audited
from webapp.audit.verify import faults

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, EVENTS_EACH = 50, 4
ROOT = Path(__file__).resolve().parents[3]


@audited("thing.done")
def do(*, number: int, fails: bool, by: Actor) -> None:
    record("thing.done", by=by, chain="c", subject=f"thing:{number}")
    if fails:
        raise ValueError


def test_fifty_at_once_leave_no_gap_even_where_some_fail():
    start = threading.Barrier(WRITERS)
    trouble: list[Exception] = []

    def write(number: int) -> None:
        try:
            start.wait(60)
            for turn in range(EVENTS_EACH):
                try:
                    do(number=number, fails=(number + turn) % 5 == 0, by=Actor("person", "", f"writer {number}"))
                except ValueError:
                    continue
        except Exception as error:
            trouble.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    written = sum((number + turn) % 5 != 0 for number in range(WRITERS) for turn in range(EVENTS_EACH))
    places = list(Event.objects.filter(chain="c").order_by("seq").values_list("seq", flat=True))
    assert places == list(range(1, written + 1))
    assert ChainHead.objects.get(chain="c").seq == written
    assert list(faults()) == []


def test_chain_survives_dump_and_restore_and_goes_on(tmp_path):
    programs = [postgres.binary(name) for name in ("pg_dump", "pg_restore")]
    if not all(program.is_file() for program in programs):
        pytest.skip("pg_dump and pg_restore of the server's own version are not here")
    for number in range(20):
        record("thing.done", by=SYSTEM, chain="c", subject=f"thing:{number}", note="日本 \\ ' \" \n")
    head = ChainHead.objects.get(chain="c")
    given = connection.settings_dict
    server = f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}"
    name, dump = f"{given['NAME']}_restored", tmp_path / "dump"
    with psycopg.connect(f"{server}/{given['NAME']}", autocommit=True) as owner:
        owner.execute(f'CREATE DATABASE "{name}"')
        try:
            source, target = f"{server}/{given['NAME']}", f"{server}/{name}"
            subprocess.run([programs[0], "--format=custom", f"--file={dump}", source], check=True)
            subprocess.run([programs[1], "--no-owner", "--exit-on-error", f"--dbname={target}", dump], check=True)
            checked = verified(target)
            assert "20 events, 0 faults." in checked.stdout, checked.stderr
            with psycopg.connect(target, autocommit=True) as restored:
                row = restored.execute("SELECT seq, hash FROM audit_chainhead WHERE chain = 'c'").fetchone()
                assert row == (head.seq, head.hash)
                restored.execute(
                    "INSERT INTO audit_event"
                    " (chain, seq, at, name, actor_kind, actor_id, subject, body, prev_hash, hash)"
                    " SELECT chain, 0, '', name, actor_kind, actor_id, subject, body, '', '' FROM audit_event LIMIT 1"
                )
                with pytest.raises(psycopg.Error, match="append-only"):
                    restored.execute("DELETE FROM audit_event")
            assert "21 events, 0 faults." in verified(target).stdout
        finally:
            owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def verified(url: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": url, "DATABASE_OWNER_URL": url}
    command = [sys.executable, "manage.py", "audit", "verify"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
