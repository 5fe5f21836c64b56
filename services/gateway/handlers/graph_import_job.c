/* POST /api/graph/import?job=true: a stream of nodes and relationships that becomes a
 * job.
 *
 * Happy path: what is read of the body is kept by graph portion by portion
 * (portion_feed.h); when all of it is there, graph makes a job of it, and the answer
 * names that. Failure modes: a record that is none is counted, and the job tells the
 * first of them; a portion that graph did not take in a minute: the answer says so, and
 * no job was made; the format is broken: the job stores what was read so far, and then
 * fails with the reason. The client leaves: there is no job, and what was kept goes by
 * its age. */
#include <stdio.h>

#include "services/gateway/graphs/portion_feed.h"
#include "services/gateway/handlers/graph_import_job.h"
#include "services/gateway/handlers/graph_job.h"
#include "services/gateway/json_in.h"
#include "services/gateway/json_out.h"
#include "services/gateway/uploads/sent_name.h"
#include "shared/trace.h"

enum { FAULTS_MAX = 100, ID_BYTES = 16 };

struct uploading {
    struct exchange *x;
    struct portion_feed *feed;
    char id[2 * ID_BYTES + 1];
    char file_name[FILE_NAME_MAX]; /* "": nobody said */
    uint64_t number;               /* of the portion that is kept next */
    uint64_t failed;
    struct sh_buffer faults; /* the first of them, a JSON array */
};

/* --- the end ---------------------------------------------------------------------- */

static struct exchange *leave(struct uploading *self)
{
    struct exchange *x = self->x;

    x->abandoned = NULL;
    x->state = NULL;
    return x;
}

static void upload_close(struct uploading *self)
{
    portion_feed_close(&self->feed);
    sh_buffer_free(&self->faults);
    sh_free(self);
}

static void on_abandoned(struct exchange *x)
{
    upload_close(x->state);
}

/* The exchange may be over when this returns; what the message says has been encoded. */
static void ask_for_job(struct uploading *self, struct sh_bytes faults)
{
    const struct graph_import_run run = {
        .import = sh_bytes_of(self->id),
        .parts = self->number,
        .records = portion_feed_records(self->feed),
        .failed = self->failed,
        .broken = sh_bytes_of(portion_feed_why(self->feed)),
        .faults = faults,
        .file_name = sh_bytes_of(self->file_name),
    };

    exchange_call(leave(self), &(struct exchange_call){.peer = PEER_GRAPH,
                                                       .method = METHOD_GRAPH_IMPORT_RUN,
                                                       .kind = SH_RPC_WRITE,
                                                       .desc = graph_import_run_desc(),
                                                       .msg = &run,
                                                       .timeout_ms = PORTION_PATIENCE_MS,
                                                       .done = graph_job_begun});
}

static void on_over(void *arg)
{
    struct uploading *self = arg;
    enum sh_err lost = portion_feed_lost(self->feed);

    sh_buffer_text(&self->faults, "]");
    if (lost != SH_OK)
        exchange_fail_err(leave(self), lost, NULL);
    else if (self->faults.err != SH_OK)
        exchange_fail_err(leave(self), self->faults.err, NULL);
    else
        ask_for_job(self, sh_buffer_bytes(&self->faults));
    upload_close(self);
}

/* --- portions --------------------------------------------------------------------- */

static void on_fault(void *arg, uint64_t line, const struct schema_fault *fault)
{
    struct uploading *self = arg;
    char item[32];

    if (self->failed++ >= FAULTS_MAX)
        return;
    (void)snprintf(item, sizeof item, "line %llu", (unsigned long long)line);
    sh_buffer_text(&self->faults, self->failed > 1 ? ",{" : "{");
    json_member_text(&self->faults, "item", sh_bytes_of(item));
    json_member_text(&self->faults, "code", sh_bytes_of(json_in_code(fault->err)));
    json_member_text(&self->faults, "error", sh_bytes_of(fault->error));
    if (fault->field[0] != '\0')
        json_member_text(&self->faults, "field", sh_bytes_of(fault->field));
    sh_buffer_text(&self->faults, "}");
}

static enum sh_err wrap(void *arg, struct sh_bytes put, struct sh_buffer *out)
{
    const struct uploading *self = arg;
    const struct graph_import_part part = {
        .import = sh_bytes_of(self->id), .number = self->number, .put = put};

    return msg_encode(graph_import_part_desc(), &part, out);
}

static bool on_answered(void *arg, const struct portion_waiting *portion,
                        const struct sh_rpc_response *reply)
{
    struct uploading *self = arg;

    (void)portion;
    self->number++;
    if (reply->err == SH_OK)
        return true;
    exchange_fail_call(leave(self), PEER_GRAPH, reply);
    upload_close(self);
    return false;
}

/* --- the start -------------------------------------------------------------------- */

static void make_id(char out[static 2 * ID_BYTES + 1])
{
    unsigned char bytes[ID_BYTES];

    sh_random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

bool graph_import_wants_job(struct exchange *x, bool *out)
{
    return exchange_query_flag(x, "job", out);
}

void graph_import_as_job(struct exchange *x, enum graph_format format)
{
    static const struct portion_feed_ops ops = {.method = METHOD_GRAPH_IMPORT_PART,
                                                .wrap = wrap,
                                                .fault = on_fault,
                                                .answered = on_answered,
                                                .over = on_over};
    struct uploading *self = sh_alloc(sizeof *self);

    if (self != NULL)
        *self = (struct uploading){.x = x};
    if (self != NULL && !sent_name_read(x, self->file_name)) {
        sh_free(self);
        return;
    }
    if (self == NULL || portion_feed_open(x, format, &ops, self, &self->feed) != SH_OK) {
        sh_free(self);
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    make_id(self->id);
    sh_buffer_text(&self->faults, "[");
    x->state = self;
    x->abandoned = on_abandoned;
    portion_feed_start(self->feed);
}
