#include "services/gateway/health/facts.h"

#include <stdio.h>

static void copy_text(char *out, size_t size, struct sh_bytes text)
{
    size_t len = text.len < size ? text.len : size - 1;
    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

/* The detail of the check with the members that every check has. */
static json_t *check_json(const struct health_check *check)
{
    json_t *json = NULL;

    if (check->detail.len > 0)
        json = json_loadb(check->detail.data, check->detail.len, 0, NULL);
    if (!json_is_object(json)) {
        json_decref(json);
        json = json_object();
    }
    json_object_set_new(json, "healthy",
                        json_boolean(sh_bytes_is(check->status, "healthy") ||
                                     sh_bytes_is(check->status, "degraded")));
    json_object_set_new(json, "status",
                        json_stringn(check->status.data, check->status.len));
    if (check->response_time_s >= 0)
        json_object_set_new(json, "response_time", json_real(check->response_time_s));
    if (check->message.len > 0)
        json_object_set_new(json, "message",
                            json_stringn(check->message.data, check->message.len));
    return json;
}

void facts_set_service(struct service_facts *service, const struct health_reply *reply,
                       double response_time_s)
{
    json_decref(service->checks);
    *service = (struct service_facts){.known = true};
    if (reply == NULL)
        return;
    service->reached = true;
    service->response_time_s = response_time_s;
    service->uptime_s = reply->uptime_s;
    service->resident_bytes = reply->resident_bytes;
    copy_text(service->status, sizeof service->status, reply->status);
    copy_text(service->version, sizeof service->version, reply->version);
    copy_text(service->instance, sizeof service->instance, reply->instance);
    service->cpu_s = reply->cpu_s;
    service->requests = reply->requests;
    service->in_flight = reply->in_flight;
    service->db_pool = reply->db_pool;
    service->db_active = reply->db_active;
    service->checks = json_object();
    for (size_t i = 0; i < reply->checks_count; i++) {
        char name[65];
        copy_text(name, sizeof name, reply->checks[i].name);
        json_object_set_new(service->checks, name, check_json(&reply->checks[i]));
    }
}

void facts_set_own(struct service_facts *gateway, const struct sh_health *health)
{
    struct sh_health_status *list = NULL;
    struct sh_arena arena = {0};
    size_t count = 0;

    json_decref(gateway->checks);
    *gateway = (struct service_facts){.known = true, .reached = true};
    copy_text(gateway->status, sizeof gateway->status,
              sh_bytes_of(sh_health_state_text(sh_health_overall(health))));
    gateway->checks = json_object();
    if (sh_health_list(health, &arena, &list, &count) != SH_OK)
        count = 0; /* out of memory: as if nothing were known */
    for (size_t i = 0; i < count; i++) {
        const struct health_check check = {
            .status = sh_bytes_of(sh_health_state_text(list[i].state)),
            .response_time_s = list[i].response_time_s,
            .message = list[i].message,
            .detail = list[i].detail,
        };
        json_object_set_new(gateway->checks, list[i].name, check_json(&check));
    }
    sh_arena_free(&arena);
}

void facts_free(struct facts *facts)
{
    for (int p = 0; p < PEER_COUNT; p++) {
        json_decref(facts->services[p].checks);
        facts->services[p].checks = NULL;
    }
    json_decref(facts->gateway.checks);
    facts->gateway.checks = NULL;
}

double facts_figure(const struct service_facts *service, const char *name,
                    double otherwise)
{
    const char *check;
    json_t *figures;

    json_object_foreach(service->checks, check, figures)
    {
        json_t *value = json_object_get(figures, name);
        if (json_is_number(value))
            return json_number_value(value);
    }
    return otherwise;
}
