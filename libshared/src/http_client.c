/* http_client: libcurl's multi interface driven by the loop. libcurl is only entered from
 * the loop's callbacks and from the calls of the public header, never from its own
 * callbacks; `done` runs when it has returned, so it may send, cancel and close. */
#include "shared/http_client.h"

#include <assert.h>
#include <pthread.h>

#include "http_client_internal.h"
#include "shared/mem.h"

enum { MAX_CONNECTIONS = 8, KEPT_PER_HOST = 4 };

static bool curl_ready;

static void start_curl(void)
{
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

void http_client_handle_closed(struct sh_http_client *client)
{
    if (--client->handles == 0)
        sh_free(client);
}

static void on_closed(uv_handle_t *handle)
{
    http_client_handle_closed(handle->data);
}

void http_client_collect(struct sh_http_client *client)
{
    int left;
    CURLMsg *msg;
    while (!client->closing && (msg = curl_multi_info_read(client->multi, &left))) {
        struct sh_http_call *call = NULL;
        CURLcode code = msg->data.result; /* the message goes with the handle */
        if (msg->msg != CURLMSG_DONE ||
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call) != CURLE_OK)
            continue;
        curl_multi_remove_handle(client->multi, call->easy);
        http_call_finish(call, http_call_result(call, code));
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct sh_http_client *client = timer->data;
    int running;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    http_client_collect(client);
}

/* Zero means soon, but not now: libcurl is in the middle of something. */
static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct sh_http_client *client = arg;
    (void)multi;
    if (client->closing)
        return 0;
    if (timeout_ms < 0)
        uv_timer_stop(&client->timer);
    else if (uv_timer_start(&client->timer, on_timer, (uint64_t)timeout_ms, 0) != 0)
        return -1;
    return 0;
}

static CURLM *make_multi(struct sh_http_client *client, unsigned max_connections)
{
    long max = max_connections > 0 ? (long)max_connections : MAX_CONNECTIONS;
    CURLM *multi = curl_multi_init();
    if (!multi)
        return NULL;
    if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, http_socket_changed) == 0 &&
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client) == 0 &&
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer) == 0 &&
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client) == 0 &&
        curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, max) == 0 &&
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, max * KEPT_PER_HOST) == 0)
        return multi;
    curl_multi_cleanup(multi);
    return NULL;
}

enum sh_err sh_http_client_create(uv_loop_t *loop, unsigned max_connections,
                                  struct sh_http_client **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (pthread_once(&once, start_curl) != 0 || !curl_ready)
        return SH_INTERNAL;
    struct sh_http_client *client = sh_alloc(sizeof(*client));
    if (!client)
        return SH_NOMEM;
    client->loop = loop;
    client->multi = make_multi(client, max_connections);
    if (!client->multi) {
        sh_free(client);
        return SH_NOMEM;
    }
    int rc = uv_timer_init(loop, &client->timer);
    assert(rc == 0); /* cannot fail in libuv */
    rc = uv_timer_init(loop, &client->later);
    assert(rc == 0);
    (void)rc;
    client->timer.data = client;
    client->later.data = client;
    client->handles = 2;
    http_ring_init(&client->calls);
    http_ring_init(&client->canceled);
    http_ring_init(&client->sockets);
    *out = client;
    return SH_OK;
}

enum sh_err sh_http_client_send(struct sh_http_client *client,
                                const struct sh_http_outgoing *outgoing,
                                sh_http_incoming_fn *done, void *arg,
                                struct sh_http_call **call_p)
{
    struct sh_http_call *call;
    if (client->closing)
        return SH_CANCELED;
    enum sh_err err = http_call_create(client, outgoing, &call);
    if (err != SH_OK)
        return err;
    call->done = done;
    call->arg = arg;
    if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
        http_call_free(call);
        return SH_NOMEM;
    }
    http_ring_add(&client->calls, &call->link);
    if (call_p)
        *call_p = call;
    return SH_OK;
}

static struct sh_http_call *first(const struct http_link *ring)
{
    return http_ring_empty(ring) ? NULL
                                 : SH_CONTAINER_OF(ring->next, struct sh_http_call, link);
}

static void on_later(uv_timer_t *timer)
{
    struct sh_http_client *client = timer->data;
    struct sh_http_call *call;
    while ((call = first(&client->canceled)) != NULL)
        http_call_finish(call, SH_CANCELED);
}

void sh_http_client_cancel(struct sh_http_call *call)
{
    struct sh_http_client *client = call->client;
    curl_multi_remove_handle(client->multi, call->easy); /* a second time does nothing */
    http_ring_add(&client->canceled, &call->link);
    if (!client->closing)
        uv_timer_start(&client->later, on_later, 0, 0);
}

void sh_http_client_close(struct sh_http_client **client_p)
{
    struct sh_http_client *client = *client_p;
    struct sh_http_call *call;
    if (!client)
        return;
    *client_p = NULL;
    client->closing = true;
    while ((call = first(&client->calls)) != NULL) {
        curl_multi_remove_handle(client->multi, call->easy);
        http_call_finish(call, SH_CANCELED);
    }
    while ((call = first(&client->canceled)) != NULL)
        http_call_finish(call, SH_CANCELED);
    curl_multi_cleanup(client->multi); /* closes what was kept open */
    uv_close((uv_handle_t *)&client->timer, on_closed);
    uv_close((uv_handle_t *)&client->later, on_closed);
}
