/* http_socket: libcurl says which sockets it wants watched. Its own pointer per socket is
 * not used: a descriptor may have been closed and opened anew by the time that it says
 * "remove", so sockets are found by what is really polled. */
#include <unistd.h>

#include "http_client_internal.h"
#include "shared/log.h"
#include "shared/mem.h"

struct polled {
    uv_poll_t poll;
    struct http_link link;
    struct sh_http_client *client;
    curl_socket_t fd;
};

static struct polled *find(const struct sh_http_client *client, curl_socket_t fd)
{
    for (struct http_link *at = client->sockets.next; at != &client->sockets;
         at = at->next) {
        struct polled *polled = SH_CONTAINER_OF(at, struct polled, link);
        if (polled->fd == fd)
            return polled;
    }
    return NULL;
}

static void on_closed(uv_handle_t *handle)
{
    struct polled *polled = handle->data;
    struct sh_http_client *client = polled->client;
    sh_free(polled);
    http_client_handle_closed(client);
}

static void forget(struct polled *polled)
{
    http_unlink(&polled->link);
    uv_close((uv_handle_t *)&polled->poll, on_closed); /* stops it at once */
}

static struct polled *watch(struct sh_http_client *client, curl_socket_t fd)
{
    struct polled *polled = sh_alloc(sizeof(*polled));
    if (!polled)
        return NULL;
    int rc = uv_poll_init_socket(client->loop, &polled->poll, fd);
    if (rc != 0) {
        sh_error(NULL, "cannot watch a socket: %s", uv_strerror(rc));
        sh_free(polled);
        return NULL;
    }
    polled->poll.data = polled;
    polled->client = client;
    polled->fd = fd;
    client->handles++;
    http_ring_add(&client->sockets, &polled->link);
    return polled;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct polled *polled = poll->data;
    struct sh_http_client *client = polled->client;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    int running;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(client->multi, polled->fd, flags, &running);
    http_client_collect(client);
}

int http_socket_changed(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    struct sh_http_client *client = arg;
    struct polled *polled = find(client, fd);
    int events = 0;
    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (polled)
            forget(polled);
        return 0;
    }
    if (!polled)
        polled = watch(client, fd);
    if (!polled)
        return -1;
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    return uv_poll_start(&polled->poll, events, on_poll) == 0 ? 0 : -1;
}

int http_socket_closed(void *arg, curl_socket_t fd)
{
    struct polled *polled = find(arg, fd);
    if (polled)
        forget(polled);
    return close(fd);
}
