"""Traces as a collector of OpenTelemetry gets them: one for each request, through all
services and to PostgreSQL."""

import json

from conftest import eventually
from receiver import Receiver

TRACE = "0af7651916cd43dd8448eb211c80319c"
ABOVE = "b7ad6b7169203331"


def spans(collector):
    """Of what was told so far: span id -> (service, span)."""
    found = {}
    for path, _, body in list(collector.heard):
        assert path == "/v1/traces"
        for resource in json.loads(body)["resourceSpans"]:
            about = {note["key"]: note["value"]["stringValue"]
                     for note in resource["resource"]["attributes"]}
            for span in resource["scopeSpans"][0]["spans"]:
                found[span["spanId"]] = (about["service.name"], span)
    return found


def path_up(found, span):
    """Services from a span to the outermost, as long as they are known."""
    services = []
    while span["parentSpanId"] in found:
        service, span = found[span["parentSpanId"]]
        services.append(service)
    return services, span


def whole(collector):
    """The spans of the trace when all of them are there: none hangs in the air."""
    found = {key: (service, span) for key, (service, span) in spans(collector).items()
             if span["traceId"] == TRACE}
    services = {service for service, _ in found.values()}
    statements = [span for _, span in found.values()
                  if any(note["key"] == "db.system.name" for note in span["attributes"])]
    lost = [span for _, span in found.values()
            if span["parentSpanId"] not in found and span["parentSpanId"] != ABOVE]
    good = services >= {"cairn-gateway", "cairn-search", "cairn-embedder"} and statements
    return (found, statements) if good and not lost else None


def test_one_trace_goes_from_the_client_to_the_database(new_stack):
    with Receiver() as collector:
        stack = new_stack(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
                          OTEL_TRACES_SAMPLER_ARG="0", OTEL_BSP_SCHEDULE_DELAY="10", WORKERS=1)
        unseen = stack.post("/api/documents", {"id": "a", "title": "t", "text": "words"})
        assert unseen.status == 201, unseen.body
        reply = stack.post("/api/documents", {"id": "b", "title": "t", "text": "other words"},
                           headers={"traceparent": f"00-{TRACE}-{ABOVE}-01"})
        assert reply.status == 201, reply.body
        found, statements = eventually(lambda: whole(collector), seconds=60)
        for statement in statements:
            services, outermost = path_up(found, statement)
            assert services[-1] == "cairn-gateway"
            assert outermost["parentSpanId"] == ABOVE
            assert outermost["name"] == "store_document"
        assert any("cairn-search" in path_up(found, s)[0] for s in statements)
        # what was not sampled at its beginning is not told anywhere
        assert {span["traceId"] for _, span in spans(collector).values()} == {TRACE}
