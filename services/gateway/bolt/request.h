/* request: what a client says, one message at a time, and the states that a connection
 * goes through by it. Pure; any thread.
 * After https://neo4j.com/docs/bolt/current/bolt/message/ and …/server-state/ */
#ifndef GATEWAY_BOLT_REQUEST_H
#define GATEWAY_BOLT_REQUEST_H

#include "services/gateway/bolt/handshake.h"
#include "services/gateway/bolt/packstream.h"

enum bolt_tag {
    BOLT_HELLO = 0x01,
    BOLT_GOODBYE = 0x02,
    BOLT_RESET = 0x0f,
    BOLT_RUN = 0x10,
    BOLT_BEGIN = 0x11,
    BOLT_COMMIT = 0x12,
    BOLT_ROLLBACK = 0x13,
    BOLT_DISCARD = 0x2f,
    BOLT_PULL = 0x3f,
    BOLT_TELEMETRY = 0x54,
    BOLT_ROUTE = 0x66,
    BOLT_LOGON = 0x6a,
    BOLT_LOGOFF = 0x6b,
    /* what a server says */
    BOLT_SUCCESS = 0x70,
    BOLT_RECORD = 0x71,
    BOLT_IGNORED = 0x7e,
    BOLT_FAILURE = 0x7f,
};

enum bolt_state {
    BOLT_NEGOTIATION, /* before the handshake */
    BOLT_CONNECTED,
    BOLT_AUTHENTICATION,
    BOLT_READY,
    BOLT_STREAMING, /* a result is open */
    BOLT_TX_READY,
    BOLT_TX_STREAMING,
    BOLT_FAILED,      /* everything is ignored until RESET */
    BOLT_INTERRUPTED, /* a RESET is on its way */
    BOLT_DEFUNCT,     /* over */
};

enum { BOLT_FIELDS = 3 };

struct bolt_request {
    enum bolt_tag tag;
    struct ps_cursor fields[BOLT_FIELDS]; /* each at its value, in the scanned message */
};

/* The message must outlive *out. Errors: SH_MALFORMED: that is no message of this
 * version; SH_TOOBIG: nested too deeply. */
SH_CHECK enum sh_err bolt_request_read(struct sh_bytes message,
                                       struct bolt_version version,
                                       struct bolt_request *out);
/* "RUN"; "?" for what is none. */
const char *bolt_tag_name(enum bolt_tag tag);

/* The state after this request has succeeded, a result having been read to its end:
 * BOLT_DEFUNCT when it must not come in `state`. BOLT_FAILED and BOLT_INTERRUPTED stay as
 * they are by what is ignored. */
enum bolt_state bolt_after(enum bolt_state state, enum bolt_tag tag,
                           struct bolt_version version);

#endif
