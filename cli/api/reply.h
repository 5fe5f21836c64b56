/* reply: inside cli/api: what an answer says of itself. */
#ifndef CLI_API_REPLY_H
#define CLI_API_REPLY_H

#include "cli/api/api.h"

/* The sentence of a problem, and which field it is about, into `error` and `code`. */
void api_explain(struct api_reply *reply);

/* For libcurl: keeps what a session needs. `arg` is a struct
 * api_reply. */
size_t api_on_header(char *data, size_t size, size_t count, void *arg);

#endif
