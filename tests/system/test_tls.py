"""TLS of the public port, on the real gateway: certificates that change, the plain port
beside it, and set-ups that are refused."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading

import pytest
from bolt import Bolt
from conftest import BIN, ROOT, eventually


def make_pair(directory, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "30", "-subj", f"/CN={name}", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", directory / "key.pem",
         "-out", directory / "cert.pem"], check=True, capture_output=True)
    os.chmod(directory / "key.pem", 0o600)


@pytest.fixture
def pair(tmp_path):
    make_pair(tmp_path, "first")
    return tmp_path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def gateway(pair, **settings):
    """A gateway of its own with this certificate; its process and port."""
    process = subprocess.Popen(
        [BIN / "cairn-gateway"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "API_PORT": "0", "OPS_PORT": "0", "WORKERS": "2",
             "TLS_CERT_FILE": str(pair / "cert.pem"), "TLS_KEY_FILE": str(pair / "key.pem"),
             "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp", **settings})
    try:
        message = next(line["message"] for line in map(json.loads, process.stdout)
                       if line["message"].startswith("listening on"))
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield process, int(re.search(r"port (\d+)", message).group(1))
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0


def connect(port, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=60))


def ping(connection):
    connection.sendall(b"GET /health/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while b"pong" not in answer:
        piece = connection.recv(65536)
        assert piece, answer
        answer += piece
    return answer


def name_of(connection):
    der = connection.getpeercert(binary_form=True)
    pem = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"],
                         input=der, check=True, capture_output=True)
    return pem.stdout.decode().split("=")[-1].strip()


def test_both_versions_and_the_header_that_keeps_browsers(pair):
    with gateway(pair) as (_, port):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with connect(port, version) as connection:
                answer = ping(connection)
                assert answer.startswith(b"HTTP/1.1 200")
                assert b"Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n" \
                    in answer
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
            plain.sendall(b"GET /health/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := plain.recv(65536):
                    answer += piece
            assert b"HTTP/1.1" not in answer


def test_certificates_change_without_dropping_anybody(pair):
    with gateway(pair) as (process, port), connect(port) as old:
        ping(old)
        make_pair(pair, "second")
        process.send_signal(signal.SIGHUP)

        def changed():
            with connect(port) as fresh:
                ping(fresh)
                return name_of(fresh) == "second"
        eventually(changed)
        ping(old)  # still there, under the old one
        (pair / "cert.pem").write_text("nothing")
        process.send_signal(signal.SIGHUP)
        for _ in range(20):
            with connect(port) as fresh:
                ping(fresh)
                assert name_of(fresh) == "second"
        ping(old)


def test_the_plain_port_sends_browsers_to_tls(pair):
    tls_port, api_port = free_port(), free_port()
    with gateway(pair, TLS_PORT=str(tls_port), API_PORT=str(api_port)) as (_, port):
        assert port == tls_port
        with connect(port) as connection:
            ping(connection)
        for method, status in ((b"GET", b"308"), (b"POST", b"403")):
            with socket.create_connection(("127.0.0.1", api_port), timeout=60) as plain:
                plain.sendall(method + b" /docs?a=b HTTP/1.1\r\nHost: localhost:1\r\n"
                              b"Content-Length: 0\r\nConnection: close\r\n\r\n")
                answer = b""
                while piece := plain.recv(65536):
                    answer += piece
                assert answer.startswith(b"HTTP/1.1 " + status)
                assert b"Strict-Transport" not in answer
                if method == b"GET":
                    assert b"Location: https://localhost:%d/docs?a=b\r\n" % port in answer


def test_bolt_speaks_tls_with_the_same_certificate(pair):
    port = free_port()
    trusting = ssl.create_default_context(cafile=pair / "cert.pem")
    with gateway(pair, BOLT_PORT=str(port)):
        connection = Bolt("localhost", port, tls=trusting)
        assert connection.hello(scheme="none")["server"].startswith("Neo4j/")
        connection.close()


@pytest.mark.parametrize("settings,word", [
    ({"TLS_KEY_FILE": ""}, "TLS_KEY_FILE"),
    ({"TLS_CERT_FILE": "/nowhere"}, "/nowhere"),
    ({"TLS_CERT_FILE": "", "TLS_KEY_FILE": "", "TLS_PORT": "8443"}, "TLS_PORT"),
])
def test_bad_set_ups_do_not_start(pair, settings, word):
    environment = {**os.environ, "API_PORT": "0", "OPS_PORT": "0",
                   "TLS_CERT_FILE": str(pair / "cert.pem"),
                   "TLS_KEY_FILE": str(pair / "key.pem"), **settings}
    done = subprocess.run([BIN / "cairn-gateway"], env=environment, cwd=ROOT, timeout=60,
                          capture_output=True, text=True)
    assert done.returncode != 0 and word in done.stdout + done.stderr


def test_a_key_that_others_can_read_does_not_start(pair):
    os.chmod(pair / "key.pem", 0o644)
    test_bad_set_ups_do_not_start(pair, {}, "can be read by others")
