"""The shell around the gateway's HTTP, on the real thing."""

import base64
import gzip
import hashlib
import re

import pytest

ONCE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.parametrize("method,path", [
    ("GET", "/health/ping"), ("HEAD", "/health/ping"), ("GET", "/no/such"),
    ("DELETE", "/api/search"), ("OPTIONS", "/api/search"), ("POST", "/api/search"),
    ("GET", "/docs"),
])
def test_every_answer_bears_each_header_once(stack, method, path):
    headers = stack.request(method, path).headers
    for name, value in ONCE.items():
        assert headers.get_all(name) == [value]
    assert len(headers.get_all("Permissions-Policy")) == 1
    (policy,) = headers.get_all("Content-Security-Policy")
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert policy.startswith("default-src 'none'" if path == "/docs" else "default-src 'self'")
    assert "Server" not in headers and "Strict-Transport-Security" not in headers
    assert "Access-Control-Allow-Origin" not in headers


def test_the_page_runs_under_its_policy(stack):
    reply = stack.get("/docs")
    page = reply.body.decode()
    styles = re.findall(r"<style>(.*?)</style>", page, re.S)
    hashes = ["'sha256-" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() + "'"
              for s in styles]
    assert re.search(r"style-src ([^;]*)", reply.headers["Content-Security-Policy"]).group(
        1).split() == hashes
    assert not re.search(r"<script| style=| on[a-z]+=", page)


def test_only_listed_origins_may_read(new_stack):
    stack = new_stack(CORS_ORIGINS='["https://a.example","http://localhost:3000"]')
    preflight = {"Access-Control-Request-Method": "POST"}
    good = stack.request("OPTIONS", "/api/search",
                         headers={"Origin": "https://a.example", **preflight})
    assert good.status == 204
    assert good.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert good.headers["Access-Control-Max-Age"] == "86400"
    assert "POST" in good.headers["Access-Control-Allow-Methods"]
    read = stack.get("/health/ping", headers={"Origin": "http://localhost:3000"})
    assert read.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert "Origin" in read.headers["Vary"]
    for origin in ("https://evil.example", "null", "https://a.example.evil.example"):
        bad = stack.request("OPTIONS", "/api/search", headers={"Origin": origin, **preflight})
        assert not [name for name in bad.headers if name.startswith("Access-Control")]
        assert "Origin" in bad.headers["Vary"]


def test_answers_are_packed_for_those_who_ask(stack):
    plain = stack.get("/openapi.json")
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["Vary"]
    packed = stack.get("/openapi.json", headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    small = stack.get("/health/ping", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in small.headers
    zstd = stack.get("/openapi.json", headers={"Accept-Encoding": "gzip, zstd"})
    assert zstd.headers["Content-Encoding"] == "zstd"
    assert zstd.body[:4] == b"\x28\xb5\x2f\xfd"


def test_packing_can_be_switched_off(new_stack):
    stack = new_stack(RESPONSE_COMPRESSION="false")
    reply = stack.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in reply.headers and "Vary" not in reply.headers


def test_a_trusted_proxy_says_that_there_is_tls(stack, new_stack):
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    header = "Strict-Transport-Security"
    assert header not in stack.get("/docs", headers=told).headers
    behind = new_stack(TRUSTED_PROXIES="127.0.0.1")
    reply = behind.get("/docs", headers=told)
    assert reply.headers[header] == "max-age=31536000; includeSubDomains"
    assert header not in behind.get("/docs").headers
    assert header not in behind.get("/docs", headers={"X-Forwarded-Proto": "http"}).headers
