#include "services/gateway/limits/quota.h"

#include <string.h>

#include "shared/digits.h"

static uint64_t seconds(uint64_t us)
{
    return (us + 999999) / 1000000;
}

static bool is_refusing(const struct ledger_result *result)
{
    return result->outcome == LEDGER_EMPTY ||
           (result->outcome == LEDGER_ASK && result->state.retry_us > 0);
}

/* Refused: the one to wait longest for. Admitted: the one with the least left. */
static size_t tightest(const struct limiter_ask *ask)
{
    size_t at = 0;
    bool found = false;

    for (size_t i = 0; i < ask->count; i++) {
        const struct ledger_state *state = &ask->results[i].state;
        const struct ledger_state *best = &ask->results[at].state;
        if (!ask->admitted && !is_refusing(&ask->results[i]))
            continue;
        if (!found || (ask->admitted ? state->remaining < best->remaining
                                     : state->retry_us > best->retry_us))
            at = i;
        found = true;
    }
    return at;
}

/* --- text; with every request, so without printf; all return where the next one goes --
 */

#define PUT(at, text) put(at, text, sizeof(text) - 1)

static inline char *put(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

static inline char *put_number(char *at, uint64_t number)
{
    return at + sh_digits(number, at);
}

static char *put_name(char *at, const char *name)
{
    *at++ = '"';
    at = put(at, name, strnlen(name, QUOTA_NAME));
    *at++ = '"';
    return at;
}

/* --- the policy: of the rules that were asked for last, most often the same again -- */

#define POLICY    "RateLimit-Policy: "
#define QUANTITY  ";q="
#define WINDOW    ";w="
#define STANDING  "\r\nRateLimit: "
#define REMAINING ";r="
#define TIME      ";t="
#define LIMIT     "\r\nX-RateLimit-Limit: "
#define LEFT      "\r\nX-RateLimit-Remaining: "
#define RESET     "\r\nX-RateLimit-Reset: "
#define END       "\r\n"

enum {
    QUOTED = QUOTA_NAME + 2,
    RULE = QUOTED + (int)sizeof(", " QUANTITY WINDOW) + 2 * SH_DIGITS_MAX,
    POLICY_TEXT = (int)sizeof POLICY + LIMITER_BUCKETS * RULE,
    REST = (int)sizeof(STANDING REMAINING TIME LIMIT LEFT RESET END) + QUOTED +
           5 * SH_DIGITS_MAX
};
_Static_assert(POLICY_TEXT + REST <= QUOTA_LINES, "the lines have no room");

struct known {
    struct bucket_rule rules[LIMITER_BUCKETS];
    size_t count;
    size_t len;
    char text[POLICY_TEXT];
};

static bool is_same(const struct bucket_rule *a, const struct bucket_rule *b)
{
    return a->name == b->name && a->capacity == b->capacity &&
           a->interval_us == b->interval_us;
}

static bool is_known(const struct known *known, const struct limiter_ask *ask)
{
    size_t i = 0;

    while (i < ask->count && i < known->count &&
           is_same(&known->rules[i], &ask->buckets[i].rule))
        i++;
    return i == ask->count && i == known->count;
}

static void learn(struct known *known, const struct limiter_ask *ask)
{
    char *at = PUT(known->text, POLICY);

    known->count = ask->count;
    for (size_t i = 0; i < ask->count; i++) {
        const struct bucket_rule *rule = &ask->buckets[i].rule;
        known->rules[i] = *rule;
        if (i > 0)
            at = PUT(at, ", ");
        at = PUT(put_name(at, rule->name), QUANTITY);
        at = PUT(put_number(at, rule->capacity), WINDOW);
        at = put_number(at, seconds(bucket_span_us(rule)));
    }
    known->len = (size_t)(at - known->text);
}

static char *put_policy(char *at, const struct limiter_ask *ask)
{
    static _Thread_local struct known known;

    if (!is_known(&known, ask))
        learn(&known, ask);
    return put(at, known.text, known.len);
}

void quota_write(const struct limiter_ask *ask, double now_s, struct quota *quota)
{
    size_t tight = tightest(ask);
    const struct bucket_rule *rule = &ask->buckets[tight].rule;
    const struct ledger_state *state = &ask->results[tight].state;
    uint32_t remaining = ask->admitted ? state->remaining : 0;

    char *at = PUT(put_policy(quota->lines, ask), STANDING);
    at = PUT(put_name(at, rule->name), REMAINING);
    at = PUT(put_number(at, remaining), TIME);
    at = PUT(put_number(at, seconds(state->reset_us)), LIMIT);
    at = PUT(put_number(at, rule->capacity), LEFT);
    at = PUT(put_number(at, remaining), RESET);
    at = put_number(at, (uint64_t)(now_s + (double)state->reset_us / 1e6 + 0.5));
    at = PUT(at, END);
    quota->len = (size_t)(at - quota->lines);
    quota->bucket = rule->name;
    uint64_t retry =
        state->retry_us < 86400 * UINT64_C(1000000) ? seconds(state->retry_us) : 86400;
    quota->retry_after_s = ask->admitted ? 0 : retry > 0 ? (unsigned)retry : 1;
}
