#include "services/gateway/limits/limits.h"

#include <stdio.h>

#include "services/gateway/exchange.h"
#include "services/gateway/limits/script.h"
#include "shared/mem.h"

enum { BUCKETS_KNOWN = 65536, CONNECTIONS_AUTO = 512 };

static bool open_trusted(const struct limits_config *config, struct limits *self,
                         char *why, size_t size)
{
    struct sh_bytes bad = {0};

    if (networks_read(config->trusted_proxies, &self->trusted, &bad))
        return true;
    (void)snprintf(why, size,
                   "TRUSTED_PROXIES: %.*s is no address or network, or one too many",
                   (int)bad.len, bad.data != NULL ? (const char *)bad.data : "");
    return false;
}

static enum sh_err open_parts(const struct limits_config *config, struct limits *self)
{
    bool automatic = config->connections_per_address < 0;
    const struct crowd_options options = {
        .most = automatic ? CONNECTIONS_AUTO : (uint32_t)config->connections_per_address,
        .trusted = &self->trusted,
        .loopback = !automatic,
    };
    enum sh_err err = crowd_create(&options, &self->crowd);

    if (err == SH_OK)
        err = ledger_create(BUCKETS_KNOWN, &self->shared.ledger);
    if (err == SH_OK)
        err = script_start();
    return err;
}

bool limits_open(const struct limits_config *config, const char *auth_mode,
                 const char *instance, struct limits **out, char *why, size_t size)
{
    struct limits *self = sh_alloc(sizeof *self);

    if (self == NULL) {
        (void)snprintf(why, size, "out of memory");
        return false;
    }
    self->enabled = limits_enabled(config, auth_mode);
    self->policy = policy_of(config);
    self->shared.gateways_set = config->gateways;
    atomic_init(&self->shared.gateways_seen, 1);
    atomic_init(&self->shared.away, 0);
    (void)snprintf(self->shared.instance, sizeof self->shared.instance, "%s", instance);
    bool good = open_trusted(config, self, why, size);
    enum sh_err err = good ? open_parts(config, self) : SH_OK;
    if (err != SH_OK)
        (void)snprintf(why, size, "the limits cannot start: %s", sh_err_text(err));
    if (good && err == SH_OK)
        *out = self;
    else
        limits_close(&self);
    return good && err == SH_OK;
}

void limits_close(struct limits **self_p)
{
    struct limits *self = *self_p;

    if (self == NULL)
        return;
    *self_p = NULL;
    crowd_free(&self->crowd);
    ledger_free(&self->shared.ledger);
    sh_free(self);
}

/* --- the address ------------------------------------------------------------------ */

static void read_headers(const struct sh_http_request *request,
                         struct forwarded_headers *headers)
{
    headers->lines = 0;
    for (size_t i = 0; i < FORWARDED_LINES; i++) {
        struct sh_bytes line = sh_http_header_at(request, "X-Forwarded-For", i);
        if (line.data == NULL)
            break;
        headers->chain[headers->lines++] = line;
    }
    headers->real = sh_http_header(request, "X-Real-IP");
    headers->proto = sh_http_header(request, "X-Forwarded-Proto");
}

void limits_resolve(struct exchange *x)
{
    const struct limits *limits = x->edge->gateway->limits;
    struct forwarded_headers headers;
    struct address peer;

    if (limits == NULL || limits->trusted.count == 0 ||
        !address_read(sh_bytes_of(sh_http_peer(x->request)), &peer) ||
        !networks_hold(&limits->trusted, &peer))
        return;
    read_headers(x->request, &headers);
    struct forwarded forwarded = forwarded_resolve(&limits->trusted, &peer, &headers);
    address_write(&forwarded.client, x->client);
    x->https = forwarded.https;
    if (forwarded.https)
        sh_http_set_secure(x->request);
}
