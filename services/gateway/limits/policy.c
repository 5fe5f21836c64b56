#include "services/gateway/limits/policy.h"

#include <openssl/evp.h>
#include <stdio.h>

enum { SUBJECT = 96, MINUTE_US = 60000000, SECOND_US = 1000000 };
#define HOUR_US UINT64_C(3600000000)

struct policy policy_of(const struct limits_config *config)
{
    return (struct policy){
        .general =
            bucket_rule("general", config->per_minute, MINUTE_US, config->per_minute),
        .search = bucket_rule("search", config->search_per_minute, MINUTE_US,
                              config->search_per_minute),
        .requests = bucket_rule("requests", config->requests,
                                (uint64_t)config->window_s * SECOND_US, config->requests),
        .api = bucket_rule("api", config->api_per_second, SECOND_US, config->api_burst),
        .upload = bucket_rule("upload", config->upload_per_second, SECOND_US,
                              config->upload_burst),
        .login = bucket_rule("login", config->login_per_minute, MINUTE_US,
                             config->login_per_minute),
    };
}

/* --- subjects --------------------------------------------------------------------- */

/* Who is counted: "user:…" or "addr:…". A long id counts by its digest. */
struct subject {
    char text[SUBJECT];
};

static void put_digest(struct subject *subject, struct sh_bytes id)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    size_t at = (size_t)snprintf(subject->text, sizeof subject->text, "user#");

    if (EVP_Digest(id.data, id.len, raw, &len, EVP_sha256(), NULL) != 1)
        len = 0; /* out of memory: all of them are counted together */
    for (unsigned i = 0; i < len; i++)
        at += (size_t)snprintf(subject->text + at, sizeof subject->text - at, "%02x",
                               raw[i]);
}

static void name_user(struct subject *subject, struct sh_bytes id)
{
    static const char prefix[] = "user:";
    size_t room = sizeof subject->text - sizeof prefix;

    if (id.len > room || memchr(id.data, '\0', id.len) != NULL) {
        put_digest(subject, id);
        return;
    }
    memcpy(subject->text, prefix, sizeof prefix - 1);
    memcpy(subject->text + sizeof prefix - 1, id.data, id.len);
    subject->text[sizeof prefix - 1 + id.len] = '\0';
}

static void name_address(struct subject *subject, const char *address)
{
    (void)snprintf(subject->text, sizeof subject->text, "addr:%s", address);
}

/* --- choosing --------------------------------------------------------------------- */

static void add(struct limiter_ask *ask, struct policy_keys *keys,
                struct bucket_rule rule, const struct subject *subject)
{
    if (rule.capacity == 0)
        return;
    char *key = keys->text[ask->count];
    char *end = stpcpy(key, "cairn:limit:"); /* there is room: names are short */
    end = stpcpy(stpcpy(stpcpy(end, rule.name), ":"), subject->text);
    ask->buckets[ask->count++] = (struct ledger_bucket){{key, (size_t)(end - key)}, rule};
}

static struct bucket_rule tier(const char *name, uint32_t count, uint64_t period_us)
{
    return bucket_rule(name, count, period_us, count);
}

static bool is_admin(const struct route *route)
{
    static const char prefix[] = "/api/admin";
    return route != NULL && strncmp(route->path, prefix, sizeof prefix - 1) == 0;
}

static bool has(const struct route *route, unsigned flag)
{
    return route != NULL && (route->flags & flag) != 0;
}

static bool is_search(const struct route *route)
{
    return route != NULL &&
           (route->permission == PERMIT_SEARCH || has(route, ROUTE_AS_SEARCH));
}

bool policy_choose(const struct policy *policy, const struct route *route,
                   const struct policy_caller *caller, struct policy_keys *keys,
                   struct limiter_ask *ask)
{
    struct subject subject;

    ask->count = 0;
    if (has(route, ROUTE_QUIET | ROUTE_DOCS))
        return false;
    if (caller->user_id.len > 0 && !has(route, ROUTE_LOGIN))
        name_user(&subject, caller->user_id);
    else
        name_address(&subject, caller->address);
    if (has(route, ROUTE_LOGIN)) {
        add(ask, keys, policy->login, &subject);
        return ask->count > 0;
    }
    if (caller->user_id.len > 0) {
        add(ask, keys, tier("minute", caller->per_minute, MINUTE_US), &subject);
        add(ask, keys, tier("hour", caller->per_hour, HOUR_US), &subject);
    } else if (is_search(route)) {
        add(ask, keys, policy->search, &subject);
        add(ask, keys, policy->general, &subject);
        add(ask, keys, tier("hour", caller->per_hour, HOUR_US), &subject);
    } else {
        add(ask, keys, is_admin(route) ? policy->general : policy->requests, &subject);
    }
    add(ask, keys, has(route, ROUTE_UPLOAD) ? policy->upload : policy->api, &subject);
    return ask->count > 0;
}
