/* bolt_fixture: a Bolt connection against an edge, with a graph service of the test's own
 * behind it. */
#ifndef TESTS_BOLT_FIXTURE_H
#define TESTS_BOLT_FIXTURE_H

#define BEFORE_EDGE(f) serve_graph(f)
struct fixture;
static inline void serve_graph(struct fixture *f);
#include "gateway_fixture.h"

#include "services/gateway/bolt/bolt.h"
#include "services/gateway/bolt/chunks.h"
#include "services/gateway/bolt/request.h"

static struct graph { /* of the test */
    struct sh_rpc_server *server;
    struct sh_rpc_call *held;
    int queries, canceled;
    char query[128];
    uint8_t parameters[64];
    size_t parameters_len;
    uint32_t timeout_ms;
    char role[32];
} graph;

static struct talk { /* what the client hears */
    int fd;
    struct sh_buffer in;
    struct chunks chunks;
    bool end;
} talk;

/* --- the graph -------------------------------------------------------------------- */

static inline void put_rows(struct sh_buffer *rows, unsigned count)
{
    const uint8_t head[] = {0xdd, 0, 0, (uint8_t)(count >> 8), (uint8_t)count};

    sh_buffer_append(rows, head, sizeof head);
    for (unsigned i = 0; i < count; i++) {
        const uint8_t row[] = {0x91, 0xcd, (uint8_t)(i >> 8), (uint8_t)i};
        sh_buffer_append(rows, row, sizeof row);
    }
}

static inline void answer_rows(struct sh_rpc_call *call, unsigned count)
{
    const struct sh_bytes columns[] = {sh_bytes_of("i")};
    struct sh_buffer rows = {0};

    put_rows(&rows, count);
    const struct cypher_reply reply = {.columns = columns,
                                       .columns_count = 1,
                                       .rows = sh_buffer_bytes(&rows),
                                       .row_count = count,
                                       .truncated = count == 7,
                                       .time_ms = 1.5};
    sh_rpc_reply(call, cypher_reply_desc(), &reply);
    sh_buffer_free(&rows);
}

static inline void on_graph_canceled(void *arg)
{
    (void)arg;
    graph.canceled++;
}

static inline void on_graph_query(void *arg, struct sh_rpc_call *call)
{
    const struct caller *caller = sh_rpc_call_caller(call);
    struct cypher_query query;

    (void)arg;
    if (sh_rpc_call_decode(call, cypher_query_desc(), &query) != SH_OK)
        return;
    graph.queries++;
    (void)snprintf(graph.query, sizeof graph.query, "%.*s", (int)query.query.len,
                   (const char *)query.query.data);
    (void)snprintf(graph.role, sizeof graph.role, "%.*s", (int)caller->role.len,
                   (const char *)caller->role.data);
    graph.parameters_len = query.parameters.len < 64 ? query.parameters.len : 64;
    memcpy(graph.parameters, query.parameters.data, graph.parameters_len);
    graph.timeout_ms = query.timeout_ms;
    if (strcmp(graph.query, "hold") == 0) {
        sh_rpc_call_on_cancel(call, on_graph_canceled, NULL);
        graph.held = call;
    } else if (strcmp(graph.query, "syntax") == 0) {
        sh_rpc_fail(call, SH_INVALID, "cypher_syntax", NULL, "line 1, column 3: no");
    } else if (strncmp(graph.query, "rows ", 5) == 0) {
        answer_rows(call, (unsigned)strtoul(graph.query + 5, NULL, 10));
    } else {
        answer_rows(call, 1);
    }
}

static inline void serve_graph(struct fixture *f)
{
    const struct sh_settings settings = bolt_settings(&f->gateway.bolt_config);
    struct sh_buffer faults = {0};

    assert_int_equal(sh_config_load(&settings, 1, &faults), SH_OK);
    sh_buffer_free(&faults);
    f->gateway.bolt_config.port = 0; /* opened below, on a free one */
    graph = (struct graph){0};
    serve_at(f, "graph", "graph", &graph.server);
    assert_int_equal(sh_rpc_server_add(graph.server, METHOD_GRAPH_QUERY, "graph.query",
                                       1 << 21, on_graph_query, NULL),
                     SH_OK);
}

