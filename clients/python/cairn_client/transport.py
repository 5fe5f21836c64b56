"""How requests are sent and answers are read. Standard library only; one thread at a time."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Union

Body = Union[bytes, str, Iterable[bytes], Mapping[str, Any]]


class CairnError(Exception):
    """An answer that is none of 2xx. `code` is stable, the message is for people."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes):
        try:
            problem = json.loads(body)
        except ValueError:
            problem = {}
        if not isinstance(problem, dict):
            problem = {}
        super().__init__(problem.get("error") or f"HTTP {status}")
        self.status = status
        self.code: str = problem.get("code") or "unknown"
        self.field: str | None = problem.get("field")
        self.request_id: str | None = problem.get("request_id") or headers.get("X-Request-ID")
        after = headers.get("Retry-After") or ""
        self.retry_after: int | None = int(after) if after.isdigit() else None


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """A redirection would take the identity elsewhere."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def segment(text: str) -> str:
    """A segment of a path, encoded."""
    return urllib.parse.quote(str(text), safe="")


def _query(values: Mapping[str, Any] | None) -> str:
    pairs = []
    for name, value in (values or {}).items():
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            pairs.append((name, text))
    return "?" + urllib.parse.urlencode(pairs) if pairs else ""


class Transport:
    """`token` or `api_key` says who asks; `timeout` in seconds, of each wait."""

    def __init__(self, url: str, *, token: str | None = None, api_key: str | None = None,
                 timeout: float = 60, ca_file: str | None = None):
        if token and api_key:
            raise ValueError("a token or an API key, not both")
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("url must begin with http:// or https://")
        self.url, self.token, self.api_key = url.rstrip("/"), token, api_key
        self.timeout = timeout
        self._opener = urllib.request.build_opener(
            _NoRedirection, urllib.request.HTTPSHandler(
                context=ssl.create_default_context(cafile=ca_file)))

    def _open(self, method: str, path: str, body: Any,
              content_type: str | None) -> http.client.HTTPResponse:
        if content_type == "application/json":
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        request = urllib.request.Request(self.url + path, data=body, method=method)
        if content_type:
            request.add_header("Content-Type", content_type)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if self.api_key:
            request.add_header("X-API-Key", self.api_key)
        try:
            return self._opener.open(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise CairnError(error.code, error.headers, error.read()) from None

    def _call(self, method: str, path: str, reading: str,
              query: Mapping[str, Any] | None = None, *, body: Any = None,
              content_type: str | None = None) -> Any:
        response = self._open(method, path + _query(query), body, content_type)
        if reading == "lines":
            return _lines(response)
        if reading == "events":
            return _events(response)
        with response:
            data = response.read()
        return json.loads(data) if reading == "json" else data


def _lines(response: http.client.HTTPResponse) -> Iterator[Any]:
    with response:
        for line in response:
            if line.strip():
                yield json.loads(line)


def _events(response: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    """Server-sent events: name and data."""
    name, data = "message", []
    with response:
        for raw in response:
            line = raw.decode("utf-8").rstrip("\r\n")
            field, _, value = line.partition(":")
            if field == "event":
                name = value.strip()
            elif field == "data":
                data.append(value.removeprefix(" "))
            elif not line and data:
                yield name, json.loads("\n".join(data))
                name, data = "message", []
