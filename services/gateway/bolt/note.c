/* What a login and a query leave behind: figures, a line in the log, and a record in the
 * audit log, as the same by HTTP would. */
#include <stdio.h>

#include "services/gateway/audit/outcome.h"
#include "services/gateway/auth/auth.h"
#include "services/gateway/bolt/conn.h"
#include "shared/clock.h"
#include "shared/errors.h"
#include "shared/log.h"
#include "shared/metrics.h"

static struct sh_family queries = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_bolt_queries_total",
    .help = "Queries over Bolt, by the status that HTTP would have",
    .labels = {"status"},
};
static struct sh_family seconds = {
    .kind = SH_HISTOGRAM,
    .name = "cairn_gateway_bolt_query_seconds",
    .help = "From a RUN over Bolt to its answer",
};

static uint64_t duration_us(const struct bolt_conn *conn)
{
    return conn->started_us > 0 ? sh_now_us() - conn->started_us : 0;
}

static void record(struct bolt_conn *conn, const struct bolt_note *note,
                   const char *action)
{
    const struct gateway *gateway = conn->bolt->edge->gateway;
    const struct bolt_who *who = &conn->who;
    const char *unshown = gateway->auth->jwt_mode ? "none" : "trusted";

    const struct audit_record record = {
        .request_id = sh_bytes_of(conn->trace.request_id),
        .user_id = who->caller.user_id,
        .user_role = sh_bytes_of(who->role != NULL ? who->role->name : ""),
        .department = who->caller.department,
        .auth = sh_bytes_of(who->principal != NULL
                                ? credential_name(who->principal->credential)
                                : unshown),
        .action = sh_bytes_of(action),
        .target = note->user,
        .status = note->status,
        .outcome = sh_bytes_of(audit_outcome(note->status)),
        .code = sh_bytes_of(note->code),
        .query = note->query,
        .results_returned = note->counted ? (int64_t)note->rows : -1,
        .response_us = (int64_t)duration_us(conn),
        .ip_address = sh_bytes_of(sh_stream_peer(conn->stream)),
        .user_agent = sh_bytes_of(conn->agent),
    };
    audit_write(gateway->audit, &record);
}

static void log_access(const struct bolt_conn *conn, const struct bolt_note *note)
{
    static const struct sh_log_site site = {"access", "access", 0};
    const struct sh_log_field fields[] = {
        {"logger", "access", 0},
        {"method", "RUN", 0},
        {"path", "bolt", 0},
        {"status", NULL, note->status},
        {"rows", NULL, (double)note->rows},
        {"duration_ms", NULL, (double)duration_us(conn) / 1000},
        {"client", sh_stream_peer(conn->stream), 0},
        {"user_agent", conn->agent, 0},
    };

    sh_log_event(SH_INFO, &site, &conn->trace, "query", fields, SH_COUNT(fields));
}

void note_query(struct bolt_conn *conn, const struct bolt_note *note)
{
    const struct gateway *gateway = conn->bolt->edge->gateway;
    char status[12];

    (void)snprintf(status, sizeof status, "%d", note->status);
    sh_count(&queries, status);
    sh_series_observe(sh_series(&seconds, NULL), (double)duration_us(conn) / 1e6);
    if (note->status >= 500 && note->code != NULL)
        sh_errors_add(SH_ERROR, note->code);
    if (gateway->config.access_log && sh_log_enabled(SH_INFO))
        log_access(conn, note);
    if (gateway->audit != NULL &&
        (gateway->audit_config.views || audit_is_denied(note->status)))
        record(conn, note, "graph_query");
}

void note_login(struct bolt_conn *conn, const struct bolt_note *note)
{
    if (conn->bolt->edge->gateway->audit != NULL)
        record(conn, note, "login");
}
