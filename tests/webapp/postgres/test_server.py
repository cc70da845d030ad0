"""The embedded server is found, started, killed and recovered by what is true, not by what a pid file says."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from webapp import postgres


@pytest.fixture(scope="module")
def home():
    # Not pytest's tmp_path: that folder is closed to the server's own user when the tests run as root.
    with tempfile.TemporaryDirectory(prefix="groundglass-pg-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
        postgres.discard(path)


def quiet(_: str) -> None:
    pass


def test_second_call_finds_the_running_server(home):
    first = postgres.ensure(home, say=quiet)
    assert postgres.ensure(home, say=quiet) == first
    assert postgres.running_pid(home) == first.pid


def test_addresses_are_private(home):
    postgres.ensure(home, say=quiet)
    for name in ("owner.url", "site.url", "place.json"):
        assert stat.S_IMODE((home / "postgres" / name).stat().st_mode) == 0o600


def test_server_listens_on_loopback_and_asks_a_password(home):
    server = postgres.ensure(home, say=quiet)
    with psycopg.connect(server.superuser_url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert methods == [("scram-sha-256",)]
    wrong = server.site_url.replace(server.site_url.split(":")[2].split("@")[0], "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_site_role_reads_and_writes_rows_and_nothing_more(home):
    server = postgres.ensure(home, say=quiet)
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE kept (id bigserial PRIMARY KEY, word text)")
    with psycopg.connect(server.site_url, autocommit=True) as site:
        site.execute("INSERT INTO kept (word) VALUES ('one')")
        site.execute("UPDATE kept SET word = 'two'")
        assert site.execute("SELECT word FROM kept").fetchall() == [("two",)]
        site.execute("DELETE FROM kept")
        for refused in ("TRUNCATE kept", "DROP TABLE kept", "CREATE TABLE mine (id int)", "CREATE SCHEMA mine"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                site.execute(refused)
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        owner.execute("DROP TABLE kept")


def test_committed_rows_survive_kill_9(home):
    server = postgres.ensure(home, say=quiet)
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE rows AS SELECT generate_series(1, 20000) AS n")
    open_transaction = psycopg.connect(server.owner_url)
    open_transaction.execute("INSERT INTO rows VALUES (-1)")
    os.kill(server.pid, signal.SIGKILL)
    again = postgres.ensure(home, say=quiet)
    assert again.pid != server.pid
    assert again.port == server.port
    with psycopg.connect(again.owner_url, autocommit=True) as owner:
        assert owner.execute("SELECT count(*), min(n) FROM rows").fetchone() == (20000, 1)
        owner.execute("DROP TABLE rows")


def test_pid_of_another_program_is_not_taken_for_the_server(home):
    server = postgres.ensure(home, say=quiet)
    os.kill(server.pid, signal.SIGKILL)
    pid_file = server.data / "postmaster.pid"
    deadline = time.monotonic() + 5
    while postgres.running_pid(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        lines = pid_file.read_text().split("\n")
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]))
        assert postgres.running_pid(home) is None
        again = postgres.ensure(home, say=quiet)
        assert again.pid not in (server.pid, other.pid)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_stopped_server_starts_again_with_its_passwords(home):
    before = postgres.ensure(home, say=quiet)
    postgres.stop(home)
    assert postgres.running_pid(home) is None
    after = postgres.ensure(home, say=quiet)
    assert after.site_url == before.site_url


def test_long_path_gets_a_short_socket():
    with tempfile.TemporaryDirectory(prefix="groundglass-pg-") as folder:
        Path(folder).chmod(0o755)
        long = Path(folder) / ("long" * 20) / ("path" * 10)
        try:
            server = postgres.ensure(long, say=quiet)
            psycopg.connect(server.site_url).close()
        finally:
            postgres.discard(long)


def test_pg_dump_comes_with_the_server(home):
    server = postgres.ensure(home, say=quiet)
    command = [str(postgres.binary("pg_dump")), "--schema-only", server.owner_url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "PostgreSQL database dump complete" in done.stdout


def test_roles_of_other_names_are_made_on_a_postgresql_of_ones_own(home):
    server = postgres.ensure(home, say=quiet)
    address = f"127.0.0.1:{server.port}/hospital"
    owner_url, site_url = f"postgresql://keeper:one%2Fpw@{address}", f"postgresql://desk:two@{address}"
    environment = {
        **os.environ,
        "DATABASE_SUPERUSER_URL": server.superuser_url,
        "DATABASE_OWNER_URL": owner_url,
        "DATABASE_URL": site_url,
    }
    for _ in range(2):
        command = [sys.executable, "-m", "webapp.postgres", "roles"]
        subprocess.run(command, cwd=Path(__file__).parents[3], env=environment, check=True)
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE kept (word text)")
    with psycopg.connect(site_url, autocommit=True) as site:
        site.execute("INSERT INTO kept VALUES ('one')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            site.execute("TRUNCATE kept")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_folder_closed_to_the_servers_user_keeps_its_data_elsewhere():
    with tempfile.TemporaryDirectory(prefix="groundglass-pg-") as folder:  # mode 0700: root's alone
        closed = Path(folder)
        try:
            server = postgres.ensure(closed, say=quiet)
            psycopg.connect(server.site_url).close()
            assert closed not in server.data.parents
        finally:
            postgres.discard(closed)
        assert not server.data.parent.exists()
