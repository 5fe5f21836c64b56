/* http_client_internal: what the client's files share. Loop thread only. */
#ifndef SHARED_HTTP_CLIENT_INTERNAL_H
#define SHARED_HTTP_CLIENT_INTERNAL_H

#include <curl/curl.h>

#include "http_list.h"
#include "shared/buffer.h"
#include "shared/http_client.h"

struct sh_http_client {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer; /* libcurl's */
    uv_timer_t later; /* tells the cancelled on the next turn */
    unsigned handles; /* not closed yet; memory goes with the last */
    bool closing;
    struct http_link calls;    /* libcurl has them */
    struct http_link canceled; /* their `done` is due */
    struct http_link sockets;  /* polled ones */
};

struct sh_http_call {
    struct http_link link; /* of calls or canceled */
    struct sh_http_client *client;
    CURL *easy;
    struct curl_slist *headers;
    struct sh_buffer body;
    size_t max_body;
    uint64_t start_ms;
    uint64_t timeout_ms;
    bool traced;
    struct sh_trace trace; /* its own span */
    char method[16];
    bool too_big;
    struct http_upload *upload; /* NULL: no body from a file */
    sh_http_incoming_fn *done;
    void *arg;
    char error[CURL_ERROR_SIZE];
};

/* http_call: making a call, and telling how it ended */
/* Errors: SH_INVALID, SH_NOMEM. */
enum sh_err http_call_create(struct sh_http_client *client,
                             const struct sh_http_outgoing *outgoing,
                             struct sh_http_call **out);
/* Calls `done` and frees the call; libcurl must have let go of it. */
void http_call_finish(struct sh_http_call *call, enum sh_err err);
void http_call_free(struct sh_http_call *call);
enum sh_err http_call_result(const struct sh_http_call *call, CURLcode code);

/* http_upload: a body from a file */
struct http_upload;
/* Errors: SH_IO (the descriptor), SH_NOMEM. */
enum sh_err http_upload_create(uv_loop_t *loop, const struct sh_http_file *file,
                               CURL *easy, struct http_upload **out);
/* The easy handle goes too, or has gone. NULL is fine. */
void http_upload_free(struct http_upload *upload);

/* http_socket: libcurl's sockets on the loop */
int http_socket_changed(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused);
int http_socket_closed(void *arg, curl_socket_t fd);
/* After libcurl was called: whatever has ended. */
void http_client_collect(struct sh_http_client *client);
void http_client_handle_closed(struct sh_http_client *client);

#endif
