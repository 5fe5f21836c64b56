#include "libshared/src/zmq_context.h"

#include <pthread.h>
#include <sys/resource.h>
#include <zmq.h>

/* A client has a socket and a monitor (a pair) per replica and loop. */
enum { SOCKETS_MAX = 16384, DESCRIPTORS = 65536 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *context;
static unsigned references;

/* libzmq aborts the process when it finds no descriptor. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* what there was must do then */
}

void *zmq_context_ref(void)
{
    pthread_mutex_lock(&lock);
    if (!context) {
        raise_descriptors();
        context = zmq_ctx_new();
        if (context) {
            zmq_ctx_set(context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
            zmq_ctx_set(context, ZMQ_IO_THREADS, 1);
        }
    }
    if (context)
        references++;
    void *result = context;
    pthread_mutex_unlock(&lock);
    return result;
}

void zmq_context_unref(void)
{
    void *last = NULL;
    pthread_mutex_lock(&lock);
    if (--references == 0) {
        last = context;
        context = NULL;
    }
    pthread_mutex_unlock(&lock);
    while (last && zmq_ctx_term(last) != 0 && zmq_errno() == EINTR)
        ;
}
