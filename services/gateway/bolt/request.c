#include "services/gateway/bolt/request.h"

/* Fields by a letter each: m a map, t a text, l a list, n a whole number. */
static const struct {
    const char *name;
    const char *fields;
    enum bolt_tag tag;
    uint8_t since; /* minor version of 5; 0: all */
} messages[] = {
    {"HELLO", "m", BOLT_HELLO, 0},         {"GOODBYE", "", BOLT_GOODBYE, 0},
    {"RESET", "", BOLT_RESET, 0},          {"RUN", "tmm", BOLT_RUN, 0},
    {"BEGIN", "m", BOLT_BEGIN, 0},         {"COMMIT", "", BOLT_COMMIT, 0},
    {"ROLLBACK", "", BOLT_ROLLBACK, 0},    {"DISCARD", "m", BOLT_DISCARD, 0},
    {"PULL", "m", BOLT_PULL, 0},           {"ROUTE", "mlm", BOLT_ROUTE, 0},
    {"LOGON", "m", BOLT_LOGON, 1},         {"LOGOFF", "", BOLT_LOGOFF, 1},
    {"TELEMETRY", "n", BOLT_TELEMETRY, 4},
};

static bool is_of_kind(enum ps_kind kind, char letter)
{
    switch (letter) {
    case 'm':
        return kind == PS_MAP;
    case 't':
        return kind == PS_TEXT;
    case 'l':
        return kind == PS_LIST;
    default:
        return kind == PS_INT;
    }
}

static bool read_fields(struct ps_cursor at, const char *kinds, int64_t count,
                        struct bolt_request *out)
{
    struct ps_token token;

    if (count != (int64_t)strlen(kinds))
        return false;
    for (size_t i = 0; kinds[i] != '\0'; i++) {
        struct ps_cursor peek = at;
        out->fields[i] = at;
        if (!ps_next(&peek, &token) || !is_of_kind(token.kind, kinds[i]) || !ps_skip(&at))
            return false;
    }
    return true;
}

enum sh_err bolt_request_read(struct sh_bytes message, struct bolt_version version,
                              struct bolt_request *out)
{
    struct ps_cursor at = ps_over(message);
    struct ps_token token;
    enum sh_err err = ps_scan(message);

    *out = (struct bolt_request){0};
    if (err != SH_OK)
        return err;
    if (!ps_next(&at, &token) || token.kind != PS_STRUCT)
        return SH_MALFORMED;
    for (size_t i = 0; i < SH_COUNT(messages); i++) {
        if (messages[i].tag != token.tag)
            continue;
        bool spoken =
            messages[i].since == 0 || bolt_at_least(version, 5, messages[i].since);
        out->tag = messages[i].tag;
        return spoken && read_fields(at, messages[i].fields, token.number, out)
                   ? SH_OK
                   : SH_MALFORMED;
    }
    return SH_MALFORMED;
}

const char *bolt_tag_name(enum bolt_tag tag)
{
    for (size_t i = 0; i < SH_COUNT(messages); i++)
        if (messages[i].tag == tag)
            return messages[i].name;
    return "?";
}

/* --- states ----------------------------------------------------------------------- */

static enum bolt_state after_ready(enum bolt_tag tag)
{
    if (tag == BOLT_RUN)
        return BOLT_STREAMING;
    if (tag == BOLT_BEGIN)
        return BOLT_TX_READY;
    if (tag == BOLT_LOGOFF)
        return BOLT_AUTHENTICATION;
    return tag == BOLT_ROUTE || tag == BOLT_TELEMETRY || tag == BOLT_RESET ? BOLT_READY
                                                                           : BOLT_DEFUNCT;
}

static enum bolt_state after_tx(enum bolt_state state, enum bolt_tag tag)
{
    bool streaming = state == BOLT_TX_STREAMING;

    if (tag == BOLT_RUN)
        return BOLT_TX_STREAMING;
    if (tag == BOLT_COMMIT || tag == BOLT_ROLLBACK || tag == BOLT_RESET)
        return BOLT_READY;
    return streaming && (tag == BOLT_PULL || tag == BOLT_DISCARD) ? BOLT_TX_READY
                                                                  : BOLT_DEFUNCT;
}

enum bolt_state bolt_after(enum bolt_state state, enum bolt_tag tag,
                           struct bolt_version version)
{
    switch (state) {
    case BOLT_CONNECTED:
        if (tag != BOLT_HELLO)
            return BOLT_DEFUNCT;
        return bolt_at_least(version, 5, 1) ? BOLT_AUTHENTICATION : BOLT_READY;
    case BOLT_AUTHENTICATION:
        if (tag == BOLT_RESET)
            return BOLT_AUTHENTICATION;
        return tag == BOLT_LOGON ? BOLT_READY : BOLT_DEFUNCT;
    case BOLT_READY:
        return after_ready(tag);
    case BOLT_STREAMING:
        return tag == BOLT_PULL || tag == BOLT_DISCARD || tag == BOLT_RESET
                   ? BOLT_READY
                   : BOLT_DEFUNCT;
    case BOLT_TX_READY:
    case BOLT_TX_STREAMING:
        return after_tx(state, tag);
    case BOLT_FAILED:
    case BOLT_INTERRUPTED:
        return tag == BOLT_RESET ? BOLT_READY : state;
    case BOLT_NEGOTIATION:
    case BOLT_DEFUNCT:
    default:
        return BOLT_DEFUNCT;
    }
}
