"""The trail leaves the server and is checked there, by a program that needs Python alone."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from webapp.audit import standalone_verifier, tasks
from webapp.audit.actor import SYSTEM, Actor
from webapp.audit.checking import check_chains
from webapp.audit.models import ChainCheck, Event
from webapp.audit.record import record
from webapp.audit.verify import event_hash, faults

pytestmark = pytest.mark.django_db
KIM = Actor("person", "", "Kim \u00df\u2028")
PROGRAM = Path(standalone_verifier.__file__)


@pytest.fixture
def trail(settings, tmp_path):
    settings.AUDIT_HEADS_DIR = str(tmp_path / "outside")
    for n in range(1, 6):
        record("thing.done", by=KIM, chain="c", subject=f"thing:{n}", note='\u65e5\u672c "x" \n\\')
        record("thing.done", by=KIM, subject=f"thing:{n}")


def printed(capsys, *arguments, **options):
    capsys.readouterr()
    call_command("audit", *arguments, **options)
    return capsys.readouterr().out


def exported(capsys, tmp_path, *arguments) -> Path:
    path = tmp_path / "export.jsonl"
    path.write_text(printed(capsys, "export", *arguments))
    return path


def check(path, *arguments):
    """The program, far from our code: -I keeps the folder and the environment out."""
    command = [sys.executable, "-I", "-S", str(PROGRAM), str(path), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


def tamper(sql):
    """As somebody who owns the database and puts its triggers out of the way."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        cursor.execute(sql)
        cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")


def swap(first, second):
    return (
        f"UPDATE audit_event SET seq = -seq WHERE chain = 'c' AND seq IN ({first}, {second});"
        f"UPDATE audit_event SET seq = CASE seq WHEN -{first} THEN {second} ELSE {first} END WHERE seq < 0"
    )


TAMPERING = {
    "a changed body": "UPDATE audit_event SET body = replace(body, 'Kim', 'Lee') WHERE chain = 'c' AND seq = 2",
    "a changed time": "UPDATE audit_event SET at = '2020-01-01T00:00:00.000000Z' WHERE chain = 'c' AND seq = 2",
    "two in another order": swap(2, 3),
    "the first removed": "DELETE FROM audit_event WHERE chain = 'c' AND seq = 1",
    "one removed": "DELETE FROM audit_event WHERE chain = 'c' AND seq = 3",
    "the last removed": "DELETE FROM audit_event WHERE chain = 'c' AND seq = 5",
    "the last removed and the head set back": (
        "DELETE FROM audit_event WHERE chain = 'c' AND seq = 5;"
        "UPDATE audit_chainhead SET (seq, hash) = (SELECT seq, hash FROM audit_event WHERE chain = 'c' AND seq = 4)"
        " WHERE chain = 'c'"
    ),
    "all removed with their head": (
        "DELETE FROM audit_event WHERE chain = 'c'; DELETE FROM audit_chainhead WHERE chain = 'c'"
    ),
    "rewritten from the second on": "rewrite",
}
# Whoever may rewrite everything leaves chains that hold: only what left the server earlier tells.
ONLY_BY_HEADS = {
    "the last removed and the head set back",
    "all removed with their head",
    "rewritten from the second on",
}


def rewritten():
    """The chain as somebody else's doing, every hash from the second event on made anew as the trigger makes them."""
    sql, prev = "", Event.objects.get(chain="c", seq=1).hash
    for event in Event.objects.filter(chain="c", seq__gte=2).order_by("seq"):
        body = event.body.replace("Kim", "Lee")
        digest = event_hash(prev, "c", event.seq, event.at, body)
        changed = {"body": body, "prev_hash": prev, "hash": digest}
        sets = ", ".join(f"{name} = {sql_text(value)}" for name, value in changed.items())
        sql += f"UPDATE audit_event SET {sets} WHERE id = {event.pk};"
        prev = digest
    return sql + f"UPDATE audit_chainhead SET hash = '{prev}' WHERE chain = 'c'"


def sql_text(text):
    return "'" + text.replace("'", "''") + "'"


def do_tampering(what):
    tamper(rewritten() if TAMPERING[what] == "rewrite" else TAMPERING[what])


@pytest.mark.usefixtures("trail")
def test_whole_trail_holds_for_both(capsys, tmp_path):
    heads = tmp_path / "heads.jsonl"
    heads.write_text(printed(capsys, "heads"))
    assert "0 faults" in printed(capsys, "verify", heads=[heads])
    record("thing.done", by=KIM, chain="c")
    done = check(exported(capsys, tmp_path), "--heads", heads)
    assert (done.returncode, done.stderr) == (0, "")
    assert "c: #1 to #6" in done.stdout
    assert "Every chain holds." in done.stdout


@pytest.mark.usefixtures("trail")
@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_is_found_by_the_site_and_by_the_program(what, capsys, tmp_path):
    heads = tmp_path / "heads.jsonl"
    heads.write_text(printed(capsys, "heads"))
    do_tampering(what)
    with pytest.raises(SystemExit):
        printed(capsys, "verify", heads=[heads])
    path = exported(capsys, tmp_path)
    assert check(path, "--heads", heads).returncode == 1
    without_heads = (list(faults()) != [], check(path).returncode == 1)
    assert without_heads == ((False, False) if what in ONLY_BY_HEADS else (True, True))


