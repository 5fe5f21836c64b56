/* POST /api/graph/import: a stream of nodes and relationships, in bounded memory.
 *
 * Happy path: what is read of the body is stored portion by portion, each in one
 * transaction (portion_feed.h). The answer tells each portion and each record that was
 * refused, a JSON object a line, and at the end the sum. Back-pressure: while the client
 * does not read its answer, its body is not read. Failure modes: a record that is none,
 * or that graph refuses, gets a line and nothing else happens; a portion that graph did
 * not take in a minute counts as failed; the format is broken: what was read so far is
 * stored, and the sum says why it ended. The client leaves: what was stored stays.
 * Whoever sends all of it again ends up with the same graph. */
#include "services/gateway/graphs/portion_feed.h"
#include "services/gateway/handlers/batch.h"
#include "services/gateway/handlers/graph_format.h"
#include "services/gateway/handlers/graph_import_job.h"
#include "services/gateway/handlers/graph_import_line.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/refresh.h"
#include "services/gateway/json_in.h"

struct import {
    struct refresh refresh;
    struct exchange *x;
    struct portion_feed *feed;
    uint64_t xid; /* of the last portion */
    struct import_tally tally;
    struct sh_buffer lines; /* of the answer, to be sent */
    bool begun;             /* the answer's headers are out */
    bool slow;              /* the client does not read */
};

/* --- the end ---------------------------------------------------------------------- */

static void import_close(struct import *self)
{
    portion_feed_close(&self->feed);
    everywhere_cancel(&self->refresh.waiting);
    sh_buffer_free(&self->lines);
    sh_free(self);
}

static void on_abandoned(struct exchange *x)
{
    import_close(x->state);
}

static void begin_answer(struct import *self)
{
    if (!self->begun)
        sh_http_begin(self->x->request, 200, "application/x-ndjson");
    self->begun = true;
}

static void answer_end(struct import *self)
{
    struct exchange *x = self->x;

    import_line_sum(&self->tally, portion_feed_why(self->feed), &self->lines);
    refresh_members(&self->lines, &self->refresh);
    sh_buffer_text(&self->lines, "}\n");
    begin_answer(self);
    (void)sh_http_send(x->request, sh_buffer_bytes(&self->lines)); /* the last piece */
    sh_http_end(x->request);
    import_close(self);
    exchange_done(x);
}

static void on_everywhere(void *arg, struct everywhere_answer answer)
{
    struct import *self = arg;

    self->refresh.waiting = NULL;
    self->refresh.all = answer;
    answer_end(self);
}

/* Any replica may have stored the last portion, so it is all of them or none. */
static void wait_for_views(void *arg)
{
    struct import *self = arg;
    struct everywhere_order order = refresh_order(self->x, self->xid);

    order.peer = PEER_GRAPH;
    if (self->xid == 0)
        self->refresh.mode = REFRESH_NONE;
    else if (self->refresh.mode == REFRESH_OWN)
        self->refresh.mode = REFRESH_ALL;
    if (self->refresh.mode == REFRESH_NONE ||
        everywhere_ask(self->x->edge, &order, on_everywhere, self,
                       &self->refresh.waiting) != SH_OK)
        answer_end(self);
}

/* --- lines of the answer ---------------------------------------------------------- */

static void on_fault(void *arg, uint64_t line, const struct schema_fault *fault)
{
    struct import *self = arg;

    self->tally.failed++;
    import_line_failed(line, fault->err, json_in_code(fault->err), fault->field,
                       fault->error, &self->lines);
}

static void write_failed(struct import *self, const struct portion_waiting *portion,
                         const struct sh_rpc_response *reply)
{
    struct sh_problem problem = exchange_problem(reply, PEER_GRAPH);

    self->tally.failed += portion->records;
    batch_line_failed(portion->first_line, &problem, &self->lines);
}

static void write_stored(struct import *self, const struct portion_waiting *portion,
                         struct sh_bytes payload)
{
    struct graph_put_reply reply;
    struct sh_arena arena = {0};
    const struct sh_rpc_response nonsense = {.err = SH_UPSTREAM};

    if (msg_decode(graph_put_reply_desc(), payload, &arena, &reply) != SH_OK) {
        write_failed(self, portion, &nonsense);
    } else {
        self->xid = reply.xid;
        import_line_stored(portion->first_line, portion->last_line, &reply, &self->tally,
                           &self->lines);
        for (size_t i = 0; i < reply.refused_count; i++)
            import_line_refused(&reply.refused[i], &self->lines);
    }
    sh_arena_free(&arena);
}

static bool on_answered(void *arg, const struct portion_waiting *portion,
                        const struct sh_rpc_response *reply)
{
    if (reply->err == SH_OK)
        write_stored(arg, portion, reply->payload);
    else
        write_failed(arg, portion, reply);
    return true;
}

/* What there is of the answer goes first. */
static bool is_held(void *arg)
{
    struct import *self = arg;

    if (self->lines.len > 0 && !self->slow) {
        begin_answer(self);
        self->slow = !sh_http_send(self->x->request, sh_buffer_bytes(&self->lines));
        sh_buffer_clear(&self->lines);
    }
    return self->slow;
}

static void on_drained(void *arg)
{
    struct import *self = arg;

    self->slow = false;
    portion_feed_go(self->feed);
}

/* --- the start -------------------------------------------------------------------- */

static const struct portion_feed_ops ops = {.method = METHOD_GRAPH_PUT,
                                            .fault = on_fault,
                                            .answered = on_answered,
                                            .held = is_held,
                                            .over = wait_for_views};

static void stream(struct exchange *x, enum graph_format format,
                   enum refresh_mode refresh)
{
    struct import *self = sh_alloc(sizeof *self);

    if (self != NULL)
        *self = (struct import){.x = x, .refresh = {.mode = refresh, .peer = PEER_GRAPH}};
    if (self == NULL || portion_feed_open(x, format, &ops, self, &self->feed) != SH_OK) {
        sh_free(self);
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    x->state = self;
    x->abandoned = on_abandoned;
    sh_http_on_drained(x->request, on_drained, self);
    portion_feed_start(self->feed);
}

void graph_import_post(struct exchange *x, void *unused)
{
    enum graph_format format;
    enum refresh_mode refresh;
    bool job;

    (void)unused;
    if (!exchange_body_plain(x) || !graph_format_read(x, &format) ||
        !refresh_read(x, &refresh) || !graph_import_wants_job(x, &job))
        return;
    if (job)
        graph_import_as_job(x, format);
    else
        stream(x, format, refresh);
}
