#include "shared/zmq_loop.h"

#include "libshared/src/rpc_wire.h"
#include "libshared/src/zmq_context.h"
#include "shared/mem.h"

/* A turn of the loop: the poll callbacks mark sockets dirty (as does every use);
 * `prepare` asks the dirty ones for ZMQ_EVENTS, and when one has work starts `idle`, so
 * that the loop does not sleep; `check` receives. A socket is clean only after ZMQ_EVENTS
 * said that nothing is there: then ZMQ_FD fires again for whatever comes. */

enum { DRAIN_MAX = 64 };

struct sh_zmq_socket {
    uv_poll_t poll;
    struct sh_zmq_loop *zmq;
    void *raw; /* NULL: closed */
    struct sh_zmq_handler handler;
    bool dirty;
    struct sh_zmq_socket *next;
};

struct sh_zmq_loop {
    uv_loop_t *uv;
    void *context;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    struct sh_zmq_socket *sockets; /* closed ones leave when libuv is done with them */
    size_t handles;
};

static void unref(struct sh_zmq_loop *zmq)
{
    if (--zmq->handles > 0)
        return;
    zmq_context_unref();
    sh_free(zmq);
}

static void on_handle_closed(uv_handle_t *handle)
{
    unref(handle->data);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* its being active keeps the loop awake */
}

static bool has_input(struct sh_zmq_socket *socket)
{
    int events = 0;
    size_t size = sizeof(events);
    return zmq_getsockopt(socket->raw, ZMQ_EVENTS, &events, &size) == 0 &&
           (events & ZMQ_POLLIN) != 0;
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct sh_zmq_loop *zmq = prepare->data;
    bool work = false;
    for (struct sh_zmq_socket *s = zmq->sockets; s; s = s->next) {
        if (!s->raw || !s->dirty)
            continue;
        s->dirty = has_input(s);
        work = work || s->dirty;
    }
    if (work)
        uv_idle_start(&zmq->idle, on_idle);
}

/* Takes one message off the socket. False when there is none. */
static bool receive(struct sh_zmq_socket *socket)
{
    zmq_msg_t frames[SH_ZMQ_FRAMES_MAX + 1]; /* the last for what is too many */
    size_t count = 0;
    for (int more = 1; more; count++) {
        zmq_msg_t *frame = &frames[count < SH_ZMQ_FRAMES_MAX ? count : SH_ZMQ_FRAMES_MAX];
        zmq_msg_init(frame);
        if (zmq_msg_recv(frame, socket->raw, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(frame);
            break; /* only before the first: a message arrives whole */
        }
        more = zmq_msg_more(frame);
        if (count >= SH_ZMQ_FRAMES_MAX)
            zmq_msg_close(frame);
    }
    if (count > SH_ZMQ_FRAMES_MAX)
        rpc_bad_message("frames");
    else if (count > 0)
        socket->handler.message(socket->handler.arg, frames, count);
    for (size_t i = 0; i < count && i < SH_ZMQ_FRAMES_MAX; i++)
        zmq_msg_close(&frames[i]);
    return count > 0;
}

static void drain(struct sh_zmq_socket *socket)
{
    for (int i = 0; i < DRAIN_MAX; i++) {
        if (!socket->raw || !receive(socket))
            return;
    }
}

static void on_check(uv_check_t *check)
{
    struct sh_zmq_loop *zmq = check->data;
    uv_idle_stop(&zmq->idle);
    for (struct sh_zmq_socket *s = zmq->sockets; s; s = s->next) {
        if (s->raw && s->dirty)
            drain(s);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct sh_zmq_socket *socket = poll->data;
    (void)status;
    (void)events;
    socket->dirty = true;
}

enum sh_err sh_zmq_loop_create(uv_loop_t *loop, struct sh_zmq_loop **out)
{
    struct sh_zmq_loop *zmq = sh_alloc(sizeof(*zmq));
    if (!zmq)
        return SH_NOMEM;
    zmq->context = zmq_context_ref();
    if (!zmq->context) {
        sh_free(zmq);
        return SH_NOMEM;
    }
    zmq->uv = loop;
    uv_prepare_init(loop, &zmq->prepare);
    uv_check_init(loop, &zmq->check);
    uv_idle_init(loop, &zmq->idle);
    zmq->prepare.data = zmq->check.data = zmq->idle.data = zmq;
    zmq->handles = 3;
    uv_prepare_start(&zmq->prepare, on_prepare);
    uv_check_start(&zmq->check, on_check);
    uv_unref((uv_handle_t *)&zmq->prepare);
    uv_unref((uv_handle_t *)&zmq->check);
    *out = zmq;
    return SH_OK;
}

void sh_zmq_loop_close(struct sh_zmq_loop **zmq_p)
{
    struct sh_zmq_loop *zmq = *zmq_p;
    if (!zmq)
        return;
    *zmq_p = NULL;
    uv_close((uv_handle_t *)&zmq->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&zmq->check, on_handle_closed);
    uv_close((uv_handle_t *)&zmq->idle, on_handle_closed);
}

uv_loop_t *sh_zmq_loop_uv(const struct sh_zmq_loop *zmq)
{
    return zmq->uv;
}

void *sh_zmq_socket_new(struct sh_zmq_loop *zmq, int type)
{
    return zmq_socket(zmq->context, type);
}

enum sh_err sh_zmq_socket_add(struct sh_zmq_loop *zmq, void *raw,
                              const struct sh_zmq_handler *handler,
                              struct sh_zmq_socket **out)
{
    int fd = -1;
    size_t size = sizeof(fd);
    struct sh_zmq_socket *socket = sh_alloc(sizeof(*socket));
    if (!socket || zmq_getsockopt(raw, ZMQ_FD, &fd, &size) != 0 ||
        uv_poll_init(zmq->uv, &socket->poll, fd) != 0) {
        sh_free(socket);
        zmq_close(raw);
        return SH_NOMEM;
    }
    socket->zmq = zmq;
    socket->raw = raw;
    socket->handler = *handler;
    socket->dirty = true; /* the first look at ZMQ_EVENTS is owed */
    socket->poll.data = socket;
    socket->next = zmq->sockets;
    zmq->sockets = socket;
    zmq->handles++;
    uv_poll_start(&socket->poll, UV_READABLE, on_readable);
    *out = socket;
    return SH_OK;
}

void *sh_zmq_socket_raw(const struct sh_zmq_socket *socket)
{
    return socket->raw;
}

void sh_zmq_socket_dirty(struct sh_zmq_socket *socket)
{
    socket->dirty = true;
}

enum sh_err sh_zmq_socket_send(struct sh_zmq_socket *socket, zmq_msg_t *frames,
                               size_t count)
{
    socket->dirty = true;
    for (size_t i = 0; i < count; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
        if (zmq_msg_send(&frames[i], socket->raw, flags) < 0)
            return zmq_errno() == EHOSTUNREACH ? SH_NOTFOUND : SH_BUSY;
    }
    return SH_OK;
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct sh_zmq_socket *socket = handle->data;
    struct sh_zmq_loop *zmq = socket->zmq;
    struct sh_zmq_socket **at = &zmq->sockets;
    while (*at != socket)
        at = &(*at)->next;
    *at = socket->next;
    sh_free(socket);
    unref(zmq);
}

void sh_zmq_socket_close(struct sh_zmq_socket **socket_p)
{
    struct sh_zmq_socket *socket = *socket_p;
    if (!socket)
        return;
    *socket_p = NULL;
    uv_close((uv_handle_t *)&socket->poll,
             on_poll_closed); /* before its descriptor goes */
    zmq_close(socket->raw);
    socket->raw = NULL;
}