static inline int open_all(void **state)
{
    set_up(state);
    struct fixture *f = *state;
    assert_int_equal(bolt_open(&f->edge, 0, &f->edge.bolt), SH_OK);
    pump_until(f, sh_rpc_client_ready(f->edge.peers[PEER_GRAPH]) == 1);
    talk = (struct talk){.fd = -1};
    return 0;
}

static inline void close_talk(void)
{
    if (talk.fd >= 0)
        close(talk.fd);
    sh_buffer_free(&talk.in);
    chunks_free(&talk.chunks);
    talk = (struct talk){.fd = -1};
}

static inline int close_all(void **state)
{
    close_talk();
    if (graph.held != NULL)
        answer_rows(graph.held, 0);
    sh_rpc_server_close(&graph.server);
    return tear_down(state);
}

/* --- the client ------------------------------------------------------------------- */

static inline void hear(struct fixture *f)
{
    char bytes[65536];
    ssize_t got = recv(talk.fd, bytes, sizeof bytes, MSG_DONTWAIT);

    (void)f;
    if (got > 0)
        sh_buffer_append(&talk.in, bytes, (size_t)got);
    talk.end = talk.end || got == 0 || (got < 0 && errno == ECONNRESET);
}

static inline void call_bolt(struct fixture *f, uint8_t major, uint8_t minor)
{
    const uint8_t hello[HANDSHAKE_BYTES] = {0x60, 0x60, 0xb0, 0x17, 0, 0, minor, major};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(bolt_port(f->edge.bolt)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const void *address = &to;

    close_talk();
    talk.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(talk.fd >= 0);
    assert_int_equal(connect(talk.fd, address, sizeof to), 0);
    talk.chunks.most = 1 << 20;
    assert_int_equal(send(talk.fd, hello, sizeof hello, MSG_NOSIGNAL), sizeof hello);
    pump_until(f, (hear(f), talk.in.len >= HANDSHAKE_ANSWER));
    assert_int_equal(((uint8_t *)talk.in.data)[3], major);
    assert_int_equal(((uint8_t *)talk.in.data)[2], minor);
    sh_buffer_consume(&talk.in, HANDSHAKE_ANSWER);
}

static inline void send_all(const struct sh_buffer *out)
{
    assert_int_equal(out->err, SH_OK);
    assert_int_equal(send(talk.fd, out->data, out->len, MSG_NOSIGNAL), (ssize_t)out->len);
}

/* A message of words: each field "text", "{}", "{k:1}"-like maps by the helpers below. */
static inline size_t begin_message(struct sh_buffer *out, uint8_t tag, size_t fields)
{
    size_t begin = chunks_begin(out);
    ps_struct(out, tag, fields);
    return begin;
}

static inline void put_plain(struct sh_buffer *out, uint8_t tag)
{
    chunks_end(out, begin_message(out, tag, 0));
}

static inline void put_map_of_words(struct sh_buffer *out, uint8_t tag,
                                    const char *const *words)
{
    size_t begin = begin_message(out, tag, 1), count = 0;

    while (words[2 * count] != NULL)
        count++;
    ps_map(out, count);
    for (size_t i = 0; i < 2 * count; i++)
        ps_word(out, words[i]);
    chunks_end(out, begin);
}

static inline void put_run(struct sh_buffer *out, const char *query)
{
    size_t begin = begin_message(out, BOLT_RUN, 3);

    ps_word(out, query);
    ps_map(out, 1);
    ps_word(out, "p");
    ps_int(out, 5);
    ps_map(out, 1);
    ps_word(out, "tx_timeout");
    ps_int(out, 1234);
    chunks_end(out, begin);
}

static inline void put_pull(struct sh_buffer *out, uint8_t tag, int64_t n, int64_t id)
{
    size_t begin = begin_message(out, tag, 1);

    ps_map(out, id >= 0 ? 2 : 1);
    ps_word(out, "n");
    ps_int(out, n);
    if (id >= 0) {
        ps_word(out, "qid");
        ps_int(out, id);
    }
    chunks_end(out, begin);
}

/* The next message of the server; its fields are at *fields. */
static inline uint8_t answer(struct fixture *f, struct ps_cursor *fields)
{
    struct ps_token token;
    bool whole = false;
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;

    chunks_clear(&talk.chunks);
    while (!whole) {
        size_t taken;
        hear(f);
        whole = chunks_take(&talk.chunks, sh_buffer_bytes(&talk.in), &taken) ==
                CHUNKS_MESSAGE;
        sh_buffer_consume(&talk.in, taken);
        if (!whole && talk.end)
            fail_msg("the connection ended");
        if (!whole)
            turn(f, deadline);
    }
    assert_int_equal(ps_scan(sh_buffer_bytes(&talk.chunks.message)), SH_OK);
    struct ps_cursor cursor = ps_over(sh_buffer_bytes(&talk.chunks.message));
    assert_true(ps_next(&cursor, &token));
    assert_int_equal(token.kind, PS_STRUCT);
    *fields = cursor;
    return token.tag;
}

static inline struct ps_cursor expect(struct fixture *f, uint8_t tag)
{
    struct ps_cursor fields;
    uint8_t got = answer(f, &fields);
    struct sh_bytes why = {0};

    if (got == BOLT_FAILURE && tag != got && ps_find_text(fields, "message", &why))
        fail_msg("failure: %.*s", (int)why.len, (const char *)why.data);
    assert_int_equal(got, tag);
    return fields;
}

static inline void expect_failure(struct fixture *f, const char *code)
{
    struct ps_cursor fields = expect(f, BOLT_FAILURE);
    struct sh_bytes text = {0};

    assert_true(ps_find_text(fields, "code", &text));
    assert_int_equal(text.len, strlen(code));
    assert_memory_equal(text.data, code, text.len);
}

static inline void expect_records(struct fixture *f, int64_t first, int64_t count)
{
    for (int64_t i = first; i < first + count; i++) {
        struct ps_cursor row = expect(f, BOLT_RECORD);
        struct ps_token token;
        assert_true(ps_next(&row, &token));
        assert_int_equal(token.kind, PS_LIST);
        assert_int_equal(token.number, 1);
        assert_true(ps_next(&row, &token));
        assert_int_equal(token.number, i);
    }
}

static inline void expect_end(struct fixture *f)
{
    pump_until(f, (hear(f), talk.end));
    assert_int_equal(talk.in.len, 0);
}

static const char *const no_words[] = {NULL};

/* As nobody, who is the operator on a trusted port. */
static inline void log_in(struct fixture *f)
{
    struct sh_buffer out = {0};

    call_bolt(f, 5, 4);
    put_map_of_words(&out, BOLT_HELLO, no_words);
    put_map_of_words(&out, BOLT_LOGON, (const char *const[]){"scheme", "none", NULL});
    send_all(&out);
    sh_buffer_free(&out);
    struct ps_cursor greeting = expect(f, BOLT_SUCCESS);
    struct sh_bytes server = {0};
    assert_true(ps_find_text(greeting, "server", &server));
    assert_int_equal(memcmp(server.data, "Neo4j/5.", 8), 0);
    (void)expect(f, BOLT_SUCCESS);
}

static inline void say_run(const char *query, int64_t pull)
{
    struct sh_buffer out = {0};

    put_run(&out, query);
    if (pull != 0)
        put_pull(&out, BOLT_PULL, pull, -1);
    send_all(&out);
    sh_buffer_free(&out);
}

static inline void say_plain(uint8_t tag)
{
    struct sh_buffer out = {0};

    put_plain(&out, tag);
    send_all(&out);
    sh_buffer_free(&out);
}

static inline void say_pull(uint8_t tag, int64_t n, int64_t id)
{
    struct sh_buffer out = {0};

    put_pull(&out, tag, n, id);
    send_all(&out);
    sh_buffer_free(&out);
}

static inline void expect_has_more(struct fixture *f, bool expected)
{
    struct ps_cursor meta = expect(f, BOLT_SUCCESS), value;
    assert_int_equal(ps_find(meta, "has_more", &value), expected);
}

#endif
