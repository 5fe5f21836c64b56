/* RUN and transactions. The graph service answers with all rows, which wait here to be
 * pulled. A transaction only reads, each query in the version of the graph that is there
 * when it comes: there is nothing to commit or to take back. */
#include <stdio.h>

#include "services/gateway/bolt/turn.h"
#include "services/gateway/exchange.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { MS_PER_MAX = 600000, MB = 1 << 20, KEPT_FRAME = 4 << 20 };

static const char bookmark[] = "cairn:0"; /* nothing is written, so there is only one */

/* --- the end of a RUN ------------------------------------------------------------- */

static void end_query(struct bolt_conn *conn, const struct bolt_note *note)
{
    struct bolt_note whole = *note;

    if (conn->counted)
        shed_end(conn->bolt->edge->limits.shed);
    conn->counted = false;
    whole.query = sh_bytes_of(conn->query);
    note_query(conn, &whole);
    sh_free(conn->query);
    conn->query = NULL;
    sh_buffer_free(&conn->frame);
}

static void refused(struct bolt_conn *conn, int status, const char *code)
{
    end_query(conn, &(struct bolt_note){.status = status, .code = code});
    conn_resume(conn);
}

static void fail(struct bolt_conn *conn, int status, const char *code, const char *neo4j,
                 const char *sentence)
{
    reply_failure(conn, neo4j, "%s", sentence);
    refused(conn, status, code);
}

void query_cancel(struct bolt_conn *conn)
{
    if (conn->calling)
        sh_rpc_cancel(conn->bolt->edge->peers[PEER_GRAPH], conn->call);
    conn->calling = false;
    if (conn->query != NULL)
        end_query(conn, &(struct bolt_note){.status = 0});
}

/* --- the answer ------------------------------------------------------------------- */

static void write_fields(struct bolt_conn *conn, const struct cypher_reply *reply,
                         const struct result *result)
{
    struct sh_buffer *out = &conn->bolt->out;
    size_t begin = reply_success_begin(conn, conn->in_tx ? 3 : 2);

    ps_word(out, "fields");
    ps_list(out, reply->columns_count);
    for (size_t i = 0; i < reply->columns_count; i++)
        ps_text(out, reply->columns[i]);
    ps_word(out, "t_first");
    ps_int(out, (int64_t)reply->time_ms);
    if (conn->in_tx) {
        ps_word(out, "qid");
        ps_int(out, result->id);
    }
    reply_end(conn, begin);
}

static void take_reply(struct bolt_conn *conn, struct sh_bytes payload)
{
    struct sh_arena arena = {0};
    struct cypher_reply reply;
    struct result *result = NULL;
    enum sh_err err = msg_decode(cypher_reply_desc(), payload, &arena, &reply);

    if (err == SH_OK)
        err = results_add(conn, reply.rows, &result);
    if (err != SH_OK) {
        sh_error(&conn->trace, "an answer of graph could not be taken: %s",
                 sh_err_text(err));
        fail(conn, sh_err_http_status(err), sh_err_code(err),
             failure_code(err == SH_NOMEM ? err : SH_UPSTREAM, NULL),
             err == SH_NOMEM ? "out of memory" : "the graph answered nonsense");
    } else {
        result->truncated = reply.truncated;
        result->time_ms = reply.time_ms;
        conn->state = conn->in_tx ? BOLT_TX_STREAMING : BOLT_STREAMING;
        write_fields(conn, &reply, result);
        end_query(conn, &(struct bolt_note){
                            .status = 200, .rows = reply.row_count, .counted = true});
        conn_resume(conn);
    }
    sh_arena_free(&arena);
}

static void on_reply(void *arg, const struct sh_rpc_response *reply)
{
    struct bolt_conn *conn = arg;

    conn->calling = false;
    if (reply->err == SH_OK) {
        take_reply(conn, reply->payload);
        return;
    }
    if (reply->err == SH_INTERNAL || reply->err == SH_IO || reply->err == SH_UPSTREAM)
        sh_error(&conn->trace, "graph failed a query: %s", reply->message);
    struct sh_problem problem = exchange_problem(reply, PEER_GRAPH);
    fail(conn, problem.status, problem.code, failure_code(reply->err, problem.code),
         problem.error);
}

/* --- the question ----------------------------------------------------------------- */

static uint64_t timeout_ms(const struct bolt_conn *conn)
{
    const struct bolt_config *config = &conn->bolt->edge->gateway->bolt_config;

    return conn->timeout_ms > 0 && conn->timeout_ms < config->query_timeout_ms
               ? conn->timeout_ms
               : config->query_timeout_ms;
}

