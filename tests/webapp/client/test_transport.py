"""What the client does with a site's answers, against a server that says what the test wants."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from webapp.client import ApiError, Groundglass


class Scripted(HTTPServer):
    """Answers its requests with `script`, one after another; remembers what was asked."""

    script: list[tuple[int, dict[str, str], object]]
    asked: list[tuple[str, str, dict[str, object] | None, str]]


class Handler(BaseHTTPRequestHandler):
    """One answer of the script."""

    server: Scripted

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(
            (self.command, self.path, json.loads(body) if body else None, self.headers["Authorization"])
        )
        status, headers, said = self.server.script.pop(0)
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Scripted]:
    server = Scripted(("127.0.0.1", 0), Handler)
    server.script, server.asked = [], []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def site(server: Scripted) -> Groundglass:
    return Groundglass(f"http://127.0.0.1:{server.server_port}/", "gg_secret", timeout_s=20)


def test_pages_are_fetched_as_they_are_asked_for(server, site):
    following = f"http://127.0.0.1:{server.server_port}/api/campaigns/a/cases/?page=2"
    server.script = [
        (200, {}, {"count": 3, "next": following, "results": [{"number": 1}, {"number": 2}]}),
        (200, {}, {"count": 3, "next": None, "results": [{"number": 3}]}),
    ]
    cases = site.cases("a", state="open", numbers="1-3", page_size=2)
    assert [next(cases)["number"], next(cases)["number"]] == [1, 2]
    assert server.asked == [
        ("GET", "/api/campaigns/a/cases/?state=open&numbers=1-3&page_size=2", None, "Bearer gg_secret")
    ]
    assert [case["number"] for case in cases] == [3]
    assert server.asked[1][1] == "/api/campaigns/a/cases/?page=2"


def test_asks_again_when_the_site_said_to(server, site):
    server.script = [(429, {"Retry-After": "0"}, {"error": "throttled", "sentence": "Slower."}), (200, {}, [])]
    assert site.campaigns() == []
    assert len(server.asked) == 2


def test_does_not_wait_longer_than_it_may(server, site):
    server.script = [(429, {"Retry-After": "100000"}, {"error": "throttled", "sentence": "Slower."})]
    with pytest.raises(ApiError, match="Slower") as raised:
        site.campaigns()
    assert (raised.value.status, raised.value.code) == (429, "throttled")


def test_a_refusal_is_its_sentence(server, site):
    server.script = [(409, {}, {"error": "archived", "sentence": "This campaign is archived."})]
    with pytest.raises(ApiError, match="This campaign is archived") as raised:
        site.exclude("a", [1], "x")
    assert (raised.value.status, raised.value.code) == (409, "archived")
    assert server.asked[0][:3] == ("POST", "/api/campaigns/a/cases/exclude/", {"cases": [1], "reason": "x"})


@pytest.mark.parametrize("said", [b"<h1>Bad gateway</h1>", b"[]", b"\xff", {"error": "x"}])
def test_an_answer_that_is_no_refusal_of_ours_is_an_error_all_the_same(server, site, said):
    server.script = [(502, {}, said)]
    with pytest.raises(ApiError) as raised:
        site.campaigns()
    assert (raised.value.status, raised.value.code) == (502, "http")


def test_words_of_a_path_stay_in_their_place(server, site):
    server.script = [(200, {}, {"slug": "x"})]
    site.campaign("../../secret")
    assert server.asked[0][1] == "/api/campaigns/..%2F..%2Fsecret/"


def test_a_token_goes_to_no_other_site(server, site):
    following = "http://127.0.0.1:9/api/campaigns/a/cases/?page=2"
    server.script = [
        (200, {}, {"count": 1, "next": following, "results": []}),
        (200, {}, {"count": 1, "next": None, "results": [{"number": 1}]}),
    ]
    assert [case["number"] for case in site.cases("a")] == [1]
    assert server.asked[1][1] == "/api/campaigns/a/cases/?page=2"


@pytest.mark.parametrize("address", ["site.example", "ftp://site.example", "https://", ""])
def test_what_is_no_address_is_said(address):
    with pytest.raises(ValueError, match="no address of a site"):
        Groundglass(address, "gg_secret")
