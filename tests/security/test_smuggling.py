"""A file per attack, sent as it is to the real gateway: the right status, nothing smuggled
behind it, and an unharmed process. Each goes out whole, and cut at places of its own."""

import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import urllib.parse

import pytest
from attacks import attacks
from stack import eventually
from wire import exchange, statuses_of

CORPUS = list(attacks())


@pytest.mark.parametrize("name,wanted,data", CORPUS, ids=[name for name, _, _ in CORPUS])
def test_attack(target, name, wanted, data):
    places = random.Random(name)
    for count in (0, 3):
        cuts = sorted(places.randrange(1, len(data)) for _ in range(count))
        answer = exchange(target.env["GATEWAY_URL"], data, cuts, 408 in wanted)
        statuses = statuses_of(answer)
        assert len(statuses) == 1 and statuses[0] in wanted, answer[:2000]
        head = answer.split(b"\r\n\r\n")[0].lower()
        assert b"\r\nx-evil" not in head and b"\r\nserver:" not in head
        assert b"x-content-type-options: nosniff" in head


# --- behind nginx, which passes requests of different clients on over one connection

NGINX = """
daemon off; master_process off; pid {dir}/pid; error_log {dir}/error;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  client_header_timeout 2s; client_body_timeout 2s; underscores_in_headers on;
  ignore_invalid_headers off; client_max_body_size 100m;
  upstream cairn {{ server {upstream}; keepalive 1; }}
  server {{
    listen unix:{dir}/front;
    location / {{
      proxy_pass http://cairn; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_request_buffering off;
    }}
  }}
}}
"""


@pytest.fixture(scope="module")
def nginx(target):
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if not program:
        pytest.skip("nginx is not installed")
    with tempfile.TemporaryDirectory(prefix="cairn-") as folder:
        upstream = urllib.parse.urlsplit(target.env["GATEWAY_URL"]).netloc
        conf = pathlib.Path(folder, "conf")
        conf.write_text(NGINX.format(dir=folder, upstream=upstream))
        process = subprocess.Popen([program, "-c", conf, "-p", folder], stderr=subprocess.PIPE)
        front = f"ipc://{folder}/front"
        try:
            eventually(lambda: os.path.exists(f"{folder}/front"), seconds=60)
            yield front
        finally:
            process.terminate()
            process.wait(timeout=60)
            process.stderr.close()


def test_nobody_gets_the_answer_to_a_smuggled_request(target, nginx):
    """After each attack somebody else asks, over the same connection to the gateway."""
    for number, (name, _, data) in enumerate(CORPUS):
        exchange(nginx, data.replace(b"GET /smuggled", b"GET /from-" + name.encode()), ends=True)
        for turn in ("a", "b"):
            mine = f"victim-{number}-{turn}"
            answer = exchange(nginx, b"GET /health/ping HTTP/1.1\r\nHost: a\r\nConnection: close"
                              b"\r\nX-Request-ID: " + mine.encode() + b"\r\n\r\n")
            head = answer.split(b"\r\n\r\n")[0].lower()
            assert statuses_of(answer) == [200], (name, answer)
            assert b"x-request-id: " + mine.encode() in head, (name, answer)
    target.get("/the-end-of-the-smuggling")
    eventually(lambda: "the-end-of-the-smuggling" in target.log("gateway"), seconds=60)
    assert "/from-" not in target.log("gateway")
