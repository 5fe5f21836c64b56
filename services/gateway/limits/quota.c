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

/* --- text; with every request, so without printf ---------------------------------- */

struct line {
    char *text;
    size_t size;
    size_t len;
};

/* What does not fit is left out; the text always ends. */
static void put(struct line *line, const char *text, size_t len)
{
    size_t room = line->size - line->len - 1;
    if (len > room)
        len = room;
    memcpy(line->text + line->len, text, len);
    line->len += len;
    line->text[line->len] = '\0';
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void put_number(struct line *line, const char *before, uint64_t number)
{
    char digits[SH_DIGITS_MAX];
    put_text(line, before);
    put(line, digits, sh_digits(number, digits));
}

/* --- the policy: of the rules that were asked for last, most often the same again -- */

struct known {
    struct bucket_rule rules[LIMITER_BUCKETS];
    size_t count;
    char text[QUOTA_TEXT];
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
    struct line policy = {known->text, sizeof known->text, 0};

    known->text[0] = '\0';
    known->count = ask->count;
    for (size_t i = 0; i < ask->count; i++) {
        const struct bucket_rule *rule = &ask->buckets[i].rule;
        known->rules[i] = *rule;
        put_text(&policy, i > 0 ? ", \"" : "\"");
        put_text(&policy, rule->name);
        put_number(&policy, "\";q=", rule->capacity);
        put_number(&policy, ";w=", seconds(bucket_span_us(rule)));
    }
}

static void put_policy(struct line *policy, const struct limiter_ask *ask)
{
    static _Thread_local struct known known;

    if (!is_known(&known, ask))
        learn(&known, ask);
    put_text(policy, known.text);
}

void quota_write(const struct limiter_ask *ask, double now_s, struct quota *quota)
{
    struct line policy = {quota->policy, sizeof quota->policy, 0};
    struct line standing = {quota->standing, sizeof quota->standing, 0};

    put_policy(&policy, ask);
    size_t at = tightest(ask);
    const struct bucket_rule *rule = &ask->buckets[at].rule;
    const struct ledger_state *state = &ask->results[at].state;
    uint32_t remaining = ask->admitted ? state->remaining : 0;
    put_text(&standing, "\"");
    put_text(&standing, rule->name);
    put_number(&standing, "\";r=", remaining);
    put_number(&standing, ";t=", seconds(state->reset_us));
    put_number(&(struct line){quota->limit, sizeof quota->limit, 0}, "", rule->capacity);
    put_number(&(struct line){quota->remaining, sizeof quota->remaining, 0}, "",
               remaining);
    put_number(&(struct line){quota->reset, sizeof quota->reset, 0}, "",
               (uint64_t)(now_s + (double)state->reset_us / 1e6 + 0.5));
    quota->bucket = rule->name;
    uint64_t retry =
        state->retry_us < 86400 * UINT64_C(1000000) ? seconds(state->retry_us) : 86400;
    quota->retry_after_s = ask->admitted ? 0 : retry > 0 ? (unsigned)retry : 1;
}