static void send_query(struct bolt_conn *conn)
{
    struct bolt *bolt = conn->bolt;
    uint64_t most = (uint64_t)bolt->edge->gateway->bolt_config.result_mb * MB;

    if (results_are_full(conn)) {
        fail(conn, 400, "too_many_results", BOLT_REQUEST_INVALID,
             "too many results of this transaction are open: read or discard some");
        return;
    }
    if (bolt->result_bytes >= most) {
        fail(conn, 503, "overloaded", BOLT_TOO_MUCH,
             "too many results wait to be read: try again later");
        return;
    }
    conn->who.caller.request_id = sh_bytes_of(conn->trace.request_id);
    const struct sh_rpc_request request = {
        .method = METHOD_GRAPH_QUERY,
        .kind = SH_RPC_READ,
        .caller = &conn->who.caller,
        .payload = sh_buffer_bytes(&conn->frame),
        .deadline_ms = sh_now_ms() + timeout_ms(conn),
        .trace = &conn->trace,
    };
    enum sh_err err =
        sh_rpc_send(bolt->edge->peers[PEER_GRAPH], &request, on_reply, conn, &conn->call);
    if (err == SH_OK) {
        conn->calling = true;
        return;
    }
    const struct sh_rpc_response none = {.err = err};
    on_reply(conn, &none);
}

/* The message to graph, before the bytes that it comes from are gone. */
static enum sh_err encode(struct bolt_conn *conn, struct sh_bytes text,
                          struct ps_cursor parameters)
{
    struct sh_buffer packed = {0};
    enum sh_err err = values_to_msgpack(parameters, &packed);
    const struct cypher_query query = {
        .query = text,
        .parameters = sh_buffer_bytes(&packed),
        .timeout_ms = (uint32_t)conn->timeout_ms,
    };

    if (err == SH_OK)
        err = msg_encode(cypher_query_desc(), &query, &conn->frame);
    sh_buffer_free(&packed);
    return err;
}

static void not_encoded(struct bolt_conn *conn, enum sh_err err)
{
    if (err == SH_TYPE)
        fail(conn, 400, "cypher_type", BOLT_TYPE_ERROR,
             "a parameter is a date, a time, a point or a part of the graph: give it as "
             "text or numbers");
    else if (err == SH_TOOBIG)
        fail(conn, 413, "too_large", BOLT_REQUEST_INVALID,
             "the query or its parameters are too long");
    else
        fail(conn, sh_err_http_status(err), sh_err_code(err), failure_code(err, NULL),
             sh_err_text(err));
}

/* --- what a query and a transaction may come with --------------------------------- */

static bool take_extra(struct bolt_conn *conn, struct ps_cursor extra)
{
    struct sh_bytes name;
    int64_t wanted_ms;

    if (ps_find_text(extra, "db", &name) && name.len > 0 &&
        !sh_bytes_is(name, BOLT_DATABASE)) {
        reply_failure(conn, BOLT_NO_DATABASE, "there is only the database %s",
                      BOLT_DATABASE);
        return false;
    }
    if (ps_find_text(extra, "imp_user", &name)) {
        reply_failure(conn, BOLT_FORBIDDEN, "nobody can be impersonated over Bolt");
        return false;
    }
    conn->timeout_ms = 0;
    if (ps_find_int(extra, "tx_timeout", &wanted_ms) && wanted_ms > 0)
        conn->timeout_ms = wanted_ms < MS_PER_MAX ? (uint64_t)wanted_ms : MS_PER_MAX;
    return true;
}

static char *copy_of(struct sh_bytes text)
{
    char *copy = sh_alloc(text.len + 1);

    if (copy != NULL && text.len > 0)
        memcpy(copy, text.data, text.len);
    return copy;
}

void query_run(struct bolt_conn *conn, const struct bolt_request *request)
{
    struct ps_cursor at = request->fields[0];
    struct ps_token text;

    if (!conn->in_tx && !take_extra(conn, request->fields[2]))
        return;
    if (!ps_next(&at, &text))
        return; /* it was read before */
    conn->busy = true;
    conn->query = copy_of(text.bytes);
    enum sh_err err =
        conn->query != NULL ? encode(conn, text.bytes, request->fields[1]) : SH_NOMEM;
    if (err == SH_OK)
        turn_query(conn, send_query, refused);
    else
        not_encoded(conn, err);
}

void query_begin(struct bolt_conn *conn, const struct bolt_request *request)
{
    if (!take_extra(conn, request->fields[0]))
        return;
    conn->in_tx = true;
    conn->next_id = 0;
    conn->state = BOLT_TX_READY;
    reply_success(conn);
}

void query_put_bookmark(struct sh_buffer *out)
{
    ps_word(out, "bookmark");
    ps_word(out, bookmark);
}

void query_end(struct bolt_conn *conn, enum bolt_tag tag)
{
    bool committed = tag == BOLT_COMMIT;
    size_t begin = reply_success_begin(conn, committed ? 1 : 0);

    if (committed)
        query_put_bookmark(&conn->bolt->out);
    reply_end(conn, begin);
    results_drop_all(conn);
    conn->in_tx = false;
    conn->state = BOLT_READY;
}
