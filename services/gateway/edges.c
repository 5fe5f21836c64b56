/* Threads talk by uv_async and flags: the main loop sets `wanted` and wakes the thread;
 * a thread sets its own `ready` and `drained` and wakes the main loop. */
#include "services/gateway/edges.h"

#include <pthread.h>
#include <stdio.h>

#include "services/gateway/bolt/bolt.h"
#include "shared/log.h"

enum wanted { WANT_SERVE, WANT_DRAIN, WANT_STOP };

struct slot { /* an edge and its thread */
    struct edge edge;
    struct edges *edges;
    unsigned number;
    uv_thread_t thread;
    uv_loop_t loop; /* unused by the first */
    uv_async_t wake;
    uv_sem_t started;
    enum sh_err start_err;
    bool running;
    bool draining;
    unsigned drains; /* listeners that are not drained yet */
    atomic_int wanted;
    atomic_bool ready;
    atomic_bool drained;
};

struct edges {
    struct gateway *gateway;
    struct edges_events events;
    uv_async_t notice; /* on the main loop */
    uint16_t port;
    bool told_drained;
    unsigned count;
    struct slot slots[];
};

/* --- on the thread of the edge ---------------------------------------------------- */

static void on_change(void *arg)
{
    struct slot *slot = arg;

    atomic_store(&slot->ready, edge_ready(&slot->edge));
    (void)uv_async_send(&slot->edges->notice); /* fails only when it is closing */
}

/* HTTP's connections, or Bolt's. */
static void on_drained(void *arg)
{
    struct slot *slot = arg;

    if (--slot->drains > 0)
        return;
    atomic_store(&slot->drained, true);
    (void)uv_async_send(&slot->edges->notice); /* fails only when it is closing */
}

static void drain_slot(struct slot *slot)
{
    if (slot->draining)
        return;
    slot->draining = true;
    if (slot->edge.plain != NULL)
        sh_http_server_close(&slot->edge.plain);
    slot->drains = slot->edge.bolt != NULL ? 2 : 1;
    sh_http_server_drain(slot->edge.server, on_drained, slot);
    if (slot->edge.bolt != NULL)
        bolt_drain(slot->edge.bolt, on_drained, slot);
}

static void on_wake(uv_async_t *async)
{
    struct slot *slot = async->data;
    int wanted = atomic_load(&slot->wanted);

    if (wanted == WANT_DRAIN)
        drain_slot(slot);
    if (wanted == WANT_STOP)
        uv_stop(&slot->loop);
}

static enum sh_err open_slot(struct slot *slot, uv_loop_t *loop, struct sh_zmq_loop *zmq)
{
    const struct slot *first = &slot->edges->slots[0];
    enum sh_err err = edge_open(&slot->edge, slot->edges->gateway, loop, zmq,
                                slot == first ? NULL : &first->edge);
    if (err == SH_OK)
        edge_on_change(&slot->edge, on_change, slot);
    return err;
}

static void run_loop(struct slot *slot)
{
    struct sh_zmq_loop *zmq = NULL;

    slot->start_err = sh_zmq_loop_create(&slot->loop, &zmq);
    if (slot->start_err == SH_OK)
        slot->start_err = open_slot(slot, &slot->loop, zmq);
    bool good = slot->start_err == SH_OK;
    uv_sem_post(&slot->started);
    if (good) {
        uv_run(&slot->loop, UV_RUN_DEFAULT);
        edge_close(&slot->edge);
    }
    uv_close((uv_handle_t *)&slot->wake, NULL);
    if (zmq != NULL)
        sh_zmq_loop_close(&zmq);
    uv_run(&slot->loop, UV_RUN_DEFAULT); /* the close callbacks */
}

static void thread_main(void *arg)
{
    struct slot *slot = arg;
    char name[16];

    (void)snprintf(name, sizeof name, "edge-%u", slot->number);
    (void)pthread_setname_np(pthread_self(), name); /* only for people */
    run_loop(slot);
    if (uv_loop_close(&slot->loop) != 0)
        sh_warning(NULL, "a loop of the gateway ended with open handles");
}

/* --- on the main thread ----------------------------------------------------------- */

