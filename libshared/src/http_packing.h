/* http_packing: packing answers, small ones at once and long ones off the loop. */
#ifndef SHARED_HTTP_PACKING_H
#define SHARED_HTTP_PACKING_H

#include "http_pack.h"
#include "shared/http_server.h"

struct sh_http_server;
struct http_packing_job;

/* A server's. */
struct http_packing {
    size_t least; /* bytes; 0: nothing is packed */
    size_t under_way;
    struct http_packer packer;
    struct sh_buffer packed;
};
void http_packing_free(struct http_packing *self);

/* Takes the answer over and gives it, packed or not, to http_reply_now(), at once or
 * later. */
void http_packing_answer(struct sh_http_request *request, int status,
                         const char *content_type, struct sh_bytes body);
/* The request goes: what is being packed for it is not wanted. */
void http_packing_forget(struct sh_http_request *request);

#endif
