"""Static files are served without Django, and every answer of Django carries the security headers."""

import asyncio
import gzip

from django.http import HttpResponse
from django.test import RequestFactory

from webapp.edge import static_files
from webapp.edge.headers import SecurityHeadersMiddleware
from webapp.edge.static_files import StaticFiles


def fetch(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent = []

    async def otherwise(scope, receive, send):
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"django"})

    async def send(message):
        sent.append(message)

    names = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "path": path, "method": method, "headers": names}
    asyncio.run(StaticFiles(otherwise)(scope, None, send))
    start, body = sent
    return start["status"], {n.decode(): v.decode() for n, v in start["headers"]}, body["body"]


def test_file_of_an_app_is_served_and_asked_for_again():
    status, headers, body = fetch("/static/pages/groundglass.css")
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "text/css; charset=utf-8", "no-cache")
    again = fetch("/static/pages/groundglass.css", if_none_match=headers["etag"])
    assert (again[0], again[2]) == (304, b"")
    zipped = fetch("/static/pages/groundglass.css", accept_encoding="gzip, br")
    assert zipped[1]["content-encoding"] == "gzip"
    assert gzip.decompress(zipped[2]) == body


def test_hashed_name_is_kept_for_ever(tmp_path, monkeypatch):
    built = tmp_path / "assets" / "viewer-B1x_9Kd2.js"
    built.parent.mkdir()
    built.write_text("let a = 1;")
    monkeypatch.setattr(static_files, "_find", lambda name: built)
    assert "immutable" in fetch("/static/viewer/assets/viewer-B1x_9Kd2.js")[1]["cache-control"]


def test_nothing_outside_the_static_folders_is_served():
    for path in ("/static/../../manage.py", "/static//etc/passwd", "/static/%2e%2e/%2e%2e/manage.py", "/static/"):
        assert fetch(path)[0] == 404
    assert fetch("/static/pages/groundglass.css", method="POST")[0] == 405
    assert fetch("/elsewhere/")[0] == 299


def test_answers_carry_a_content_security_policy():
    middleware = SecurityHeadersMiddleware(lambda request: HttpResponse("page"))
    request = RequestFactory().get("/", headers={"host": "reading.example:8000"})
    policy = middleware(request)["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "ws://reading.example:8000" in policy


def test_hostile_host_header_does_not_reach_the_policy():
    middleware = SecurityHeadersMiddleware(lambda request: HttpResponse("page"))
    request = RequestFactory().get("/", headers={"host": "x; script-src *"})
    assert "script-src *" not in middleware(request)["Content-Security-Policy"]
