#include "services/graph/vectors/vector_maker.h"

#include <stdio.h>

#include "services/graph/vectors/kept_vectors.h"

#include "shared/clock.h"
#include "shared/log.h"

enum {
    AT_ONCE = 256,
    FINGERPRINT_MAX = 64,
    DOCUMENT = 2, /* the purpose, in an embed_request */
    LOOK_MS = 1000,
    RETRY_MS = 2000,
    EMBED_MS = 60000,
    KEEP_MS = 60000, /* between two files; or so many times what one takes */
    KEEP_REST = 20,
    PATH_ROOM = 4096,
};

struct wanted { /* a node whose text has no vector */
    uint32_t place;
    uint64_t number;
    uint64_t hash;
};

struct vector_maker {
    struct vector_maker_options options;
    uv_async_t wake;
    uv_timer_t timer;
    _Atomic bool is_wanted;
    _Atomic bool complete; /* has been through all of the graph */
    _Atomic bool partial;
    bool busy;
    bool closing;
    uint64_t call; /* to the embedder; 0: none */
    struct held_graph *held;
    struct sh_work work;
    enum sh_err err;
    struct wanted batch[AT_ONCE];
    struct sh_bytes texts[AT_ONCE];
    size_t count;
    struct sh_arena arena; /* of the texts */
    float *vectors;        /* of the batch; NULL: not there yet */
    size_t dimension;
    bool reset; /* they are of another model than those before */
    char fingerprint[FINGERPRINT_MAX + 1];
    uint32_t first; /* where the batch begins */
    uint32_t position;
    uint64_t version; /* of the graph, when the round began */
    bool ended;       /* the round */
    /* the thread's */
    char path[PATH_ROOM]; /* of the file; empty: none */
    struct kept_vectors
        *kept;        /* what an earlier process had; NULL: nothing, or used up */
    bool looked;      /* for it */
    bool unkept;      /* there is something that is not in the file */
    uint64_t keep_ms; /* not before */
};

/* --- on the thread ---------------------------------------------------------------- */

static void put_batch(struct vector_maker *self)
{
    if (self->vectors == NULL)
        return;
    if (self->reset) {
        node_vectors_reset(self->options.vectors, self->dimension);
        kept_vectors_close(&self->kept);
        self->position = 0;
        self->reset = false;
    }
    self->unkept = true;
    for (size_t i = 0; i < self->count; i++) {
        const struct wanted *wanted = &self->batch[i];
        if (node_vectors_put(self->options.vectors, wanted->place, wanted->number,
                             wanted->hash, self->vectors + i * self->dimension) != SH_OK)
            atomic_store(&self->partial, true);
    }
    sh_free(self->vectors);
    self->vectors = NULL;
}

/* What an earlier process knew counts until the embedder turns out to have another model.
 */
static void look_for_kept(struct vector_maker *self)
{
    if (self->looked || self->path[0] == '\0')
        return;
    self->looked = true;
    enum sh_err err = kept_vectors_open(self->path, &self->kept);
    if (err != SH_OK) {
        if (err != SH_NOTFOUND)
            sh_warning(NULL, "the vectors in %s are of no use: %s", self->path,
                       sh_err_text(err));
        return;
    }
    self->dimension = kept_vectors_dimension(self->kept);
    (void)snprintf(self->fingerprint, sizeof(self->fingerprint), "%s",
                   kept_vectors_fingerprint(self->kept));
    node_vectors_reset(self->options.vectors, self->dimension);
}

static bool take_kept(const struct vector_maker *self, uint32_t place, uint64_t number,
                      uint64_t hash)
{
    struct packed_vector vector;
    return self->kept != NULL && number != 0 &&
           kept_vectors_find(self->kept, number, hash, &vector) &&
           node_vectors_put_packed(self->options.vectors, place, &vector) == SH_OK;
}

/* After a round that found nothing to do. */
static void keep(struct vector_maker *self)
{
    uint64_t now = sh_now_ms();
    kept_vectors_close(&self->kept);
    if (self->path[0] == '\0' || !self->unkept || now < self->keep_ms)
        return;
    enum sh_err err =
        kept_vectors_save(self->options.vectors, self->fingerprint, self->path);
    uint64_t rest_ms = (sh_now_ms() - now) * KEEP_REST;
    self->keep_ms = now + (rest_ms > KEEP_MS ? rest_ms : KEEP_MS);
    self->unkept = err != SH_OK;
    if (err != SH_OK)
        sh_warning(NULL, "the vectors of nodes cannot be kept in %s: %s", self->path,
                   sh_err_text(err));
}

