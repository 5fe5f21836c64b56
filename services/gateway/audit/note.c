#include "services/gateway/audit/note.h"

#include <string.h>

#include "services/gateway/audit/audit.h"
#include "services/gateway/audit/outcome.h"
#include "services/gateway/auth/auth.h"
#include "services/gateway/auth/principal.h"
#include "services/gateway/exchange.h"
#include "services/gateway/json_out.h"

#define BIT(permission) (UINT64_C(1) << (permission))

static const uint64_t always = BIT(PERMIT_SEARCH) | BIT(PERMIT_BACKUPS) |
                               BIT(PERMIT_ADMIN_USERS) | BIT(PERMIT_ADMIN_KEYS) |
                               BIT(PERMIT_ADMIN_CACHE) | BIT(PERMIT_READ_AUDIT) |
                               BIT(PERMIT_ADMIN_MODELS);
static const uint64_t views = BIT(PERMIT_READ_GLOSSARY) | BIT(PERMIT_READ_GRAPH);

/* Before anything was looked at or done. Recording each would cost more than refusing it,
 * at the very moment when there is too much to do: they are counted, and the log has some
 * of them (meter_overload.h). */
static bool was_refused_for_load(const struct exchange *x, int status)
{
    return status == 503 && x->code != NULL && strcmp(x->code, "overloaded") == 0;
}

static bool is_wanted(const struct exchange *x, int status)
{
    const struct route *route = x->route;

    if (route == NULL || was_refused_for_load(x, status))
        return false;
    uint64_t permission = BIT(route->permission);
    if (audit_is_denied(status) || (permission & always) != 0)
        return true;
    if ((permission & views) != 0)
        return x->edge->gateway->audit_config.views;
    if (route->permission == PERMIT_READ_DOCUMENTS)
        return x->edge->gateway->audit_config.reads;
    if (route->permission == PERMIT_OPERATE)
        return (route->flags & ROUTE_QUIET) == 0;
    return route->method != ROUTE_GET && route->permission != PERMIT_EMBED;
}

/* Who showed a credential answers for it, also while acting for somebody else. */
static void add_principal(const struct exchange *x, struct audit_record *record,
                          struct sh_buffer *detail)
{
    const struct principal *principal = x->principal;

    record->auth = sh_bytes_of(credential_name(principal->credential));
    if (sh_bytes_equal(principal->user_id, x->caller.user_id) ||
        x->caller.user_id.len == 0)
        return;
    record->user_id = principal->user_id;
    record->user_role = principal->role;
    record->department = principal->department;
    sh_buffer_text(detail, "{");
    json_member_text(detail, "on_behalf_of", x->caller.user_id);
    json_member_text(detail, "role", x->caller.role);
    sh_buffer_text(detail, "}");
    if (detail->err == SH_OK)
        record->detail = sh_buffer_bytes(detail);
}

static void add_who(const struct exchange *x, struct audit_record *record,
                    struct sh_buffer *detail)
{
    const struct auth *auth = x->edge->gateway->auth;

    record->user_id = x->caller.user_id;
    record->user_role = sh_bytes_of(x->role != NULL ? x->role->name : "");
    record->department = x->caller.department;
    record->auth = sh_bytes_of(auth != NULL && auth->jwt_mode ? "none" : "trusted");
    if (x->principal != NULL)
        add_principal(x, record, detail);
    if (x->audit.user.len > 0)
        record->user_id = x->audit.user;
}

void audit_exchange(const struct exchange *x, int status, uint64_t duration_us)
{
    struct audit *audit = x->edge->gateway->audit;
    const struct audit_note *note = &x->audit;

    struct sh_buffer detail = {0};

    if (audit == NULL || !is_wanted(x, status))
        return;
    struct audit_record record = {
        .request_id = sh_bytes_of(sh_http_trace(x->request)->request_id),
        .action = sh_bytes_of(x->route->operation),
        .target = note->target.len > 0 ? note->target : x->param,
        .status = status,
        .outcome = sh_bytes_of(audit_outcome(status)),
        .code = sh_bytes_of(note->reason != NULL ? note->reason : x->code),
        .query = note->query,
        .filters_applied = note->filters,
        .results_returned = note->counted ? (int64_t)note->results : -1,
        .response_us = (int64_t)duration_us,
        .ip_address = sh_bytes_of(x->client),
        .user_agent = sh_http_header(x->request, "User-Agent"),
    };
    add_who(x, &record, &detail);
    audit_write(audit, &record);
    sh_buffer_free(&detail);
}
