/* GET /api/admin/roles: what each role may do, as it is in force now. */
#include "services/gateway/auth/auth.h"
#include "services/gateway/handlers/account.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

static void write_permissions(struct sh_buffer *out, const struct role *role)
{
    const char *comma = "";

    json_member(out, "permissions");
    sh_buffer_text(out, "[");
    for (int p = PERMIT_SESSION; p < PERMIT_COUNT; p++) {
        if (!role_may(role, (enum permission)p))
            continue;
        sh_buffer_printf(out, "%s\"%s\"", comma, permission_name((enum permission)p));
        comma = ",";
    }
    sh_buffer_text(out, "]");
}

static void write_number(struct sh_buffer *out, const char *name, uint32_t number)
{
    json_member(out, name);
    json_u64(out, number);
}

/* A file says all of a role, so that its values come from one place; but for what a
 * setting limits. */
static void write_role(struct sh_buffer *out, const struct gateway *gateway,
                       const struct role *role, bool assignable)
{
    static const char *const reaches[] = {
        [REACH_PUBLIC] = "public", [REACH_OWN] = "own", [REACH_ALL] = "all"};
    bool from_file = gateway->auth->config->roles_file[0] != '\0';
    uint32_t results = settings_result_limit(&gateway->config, role->max_results);

    sh_buffer_text(out, "{");
    json_member_text(out, "name", sh_bytes_of(role->name));
    write_number(out, "clearance", role->clearance);
    write_number(out, "requests_per_minute", role->requests_per_minute);
    write_number(out, "requests_per_hour", role->requests_per_hour);
    write_number(out, "max_results", results);
    json_member(out, "max_results_limited");
    json_bool(out, results < role->max_results);
    json_member_text(out, "departments", sh_bytes_of(reaches[role->departments]));
    write_permissions(out, role);
    json_member(out, "assignable");
    json_bool(out, assignable);
    json_member_text(out, "source", sh_bytes_of(from_file ? "file" : "built_in"));
    sh_buffer_text(out, "}");
}

void role_list(struct exchange *x, void *unused)
{
    const struct gateway *gateway = x->edge->gateway;
    const struct role_table *table = roles_now(gateway->auth->roles);
    struct sh_buffer *out = exchange_out(x);

    (void)unused;
    sh_buffer_text(out, "{\"roles\":[");
    for (size_t i = 0; i < role_count(table); i++) {
        const struct role *role = role_at(table, i);
        sh_buffer_text(out, i > 0 ? "," : "");
        write_role(out, gateway, role, role != role_anonymous(table));
    }
    sh_buffer_text(out, "]}");
    account_private(x);
    exchange_answer(x, 200);
}