/* Its text, when that has no vector. */
static enum sh_err look_at(struct vector_maker *self, const struct node *node,
                           uint32_t place, const struct node_text_keys *keys,
                           struct sh_buffer *text)
{
    sh_buffer_clear(text);
    node_text_write(node, keys, text);
    struct sh_bytes bytes = sh_buffer_bytes(text);
    uint64_t hash = lookup_hash(bytes);
    if (text->err != SH_OK || bytes.len == 0 ||
        node_vectors_has(self->options.vectors, place, node->body->number, hash) ||
        take_kept(self, place, node->body->number, hash))
        return text->err;
    self->batch[self->count] = (struct wanted){place, node->body->number, hash};
    self->texts[self->count] = sh_arena_copy(&self->arena, bytes);
    return self->texts[self->count++].data ? SH_OK : SH_NOMEM;
}

static enum sh_err go_through(struct vector_maker *self,
                              const struct graph_reader *reader)
{
    struct node_text_keys keys;
    struct sh_buffer text = {0};
    enum sh_err err = SH_OK;
    uint32_t end = reader->version->node_end;
    node_text_read_keys(self->options.text_properties, graph_keys(reader->graph), &keys);
    for (; self->position < end && self->count < AT_ONCE && err == SH_OK;
         self->position++) {
        const struct node *node = graph_node(reader, self->position);
        if (node != NULL && keys.count > 0)
            err = look_at(self, node, self->position, &keys, &text);
    }
    self->ended = self->position >= end;
    sh_buffer_free(&text);
    return err;
}

/* What came is put, then the next are looked for. */
static void run(struct sh_work *work)
{
    static const struct caller everybody = {.schema = 0}; /* a service: sees all */
    struct vector_maker *self = SH_CONTAINER_OF(work, struct vector_maker, work);
    struct graph_reader reader;
    look_for_kept(self);
    put_batch(self);
    sh_arena_free(&self->arena);
    self->count = 0;
    self->ended = true;
    self->err = graph_enter(self->held->graph, &everybody, &reader);
    if (self->err != SH_OK)
        return;
    bool same = self->position == 0 && atomic_load(&self->complete) &&
                self->version == reader.version->number;
    bool full = node_vectors_is_full(self->options.vectors);
    if (self->position == 0)
        self->version = reader.version->number;
    self->first = self->position;
    if (full)
        atomic_store(&self->partial, true);
    if (!same && !full)
        self->err = go_through(self, &reader);
    graph_leave(&reader);
    if (self->err == SH_OK && self->ended && self->count == 0)
        keep(self);
}

/* --- on the loop ------------------------------------------------------------------ */

static void go_on(struct vector_maker *self);

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

static void rest(struct vector_maker *self, uint64_t ms)
{
    self->busy = false;
    if (!self->closing)
        uv_timer_start(&self->timer, on_timer, ms, 0);
}

/* The same nodes once more. */
static void retry(struct vector_maker *self, const char *why)
{
    sh_warning(NULL, "vectors of nodes have to wait: %s", why);
    self->position = self->first;
    self->count = 0;
    rest(self, RETRY_MS);
}

static enum sh_err take(struct vector_maker *self, const struct sh_rpc_response *response,
                        struct sh_arena *arena)
{
    struct embed_reply reply;
    enum sh_err err = msg_decode(embed_reply_desc(), response->meta, arena, &reply);
    size_t bytes = self->count * (err == SH_OK ? reply.dimension : 0) * sizeof(float);
    if (err != SH_OK || reply.count != self->count || bytes == 0 ||
        reply.fingerprint.len > FINGERPRINT_MAX || response->payload.len != bytes)
        return SH_UPSTREAM;
    self->vectors = sh_alloc_array(bytes, 1);
    if (self->vectors == NULL)
        return SH_NOMEM;
    memcpy(self->vectors, response->payload.data, bytes);
    self->reset = self->dimension != reply.dimension ||
                  !sh_bytes_is(reply.fingerprint, self->fingerprint);
    self->dimension = reply.dimension;
    (void)snprintf(self->fingerprint, sizeof(self->fingerprint), "%.*s",
                   (int)reply.fingerprint.len, (const char *)reply.fingerprint.data);
    return SH_OK;
}

