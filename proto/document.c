/* Prints docs/protocol.md: what the tables say, and what they cannot. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/envelope.h"
#include "proto/msg.h"

static const char introduction[] =
    "# How services talk\n"
    "\n"
    "Generated from `proto/envelope.h` and `proto/messages.h`; do not edit.\n"
    "\n"
    "A service binds one ZeroMQ ROUTER. Whoever calls it owns one DEALER for each "
    "replica's\n"
    "address and each event loop; there is no broker. A message has exactly two or "
    "three\n"
    "frames after ROUTER's identity: `[header][meta]` or `[header][meta][payload]`. "
    "Anything\n"
    "else is counted (`cairn_rpc_bad_messages_total`) and dropped.\n";

static const char flow[] =
    "## A conversation\n"
    "\n"
    "1. **HELLO**, with the message `hello` in meta: which service is wanted and which\n"
    "   versions are spoken. **HELLO_ACK** says who answers, and `credit`: how many "
    "requests\n"
    "   this caller may have in flight. A request before HELLO is answered\n"
    "   REJECTED_NOT_EXECUTED.\n"
    "2. **REQUEST**, with the message `caller` in meta and the method's message as "
    "payload.\n"
    "   **REPLY** bears the method's answer as payload, or, with flag 1, in meta, and "
    "raw\n"
    "   bytes (vectors as little-endian float32) as payload. **ERROR** bears "
    "`rpc_error`.\n"
    "3. **CANCEL** says that nobody waits any more; its answer is dropped.\n"
    "4. **PING** four times a second, answered from the service's work loop by **PONG** "
    "with\n"
    "   depth and age. Three that stay unanswered eject the replica. PONG with status\n"
    "   REJECTED_NOT_EXECUTED means that the service does not know the caller (its\n"
    "   connection was renewed): HELLO again, on a new socket with a new epoch.\n"
    "   With flag 8 HELLO and PING say of how many changes of the state the caller has\n"
    "   heard. PONG comes unasked when the state changes, and with flag 16 when one\n"
    "   waits until every caller has heard of it: PING at once, then. A caller trusts\n"
    "   the state it knows for 900 ms from the PING that was answered; a service waits\n"
    "   for those that do not say that they know until their last PING is 1,000 ms old.\n"
    "5. **DRAINING**: nothing new, please; what was accepted is finished. Then **BYE**.\n"
    "\n"
    "### Payloads over 1 MiB\n"
    "\n"
    "The first piece goes with REQUEST or REPLY and flag 2, `payload_bytes` being the "
    "whole.\n"
    "A method's own limit is checked against it before anything is assembled. The "
    "receiver\n"
    "answers with **CREDIT** (`credit`: pieces it will take, four to begin with, then "
    "one "
    "for\n"
    "each), and the rest follows in **CHUNK** messages, the last one without flag 2.\n"
    "\n";

static const char health[] =
    "## Choosing, waiting, trying again\n"
    "\n"
    "- Of two random ready replicas the one with less outstanding and less advertised "
    "depth.\n"
    "  Beyond the credit a request waits min(50 ms, a quarter of its time), then "
    "OVERLOADED.\n"
    "- Ejected is a replica with three missed PINGs, five failures in a row, a success "
    "rate\n"
    "  below the mean - 1.9 standard deviations, or a p99 above three times its peers' "
    "median\n"
    "  (and above 20 ms, by ten answers and more); for 5 s × count, 1 s × count after\n"
    "  missed PINGs, at most 60 s, give or take a fifth, and never\n"
    "  below half of the replicas. Whose PONGs were late then (20 ms) is asked on, and "
    "out "
    "only\n"
    "  until four in a row come in time. It returns after two good PINGs and one trial "
    "request,\n"
    "  slowly over 10 s.\n"
    "- A replica that has not seen the whole record for 2.5 s says so by the queue depth "
    "65535,\n"
    "  and is asked only while all that take work say so: what was deleted may still be "
    "in "
    "it.\n"
    "- Reads are tried again twice, writes once and only when surely nothing was done or "
    "with\n"
    "  an idempotency key; always elsewhere, after random(0, 25 ms × 2ⁿ), within a "
    "budget "
    "of\n"
    "  20 % of the active requests (at least 3). A read that takes longer than the "
    "rolling "
    "p95\n"
    "  (at least 20 ms) is sent to a second replica.\n"
    "- More than half failed of at least 20 requests in ten seconds, or nobody ready: "
    "refused\n"
    "  at once; one request a second probes.\n"
    "\n"
    "## Keys\n"
    "\n"
    "With `RPC_KEY` every socket speaks CURVE: the service's ROUTER is the CURVE server, "
    "a\n"
    "caller knows the service's public key beforehand, and the service lets in the keys "
    "of\n"
    "`RPC_CALLERS`, by a ZAP handler with the caller's public key as its user id. HELLO "
    "is\n"
    "refused when that key is not, or no longer, on the list. A caller whose handshake\n"
    "fails takes the next of the service's public keys.\n"
    "\n"
    "## Socket options\n"
    "\n"
    "| option | DEALER | ROUTER | reason |\n"
    "| --- | --- | --- | --- |\n"
    "| IMMEDIATE | 1 | | a dead replica's pipe would take messages and deliver them "
    "after "
    "its restart |\n"
    "| ROUTER_MANDATORY | | 1 | replies to a slow peer would vanish silently |\n"
    "| SNDHWM / RCVHWM | 256 / 1000 | 256 / 1000 | a backstop; the limit is the credit "
    "|\n"
    "| LINGER | 0 | 2000 ms after a drain, else 0 | 0 loses replies just sent; -1 hangs "
    "|\n"
    "| HANDSHAKE_IVL | 1000 ms | 1000 ms | |\n"
    "| CONNECT_TIMEOUT | 500 ms | | |\n"
    "| RECONNECT_IVL / MAX | 100 / 2000 ms | | |\n"
    "| HEARTBEAT_IVL / TIMEOUT | 500 / 1000 ms | 1000 / 2000 ms | finds dead machines, "
    "not "
    "stuck programs: the I/O thread answers it |\n"
    "| MAXMSGSIZE | 8 MiB | 8 MiB | of a frame; of a message: rpc_unfinished.h |\n"
    "| TCP_KEEPALIVE, IDLE, INTVL, CNT | 1, 5, 2, 3 | 1, 5, 2, 3 | |\n"
    "\n";

static const char encoding[] =
    "## Messages\n"
    "\n"
    "A message is a msgpack array: its id, then its fields in order. A `list` is an "
    "array "
    "of\n"
    "such arrays. Fields that the sender left out are zero, further ones are ignored; "
    "ids "
    "are\n"
    "never reused and fields only appended. Limits are checked on both sides: the bytes "
    "of "
    "a\n"
    "text (UTF-8), the count of a list, the value of a number; over all, depth 16 and "
    "262,144\n"
    "elements. Numbers are finite, extension types refused.\n"
    "\n";

static void print_header(void)
{
    (void)printf("\n## Header\n\n%d bytes, little-endian.\n\n"
                 "| at | bytes | field | |\n| --- | --- | --- | --- |\n",
                 ENVELOPE_BYTES);
#define ROW(offset, bytes, member, meaning)                                              \
    (void)printf("| %d | %d | %s | %s |\n", offset, bytes, #member, meaning);
    ENVELOPE_LAYOUT(ROW)
#undef ROW
    (void)printf("\n### Types\n\n| | | |\n| --- | --- | --- |\n");
#define ROW(value, name, meaning)                                                        \
    (void)printf("| %d | %s | %s |\n", value, #name, meaning);
    ENVELOPE_TYPES(ROW)
#undef ROW
    (void)printf("\n### Statuses\n\n| | | meaning | HTTP |\n| --- | --- | --- | --- |\n");
#define ROW(value, name, error, meaning)                                                 \
    (void)printf("| %d | %s | %s | %d |\n", value, #name, meaning,                       \
                 sh_err_http_status(error));
    ENVELOPE_STATUSES(ROW)
#undef ROW
    (void)printf("\n");
}

static const char *link_to(const char *message)
{
    static char text[2][160];
    static unsigned turn;
    char *out = text[turn++ % 2];
    if (strcmp(message, "-") == 0)
        return "raw bytes";
    (void)snprintf(out, sizeof(text[0]), "[%s](#%s)", message, message);
    return out;
}

static void print_methods(void)
{
    (void)printf("## Methods\n\n| id | method | request | reply | |\n"
                 "| --- | --- | --- | --- | --- |\n");
#define ROW(id, constant, name, request, reply, meaning)                                 \
    (void)printf("| %d | `%s` | %s | %s | %s |\n", id, name, link_to(#request),          \
                 link_to(#reply), meaning);
    METHODS(ROW)
#undef ROW
    (void)printf("\n");
}

static void print_field(const struct msg_field *field)
{
    static const char *const types[] = {
        [MSG_u32] = "u32",     [MSG_u64] = "u64",    [MSG_f64] = "f64",
        [MSG_flag] = "flag",   [MSG_str] = "text",   [MSG_json] = "JSON text",
        [MSG_bytes] = "bytes", [MSG_strs] = "texts", [MSG_list] = "list of",
    };
    const char *of = field->of ? link_to(field->of()->name) : "";
    (void)printf("| %s | %s%s%s | ", field->name, types[field->type],
                 field->of ? " " : "", of);
    if (field->type == MSG_f64 || field->type == MSG_flag || field->max == UINT64_MAX)
        (void)printf("|\n");
    else
        (void)printf("%" PRIu64 " |\n", field->max);
}

static void print_messages(void)
{
    for (const struct msg_desc *const *desc = msg_all(); *desc; desc++) {
        (void)printf("### %s\n\nid %" PRIu32
                     "\n\n| field | type | most |\n| --- | --- | --- |\n",
                     (*desc)->name, (*desc)->id);
        for (size_t i = 0; i < (*desc)->count; i++)
            print_field(&(*desc)->fields[i]);
        (void)printf("%s", desc[1] ? "\n" : "");
    }
}

int main(void)
{
    (void)fputs(introduction, stdout);
    print_header();
    (void)fputs(flow, stdout);
    (void)fputs(health, stdout);
    print_methods();
    (void)fputs(encoding, stdout);
    print_messages();
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
