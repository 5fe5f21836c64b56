"""How the gateway serves the pages: what may be kept, what is packed, what is the API's."""

import gzip
import re

from conftest import bearer


def script_of(stack):
    return re.search(r'src="(/assets/[^"]+\.js)"', stack.get("/").body.decode()).group(1)


def test_pages_are_asked_for_anew_and_assets_never(stack):
    page = stack.get("/")
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    asset = stack.get(script_of(stack))
    assert asset.status == 200 and asset.headers["Content-Type"].startswith("text/javascript")
    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_what_a_browser_has_is_not_sent_again(stack):
    for path in ("/", script_of(stack)):
        for coding in ("identity", "gzip"):
            headers = {"Accept-Encoding": coding}
            tag = stack.get(path, headers=headers).headers["ETag"]
            again = stack.get(path, headers={**headers, "If-None-Match": tag})
            assert (again.status, again.body) == (304, b"")
            assert again.headers["ETag"] == tag


def test_assets_come_packed_to_who_takes_it(stack):
    path = script_of(stack)
    plain = stack.get(path, headers={"Accept-Encoding": "identity"})
    packed = stack.get(path, headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.body) == plain.body and len(packed.body) < len(plain.body) / 2
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_pages_have_the_strict_headers(stack):
    headers = stack.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "data:" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff" and "Referrer-Policy" in headers
    text = stack.get("/").body.decode()
    assert "<style" not in text and "style=" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "a script in the page itself"
    assert not re.search(r"(src|href)=.(https?:)?//", text), "something from elsewhere"


def test_every_area_has_the_page_and_the_api_stays_the_apis(stack):
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = stack.get("/").body
    for path in ("/search", "/documents", "/documents/a-guide", "/graph", "/glossary",
                 "/operations", "/login"):
        reply = stack.get(path)
        assert (reply.status, reply.body) == (200, page), path
    missing = stack.get("/nowhere", headers=html)
    assert (missing.status, missing.body) == (404, page)
    for path in ("/nowhere", "/api/nowhere", "/assets/nowhere.js",
                 "/assets/../index.html", "/%2e%2e/etc/passwd", "/../../etc/passwd"):
        headers = html if path.startswith("/api") else {}
        reply = stack.get(path, headers=headers)
        assert reply.status == 404 and reply.json()["code"] == "not_found", path
    assert stack.get("/v1/nowhere", headers=html).json()["error"]["message"]
    assert stack.get("/docs", headers=html).body != page
    assert stack.get("/health/ping").json()["message"] == "pong"
    assert stack.request("POST", "/search", {}).status == 404


def test_who_one_is_says_what_one_may(stack):
    assert stack.get("/api/auth/me").status == 401
    me = stack.get("/api/auth/me", headers=bearer("ann", "student")).json()
    assert "search" in me["permissions"] and "admin_users" not in me["permissions"]
    assert me["trusted"] is False and me["max_results"] == 20
    everything = stack.get("/api/auth/me", headers=bearer("root", "admin")).json()
    assert set(me["permissions"]) < set(everything["permissions"])