static void on_embedded(void *arg, const struct sh_rpc_response *response)
{
    struct vector_maker *self = arg;
    struct sh_arena arena = {0};
    enum sh_err err = response->err;
    self->call = 0;
    if (err == SH_OK)
        err = take(self, response, &arena);
    sh_arena_free(&arena);
    if (err == SH_OK)
        go_on(self);
    else
        retry(self, response->err != SH_OK ? response->message : sh_err_text(err));
}

static void embed(struct vector_maker *self)
{
    const struct embed_request message = {
        .texts = self->texts, .texts_count = self->count, .purpose = DOCUMENT};
    struct sh_buffer payload = {0};
    enum sh_err err = msg_encode(embed_request_desc(), &message, &payload);
    struct sh_rpc_request request = {.method = METHOD_EMBEDDER_EMBED,
                                     .kind = SH_RPC_READ,
                                     .payload = sh_buffer_bytes(&payload),
                                     .deadline_ms = sh_now_ms() + EMBED_MS};
    if (err == SH_OK)
        err =
            sh_rpc_send(self->options.embedder, &request, on_embedded, self, &self->call);
    sh_buffer_free(&payload);
    if (err != SH_OK)
        retry(self, sh_err_text(err));
}

static void on_ran(struct sh_work *work, enum sh_err err)
{
    struct vector_maker *self = SH_CONTAINER_OF(work, struct vector_maker, work);
    held_release(self->held);
    self->held = NULL;
    err = err == SH_OK ? self->err : err;
    if (self->closing)
        return;
    if (err != SH_OK) {
        retry(self, sh_err_text(err));
    } else if (self->count > 0) {
        embed(self);
    } else if (self->ended) {
        self->position = 0;
        atomic_store(&self->complete, true);
        rest(self, LOOK_MS);
    }
}

static void go_on(struct vector_maker *self)
{
    if (self->closing)
        return;
    self->busy = true;
    self->held = feed_hold(self->options.feed);
    self->work = (struct sh_work){.run = run, .done = on_ran};
    if (self->held != NULL &&
        sh_workers_submit(self->options.workers, &self->work) == SH_OK)
        return;
    held_release(self->held);
    self->held = NULL;
    rest(self, LOOK_MS);
}

static void on_wake(uv_async_t *wake)
{
    struct vector_maker *self = wake->data;
    if (!self->busy && !uv_is_active((uv_handle_t *)&self->timer))
        go_on(self);
}

bool vector_maker_want(struct vector_maker *self, bool *partial)
{
    if (!atomic_exchange(&self->is_wanted, true))
        (void)uv_async_send(&self->wake); /* fails for a handle that closes */
    *partial = atomic_load(&self->partial);
    return atomic_load(&self->complete);
}

const char *vector_maker_properties(const struct vector_maker *self)
{
    return self->options.text_properties;
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err vector_maker_create(uv_loop_t *loop,
                                const struct vector_maker_options *options,
                                struct vector_maker **out)
{
    struct vector_maker *self = sh_alloc(sizeof(*self));
    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    if (options->dir != NULL && options->dir[0] != '\0' &&
        snprintf(self->path, sizeof(self->path), "%s/vectors", options->dir) >= PATH_ROOM)
        self->path[0] = '\0';
    enum sh_err err = sh_err_from_uv(uv_async_init(loop, &self->wake, on_wake));
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    uv_timer_init(loop, &self->timer); /* cannot fail */
    self->wake.data = self->timer.data = self;
    *out = self;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct vector_maker *self = handle->data;
    sh_arena_free(&self->arena);
    sh_free(self->vectors);
    kept_vectors_close(&self->kept);
    sh_free(self);
}

void vector_maker_close(struct vector_maker *self)
{
    if (self == NULL)
        return;
    self->closing = true;
    uv_timer_stop(&self->timer);
    if (self->call != 0)
        sh_rpc_cancel(self->options.embedder, self->call);
    self->call = 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct vector_maker *self = handle->data;
    uv_close((uv_handle_t *)&self->wake, on_closed);
}

void vector_maker_free(struct vector_maker **self_p)
{
    struct vector_maker *self = *self_p;
    *self_p = NULL;
    if (self != NULL)
        uv_close((uv_handle_t *)&self->timer, on_timer_closed);
}
