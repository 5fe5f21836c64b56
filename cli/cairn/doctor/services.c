/* Services, their replicas, the model, and whether a search goes through whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/doctor/ask.h"

enum { LAG_S = 10 };

/* --- replicas --------------------------------------------------------------------- */

struct count {
    size_t all;
    size_t well;
    size_t others; /* of another version than the gateway that was asked */
    double lag_s;
    size_t full; /* pools with no connection left */
};

static struct count count(const json_t *replicas, const char *version)
{
    struct count count = {0};
    size_t i = 0;
    const json_t *replica = NULL;
    json_array_foreach(replicas, i, replica)
    {
        const json_t *pool = json_object_get(replica, "database");
        const json_t *index = doctor_in(replica, "checks", "index");
        double lag_s = doctor_number(index, "lag_seconds");
        double size = doctor_number(pool, "pool_size");
        count.all++;
        count.well += strcmp(doctor_text(replica, "status"), "healthy") == 0;
        count.others += strcmp(doctor_text(replica, "version"), version) != 0;
        count.full += size > 0 && doctor_number(pool, "active_connections") >= size;
        count.lag_s = lag_s > count.lag_s ? lag_s : count.lag_s;
    }
    return count;
}

static void check_service(struct doctor *self, const char *name, const json_t *service,
                          const char *version)
{
    struct count of = count(json_object_get(service, "replicas"), version);
    double absent = doctor_number(service, "absent");
    char check[64];
    char remedy[256];
    (void)snprintf(check, sizeof(check), "service %s", name);
    (void)snprintf(
        remedy, sizeof(remedy),
        "start it (`systemctl start cairn-%s`, `docker compose up -d %s`); its "
        "log tells why it is not ready; %s_ENDPOINTS of the gateway names it",
        name, name, name);
    if (of.all == 0)
        doctor_say(self, DOCTOR_FAIL, check, remedy, "no replica answers");
    else if (of.well < of.all || absent > 0)
        doctor_say(self, DOCTOR_WARN, check, remedy,
                   "%zu of %zu replicas are well, %.0f absent", of.well, of.all, absent);
    else
        doctor_say(self, DOCTOR_OK, check, NULL, "%zu %s", of.all,
                   of.all == 1 ? "replica" : "replicas");
    if (of.others > 0)
        doctor_say(self, DOCTOR_WARN, check, "finish the upgrade: docs/operations.md",
                   "%zu of another version than the gateway's %s", of.others, version);
    if (of.lag_s > LAG_S)
        doctor_say(self, DOCTOR_WARN, check,
                   "what was stored is found late: its log, its processor, PostgreSQL",
                   "%.0f s behind what is stored", of.lag_s);
    if (of.full > 0)
        doctor_say(self, DOCTOR_WARN, check,
                   "a larger DB_POOL_MAX_SIZE, or more replicas",
                   "all connections to PostgreSQL are in use");
}

void doctor_services(struct doctor *self)
{
    const char *name = NULL;
    json_t *service = NULL;
    json_t *stats = doctor_ask(self, "/api/admin/stats", false);
    if (!stats) {
        doctor_kept(self, "services");
        return;
    }
    json_t *services = json_object_get(stats, "services");
    const json_t *gateway = json_array_get(doctor_in(services, "gateway", "replicas"), 0);
    json_object_foreach(services, name, service)
        check_service(self, name, service, doctor_text(gateway, "version"));
    if (json_is_null(doctor_in(stats, "cache", "used_memory")))
        doctor_say(self, DOCTOR_WARN, "redis",
                   "start it; REDIS_URL of the gateway names it", "it does not answer");
    json_decref(stats);
}

/* --- the model -------------------------------------------------------------------- */

/* The model of the embedder that has the fingerprint. */
static const json_t *find(const json_t *models, const char *fingerprint)
{
    size_t i = 0;
    const json_t *model = NULL;
    json_array_foreach(models, i, model)
    {
        if (strcmp(doctor_text(model, "digest"), fingerprint) == 0)
            return model;
    }
    return NULL;
}

static void check_model(struct doctor *self, const json_t *live, const json_t *models)
{
    const char *fingerprint = doctor_text(live, "fingerprint");
    if (json_array_size(models) == 0)
        doctor_say(self, DOCTOR_WARN, "model", "start cairn-embedder; its log tells",
                   "the embedder has none");
    else if (!find(models, fingerprint))
        doctor_say(
            self, DOCTOR_FAIL, "model",
            "give the embedder that model again, or `cairn generations build MODEL "
            "--activate` with one it has: `cairn models list`",
            "what is stored was embedded by %s (%.0f numbers, %.10s), which the "
            "embedder has not: searches go by words only",
            doctor_text(live, "model"), doctor_number(live, "dimension"), fingerprint);
    else
        doctor_say(self, DOCTOR_OK, "model", NULL, "%s, %.0f numbers",
                   doctor_text(live, "model"), doctor_number(live, "dimension"));
    if (doctor_number(live, "pending") > 0)
        doctor_say(self, DOCTOR_WARN, "vectors",
                   "wait; if they do not get fewer, the log of cairn-search",
                   "%.0f passages have none yet: they are found by words only",
                   doctor_number(live, "pending"));
}

static void look_at_model(struct doctor *self)
{
    json_t *generations = doctor_ask(self, "/api/generations", false);
    if (!generations) {
        doctor_kept(self, "model");
        return;
    }
    json_t *tags = doctor_ask(self, "/api/tags", false);
    const json_t *live = json_array_get(json_object_get(generations, "generations"), 0);
    if (live)
        check_model(self, live, json_object_get(tags, "models"));
    json_decref(tags);
    json_decref(generations);
}

/* --- a search --------------------------------------------------------------------- */

void doctor_search(struct doctor *self)
{
    json_t *answer = doctor_ask(self, "/api/search?q=doctor&max_results=1", false);
    const json_t *degraded = json_object_get(answer, "degraded");
    char *out = json_dumps(degraded, JSON_COMPACT);
    if (!answer)
        doctor_say(self, self->cli->reply.status == 401 ? DOCTOR_WARN : DOCTOR_FAIL,
                   "search", "`cairn status`; the log of cairn-search", "%s",
                   self->cli->reply.error);
    else if (json_array_size(degraded) > 0)
        doctor_say(
            self, DOCTOR_WARN, "search",
            "embedding: cairn-embedder; rerank: RERANK_URL; deadline: too much load",
            "parts are missing: %s", out ? out : "");
    else
        doctor_say(self, DOCTOR_OK, "search", NULL, "whole, in %.0f ms",
                   doctor_number(answer, "response_time") * 1000);
    free(out); /* jansson's */
    json_decref(answer);
    look_at_model(self);
}