@pytest.mark.usefixtures("trail")
def test_what_came_after_the_last_heads_can_be_removed_unseen_and_nothing_else(capsys, tmp_path):
    """The stated limit, and why heads leave every day."""
    heads = tmp_path / "heads.jsonl"
    heads.write_text(printed(capsys, "heads"))
    record("thing.done", by=KIM, chain="c")
    tamper(
        "DELETE FROM audit_event WHERE chain = 'c' AND seq = 6;"
        "UPDATE audit_chainhead SET (seq, hash) = (SELECT seq, hash FROM audit_event WHERE chain = 'c' AND seq = 5)"
        " WHERE chain = 'c'"
    )
    assert "0 faults" in printed(capsys, "verify", heads=[heads])


@pytest.mark.usefixtures("trail")
def test_one_chain_and_a_part_of_it_can_be_exported(capsys, tmp_path):
    lines = [json.loads(line) for line in exported(capsys, tmp_path, "--chain", "c").read_text().splitlines()]
    assert [line["seq"] for line in lines[:-1]] == [1, 2, 3, 4, 5]
    assert lines[-1]["head"]["chain"] == "c"
    since = Event.objects.get(chain="c", seq=3).at
    part = exported(capsys, tmp_path, "--chain", "c", "--since", since)
    assert check(part).returncode == 1
    assert check(part, "--partial").returncode == 0
    cut = tmp_path / "cut.jsonl"
    cut.write_text("".join(part.read_text().splitlines(keepends=True)[:-2]))
    assert check(cut, "--partial").returncode == 0  # nothing says what came after
    cut.write_text("".join(line for n, line in enumerate(part.read_text().splitlines(keepends=True)) if n != 1))
    assert check(cut, "--partial").returncode == 1


@pytest.mark.usefixtures("trail")
def test_heads_leave_once_a_day_into_a_file_that_only_grows(settings, mailoutbox):
    settings.AUDIT_HEADS_EMAIL = ["trustee@example.org"]
    tasks.export_heads_daily()
    tasks.export_heads_daily()
    (path,) = Path(settings.AUDIT_HEADS_DIR).iterdir()
    first = path.read_text()
    assert [json.loads(line)["head"]["chain"] for line in first.splitlines()] == ["c", "site"]
    (event,) = Event.objects.filter(name="audit.heads_exported")
    assert event.content["details"]["file"] == path.name
    (message,) = mail.outbox
    assert message.to == ["trustee@example.org"]
    assert first in message.body
    call_command("audit", "heads", export=True)
    assert path.read_text().startswith(first)
    assert len(path.read_text().splitlines()) == 4


@pytest.mark.usefixtures("trail")
def test_folder_that_cannot_be_written_to_leaves_no_event(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.AUDIT_HEADS_DIR = str(tmp_path / "file")
    with pytest.raises(CommandError, match="AUDIT_HEADS_DIR"):
        call_command("audit", "heads", export=True)
    assert not Event.objects.filter(name="audit.heads_exported").exists()


@pytest.mark.usefixtures("trail")
def test_file_that_is_no_heads_is_told(tmp_path):
    path = tmp_path / "heads.jsonl"
    path.write_text('{"head": {"chain": "c"}}\n')
    with pytest.raises(CommandError, match="Line 1 is no head"):
        call_command("audit", "verify", heads=[path])


def test_program_is_short_and_is_what_the_command_prints(capsys):
    source = PROGRAM.read_text()
    assert printed(capsys, "verifier") == source
    assert len(source.splitlines()) < 100
    assert "webapp" not in source
    assert "django" not in source


@pytest.mark.usefixtures("trail")
def test_checks_in_parts_follow_the_chain_and_go_round():
    assert check_chains(most=3) == []
    assert ChainCheck.objects.get(chain="c").seq == 3
    for _ in range(8):
        assert check_chains(most=3) == []
    check = ChainCheck.objects.get(chain="c")
    assert (check.seq, check.faults) == (5, [])
    assert check.whole_checked_at is not None


@pytest.mark.usefixtures("trail")
@pytest.mark.parametrize("what", sorted(set(TAMPERING) - {"all removed with their head"}))
def test_checks_in_parts_find_tampering_with_what_was_checked_before(what):
    for _ in range(2):
        check_chains()
    do_tampering(what)
    for _ in range(3):
        check_chains()
    assert ChainCheck.objects.get(chain="c").faults != []
    with contextlib.suppress(SystemExit):
        call_command("audit", "verify", forget=True)
    assert not ChainCheck.objects.exists()


@pytest.mark.usefixtures("trail")
def test_site_may_write_down_checks_and_not_heads(site_role):
    from django.db.utils import DatabaseError

    with site_role():
        assert check_chains() == []
        record("thing.done", by=SYSTEM)
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("UPDATE audit_chainhead SET seq = 1")