static enum sh_err start_thread(struct slot *slot)
{
    enum sh_err err = sh_err_from_uv(uv_loop_init(&slot->loop));
    if (err != SH_OK)
        return err;
    err = sh_err_from_uv(uv_async_init(&slot->loop, &slot->wake, on_wake));
    slot->wake.data = slot;
    if (err == SH_OK && uv_sem_init(&slot->started, 0) != 0)
        err = SH_NOMEM;
    if (err == SH_OK && uv_thread_create(&slot->thread, thread_main, slot) != 0)
        err = SH_IO;
    if (err != SH_OK)
        return err; /* the process ends: nothing can be served without threads */
    uv_sem_wait(&slot->started);
    uv_sem_destroy(&slot->started);
    slot->running = true;
    return slot->start_err;
}

static bool all_drained(const struct edges *edges)
{
    for (unsigned i = 0; i < edges->count; i++)
        if (!atomic_load(&edges->slots[i].drained))
            return false;
    return true;
}

static void on_notice(uv_async_t *async)
{
    struct edges *edges = async->data;

    edges->events.changed(edges->events.arg);
    if (edges->told_drained || !all_drained(edges))
        return;
    edges->told_drained = true;
    edges->events.drained(edges->events.arg);
}

/* At /peers: those of the loop that the ops port is on, which sees the same services as
 * the others. */
static enum sh_err show_peers(struct sh_service *service, const struct edge *edge)
{
    enum sh_err err = SH_OK;
    for (int p = 0; p < PEER_COUNT && err == SH_OK; p++)
        err = sh_service_add_peers(service, edge->peers[p]);
    return err;
}

static enum sh_err open_all(struct edges *edges, struct sh_service *service)
{
    struct slot *first = &edges->slots[0];
    enum sh_err err = open_slot(first, sh_service_loop(service), sh_service_zmq(service));

    if (err != SH_OK)
        return err;
    first->running = true;
    edges->port = sh_http_server_port(first->edge.server);
    err = show_peers(service, &first->edge);
    for (unsigned i = 1; i < edges->count && err == SH_OK; i++)
        err = start_thread(&edges->slots[i]);
    return err;
}

static void tell_ports(const struct edges *edges)
{
    const char *host = edges->gateway->config.api_host;
    const struct bolt *bolt = edges->slots[0].edge.bolt;

    sh_info(NULL, "listening on %s port %u with %u loops", host, edges->port,
            edges->count);
    if (bolt != NULL)
        sh_info(NULL, "Bolt listens on %s port %u", host, bolt_port(bolt));
}

enum sh_err edges_open(struct gateway *gateway, struct sh_service *service,
                       const struct edges_events *events, struct edges **out)
{
    unsigned count = gateway->loops;
    struct edges *edges = sh_alloc(sizeof *edges + (size_t)count * sizeof(struct slot));
    enum sh_err err = SH_NOMEM;

    *out = NULL;
    if (edges == NULL)
        return SH_NOMEM;
    edges->gateway = gateway;
    edges->events = *events;
    edges->count = count;
    for (unsigned i = 0; i < count; i++) {
        edges->slots[i].edges = edges;
        edges->slots[i].number = i;
    }
    err = sh_err_from_uv(
        uv_async_init(sh_service_loop(service), &edges->notice, on_notice));
    if (err != SH_OK) {
        sh_free(edges);
        return err;
    }
    edges->notice.data = edges;
    err = open_all(edges, service);
    *out = edges;
    if (err != SH_OK)
        edges_close(out);
    else
        tell_ports(edges);
    return err;
}

struct edge *edges_main(struct edges *edges)
{
    return &edges->slots[0].edge;
}

bool edges_ready(const struct edges *edges)
{
    for (unsigned i = 0; i < edges->count; i++)
        if (!atomic_load(&edges->slots[i].ready))
            return false;
    return true;
}

static void want(struct slot *slot, enum wanted wanted)
{
    atomic_store(&slot->wanted, wanted);
    (void)uv_async_send(&slot->wake); /* fails only when it is closing */
}

void edges_drain(struct edges *edges)
{
    drain_slot(&edges->slots[0]);
    for (unsigned i = 1; i < edges->count; i++)
        want(&edges->slots[i], WANT_DRAIN);
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void edges_close(struct edges **edges)
{
    struct edges *self = *edges;

    if (self == NULL)
        return;
    *edges = NULL;
    for (unsigned i = 1; i < self->count; i++)
        if (self->slots[i].running) {
            want(&self->slots[i], WANT_STOP);
            (void)uv_thread_join(&self->slots[i].thread); /* fails only when misused */
        }
    if (self->slots[0].running)
        edge_close(&self->slots[0].edge);
    uv_close((uv_handle_t *)&self->notice, on_closed);
}
