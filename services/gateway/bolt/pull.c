/* PULL and DISCARD: the rows of an answer, a slice in each turn of the loop, as fast as
 * the client takes them. */
#include "services/gateway/bolt/conn.h"

/* --- what is open ----------------------------------------------------------------- */

static struct result *free_place(struct bolt_conn *conn)
{
    for (size_t i = 0; i < BOLT_RESULTS; i++)
        if (!conn->results[i].open)
            return &conn->results[i];
    return NULL;
}

enum sh_err results_add(struct bolt_conn *conn, struct sh_bytes rows, struct result **out)
{
    struct result *result = free_place(conn);
    struct sh_buffer copy = {0};

    if (result == NULL)
        return SH_TOOBIG;
    sh_buffer_append(&copy, rows.data, rows.len);
    enum sh_err err = copy.err;
    *result = (struct result){.open = true, .id = conn->next_id, .bytes = copy};
    if (err == SH_OK)
        err = rows_open(sh_buffer_bytes(&copy), &result->rows);
    conn->bolt->result_bytes += copy.len;
    if (err != SH_OK) {
        results_drop(conn, result);
        return err;
    }
    conn->next_id++;
    *out = result;
    return SH_OK;
}

void results_drop(struct bolt_conn *conn, struct result *result)
{
    if (!result->open)
        return;
    conn->bolt->result_bytes -= result->bytes.len;
    sh_buffer_free(&result->bytes);
    *result = (struct result){0};
}

void results_drop_all(struct bolt_conn *conn)
{
    for (size_t i = 0; i < BOLT_RESULTS; i++)
        results_drop(conn, &conn->results[i]);
    conn->pull = (struct pull){0};
}

bool results_are_full(struct bolt_conn *conn)
{
    return free_place(conn) == NULL;
}

static bool none_is_open(const struct bolt_conn *conn)
{
    for (size_t i = 0; i < BOLT_RESULTS; i++)
        if (conn->results[i].open)
            return false;
    return true;
}

/* -1: the one that was opened last. */
static struct result *find(struct bolt_conn *conn, int64_t id)
{
    struct result *found = NULL;

    for (size_t i = 0; i < BOLT_RESULTS; i++) {
        struct result *result = &conn->results[i];
        if (!result->open || (id != -1 && result->id != id))
            continue;
        if (found == NULL || result->id > found->id)
            found = result;
    }
    return found;
}

/* --- the end of a pull ------------------------------------------------------------ */

static void put_truncation(struct sh_buffer *out)
{
    ps_word(out, "notifications");
    ps_list(out, 1);
    ps_map(out, 4);
    ps_word(out, "code");
    ps_word(out, "Neo.ClientNotification.Statement.ResultTruncated");
    ps_word(out, "title");
    ps_word(out, "The result is not whole.");
    ps_word(out, "description");
    ps_word(out, "There are more rows than one query may give: ask for them in pages, by "
                 "ORDER BY, SKIP and LIMIT.");
    ps_word(out, "severity");
    ps_word(out, "WARNING");
}

static void put_summary(struct bolt_conn *conn, const struct result *result)
{
    struct sh_buffer *out = &conn->bolt->out;
    bool own = !conn->in_tx; /* the query was a transaction of its own */
    size_t begin =
        reply_success_begin(conn, 3u + (own ? 1u : 0u) + (result->truncated ? 1u : 0u));

    ps_word(out, "type");
    ps_word(out, "r");
    ps_word(out, "t_last");
    ps_int(out, (int64_t)result->time_ms);
    ps_word(out, "db");
    ps_word(out, BOLT_DATABASE);
    if (own)
        query_put_bookmark(out);
    if (result->truncated)
        put_truncation(out);
    reply_end(conn, begin);
}

static void finish(struct bolt_conn *conn)
{
    put_summary(conn, conn->pull.result);
    results_drop(conn, conn->pull.result);
    conn->pull = (struct pull){0};
    if (!conn->in_tx)
        conn->state = BOLT_READY;
    else if (none_is_open(conn))
        conn->state = BOLT_TX_READY;
}

static void put_more(struct bolt_conn *conn)
{
    size_t begin = reply_success_begin(conn, 1);

    ps_word(&conn->bolt->out, "has_more");
    ps_bool(&conn->bolt->out, true);
    reply_end(conn, begin);
    conn->pull = (struct pull){0};
}

/* --- records ---------------------------------------------------------------------- */

static bool put_record(struct bolt_conn *conn)
{
    struct sh_buffer *out = &conn->bolt->out;
    size_t begin = chunks_begin(out);

    ps_struct(out, BOLT_RECORD, 1);
    enum sh_err err = rows_next(&conn->pull.result->rows, conn->version, out);
    if (err == SH_OK) {
        chunks_end(out, begin);
        return true;
    }
    if (out->err == SH_OK)
        out->len = begin; /* the client never sees half a record */
    reply_failure(conn, failure_code(err == SH_NOMEM ? err : SH_UPSTREAM, NULL),
                  "a row of the result cannot be said in Bolt");
    return false;
}

void pull_go_on(struct bolt_conn *conn)
{
    struct pull *pull = &conn->pull;
    const struct sh_buffer *out = &conn->bolt->out;

    if (!sh_stream_has_room(conn->stream))
        return;
    while (pull->left != 0 && pull->result->rows.left > 0) {
        if (out->len >= BOLT_SLICE) {
            sh_stream_kick(conn->stream); /* others have a turn */
            return;
        }
        if (!put_record(conn))
            return;
        if (pull->left > 0)
            pull->left--;
    }
    if (pull->result->rows.left > 0)
        put_more(conn);
    else
        finish(conn);
}

/* What is discarded need not be looked at, unless a part of it is. */
static void discard(struct bolt_conn *conn)
{
    struct pull *pull = &conn->pull;
    struct sh_buffer nowhere = {0};

    if (pull->left < 0 || (uint64_t)pull->left >= pull->result->rows.left) {
        finish(conn);
        return;
    }
    while (pull->left > 0) {
        enum sh_err err = rows_next(&pull->result->rows, conn->version, &nowhere);
        sh_buffer_clear(&nowhere);
        pull->left = err == SH_OK ? pull->left - 1 : 0;
    }
    sh_buffer_free(&nowhere);
    put_more(conn);
}

void pull_start(struct bolt_conn *conn, const struct bolt_request *request)
{
    int64_t count = 0, id;
    bool counted = ps_find_int(request->fields[0], "n", &count);

    if (!ps_find_int(request->fields[0], "qid", &id))
        id = -1; /* the last one */
    if (!counted || count == 0 || count < -1) {
        reply_fatal(conn, BOLT_REQUEST_INVALID, "n must be a number of records, or -1");
        return;
    }
    struct result *result = find(conn, id);
    if (result == NULL) {
        reply_failure(conn, BOLT_REQUEST_INVALID, "no result %lld is open",
                      (long long)id);
        return;
    }
    conn->pull = (struct pull){.under_way = true, .left = count, .result = result};
    if (request->tag == BOLT_PULL)
        pull_go_on(conn);
    else
        discard(conn);
}
