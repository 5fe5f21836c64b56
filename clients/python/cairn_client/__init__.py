"""Cairn's HTTP API:

    from cairn_client import Client

    cairn = Client("https://cairn.example.org", api_key="cairn_...")
    for hit in cairn.search_documents({"query": "annual leave"})["results"]:
        print(hit["document_title"], hit["text"])

Every operation of /openapi.json is a method of the same name, every shape a TypedDict in
cairn_client.types. Python 3.11 or later, standard library only."""

from __future__ import annotations

import json
import pathlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import types
from .operations import Operations
from .transport import CairnError

__all__ = ["CairnError", "Client", "types"]


class Client(Operations):
    """The operations, and what takes more than one call. One thread at a time."""

    def sign_in(self, username: str, password: str) -> types.Entry:
        """Ask from now on as this user."""
        entry = self.login({"username": username, "password": password})
        if not entry["access_token"]:
            raise ValueError("this server gives no tokens, sessions only")
        self.token, self.api_key = entry["access_token"], None
        return entry

    def pages(self, operation: Callable[..., Any], member: str, *path: str,
              **query: Any) -> Iterator[Any]:
        """The items of all pages: pages(cairn.list_documents, "documents", per_page=100)."""
        number = query.pop("page", 1)
        while True:
            page = operation(*path, **query)
            yield from page[member]
            if page.get("next_cursor"):
                query["cursor"] = page["next_cursor"]
            elif page.get("pagination", {}).get("has_next"):
                number += 1
                query["page"] = number
            else:
                return

    def upload(self, file: str | pathlib.Path | bytes, *, name: str | None = None,
               metadata: Mapping[str, Any] | None = None, refresh: bool | None = None,
               **about: str) -> types.Stored:
        """Store a file, of which the server makes a document; `about`: id, title,
        collection, language."""
        if isinstance(file, bytes):
            data = file
        else:
            data, name = pathlib.Path(file).read_bytes(), name or pathlib.Path(file).name
        parts: dict[str, str] = dict(about)
        if metadata is not None:
            parts["metadata"] = json.dumps(metadata)
        border = "cairn-" + secrets.token_hex(16)
        form = b""
        for key, text in parts.items():
            form += (f'--{border}\r\nContent-Disposition: form-data; name="{_quoted(key)}"'
                     f"\r\n\r\n{text}\r\n").encode()
        form += (f'--{border}\r\nContent-Disposition: form-data; name="file"; '
                 f'filename="{_quoted(name or "file")}"\r\n'
                 "Content-Type: application/octet-stream\r\n\r\n").encode()
        form += data + f"\r\n--{border}--\r\n".encode()
        return self._call("POST", "/api/documents", "json", {"refresh": refresh}, body=form,
                          content_type=f"multipart/form-data; boundary={border}")

    def follow_job(self, job_id: str,
                   on_progress: Callable[[types.Job], None] | None = None) -> types.Job:
        """Follow a job to its end; its last state."""
        for _, job in self.watch_job(job_id):
            if on_progress:
                on_progress(job)
        return self.get_job(job_id)


def _quoted(text: str) -> str:
    """Within the quotes of a part's head, as browsers write it."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
