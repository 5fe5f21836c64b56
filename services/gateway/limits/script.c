#include "services/gateway/limits/script.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>

enum { FIGURES = 4, DIGEST = 40 }; /* of an answer */

/* Of a bucket's tokens one gateway takes at most this part at once, but always one: near
 * the limit they are given out one by one. */
#define LEASE_PART "16"

static const char text[] =
    "local time = redis.call('TIME')\n"
    "local now = time[1] * 1000000 + time[2]\n"
    "local full, ok, out = {}, true, {}\n"
    "local function rule(i)\n"
    "  return tonumber(ARGV[i * 5 - 4]), tonumber(ARGV[i * 5 - 3]),\n"
    "    tonumber(ARGV[i * 5 - 2]), tonumber(ARGV[i * 5 - 1]), tonumber(ARGV[i * 5])\n"
    "end\n"
    "for i, key in ipairs(KEYS) do\n"
    "  local interval, capacity, want, owed, least = rule(i)\n"
    "  local at = tonumber(redis.call('GET', key) or '') or now\n"
    "  at = math.max(math.max(at, now + least) + owed, now)\n"
    "  full[i] = math.min(at, now + interval * capacity)\n"
    "  if want > 0 and full[i] + interval > now + interval * capacity then\n"
    "    ok = false\n"
    "  end\n"
    "end\n"
    "for i, key in ipairs(KEYS) do\n"
    "  local interval, capacity, want, owed, least = rule(i)\n"
    "  local free = math.floor((now + interval * capacity - full[i]) / interval)\n"
    "  local granted = 0\n"
    "  if ok and want > 0 then\n"
    "    granted = math.min(want, math.max(1, math.floor(free / " LEASE_PART ")))\n"
    "  end\n"
    "  full[i] = full[i] + granted * interval\n"
    "  if granted > 0 or owed ~= 0 or least > 0 then\n"
    "    redis.call('SET', key, string.format('%.0f', full[i]),\n"
    "      'PX', math.ceil((full[i] - now) / 1000) + 1000)\n"
    "  end\n"
    "  out[i * 4 - 3] = granted\n"
    "  out[i * 4 - 2] = free - granted\n"
    "  out[i * 4 - 1] = full[i] - now\n"
    "  out[i * 4] = math.max(0, full[i] + interval - now - interval * capacity)\n"
    "end\n"
    "return out\n";

static char digest[DIGEST + 1];

enum sh_err script_start(void)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (EVP_Digest(text, sizeof text - 1, raw, &len, EVP_sha1(), NULL) != 1 ||
        len * 2 != DIGEST)
        return SH_INTERNAL;
    for (unsigned i = 0; i < len; i++)
        (void)snprintf(digest + (size_t)i * 2, 3, "%02x", raw[i]);
    return SH_OK;
}

static void add_number(struct script_call *call, size_t *used, int64_t value)
{
    char *number = call->numbers[(*used)++];
    int len = snprintf(number, SCRIPT_NUMBER, "%" PRId64, value);

    call->words[call->count++] = (struct sh_bytes){number, (size_t)len};
}

void script_write(struct script_call *call, const struct script_item *items, size_t count,
                  bool whole)
{
    size_t used = 0;

    call->count = 0;
    call->words[call->count++] = sh_bytes_of(whole ? "EVAL" : "EVALSHA");
    call->words[call->count++] = whole ? (struct sh_bytes){text, sizeof text - 1}
                                       : (struct sh_bytes){digest, DIGEST};
    add_number(call, &used, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        call->words[call->count++] = items[i].bucket->key;
    for (size_t i = 0; i < count; i++) {
        const struct bucket_rule *rule = &items[i].bucket->rule;
        add_number(call, &used, (int64_t)rule->interval_us);
        add_number(call, &used, rule->capacity);
        add_number(call, &used, items[i].want);
        add_number(call, &used, items[i].owed_us);
        add_number(call, &used, (int64_t)items[i].least_us);
    }
}

bool script_is_unknown(const redisReply *reply)
{
    return reply != NULL && reply->type == REDIS_REPLY_ERROR &&
           strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

static bool read_figure(const redisReply *reply, size_t at, uint64_t most, uint64_t *out)
{
    const redisReply *element = reply->element[at];

    if (element->type != REDIS_REPLY_INTEGER || element->integer < 0 ||
        (uint64_t)element->integer > most)
        return false;
    *out = (uint64_t)element->integer;
    return true;
}

bool script_read(const redisReply *reply, size_t count, struct script_grant *grants)
{
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
        reply->elements != count * FIGURES)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t granted, remaining;
        struct ledger_state *state = &grants[i].state;
        if (!read_figure(reply, i * FIGURES, UINT32_MAX, &granted) ||
            !read_figure(reply, i * FIGURES + 1, UINT32_MAX, &remaining) ||
            !read_figure(reply, i * FIGURES + 2, INT64_MAX, &state->reset_us) ||
            !read_figure(reply, i * FIGURES + 3, INT64_MAX, &state->retry_us))
            return false;
        grants[i].granted = (uint32_t)granted;
        state->remaining = (uint32_t)remaining;
    }
    return true;
}
