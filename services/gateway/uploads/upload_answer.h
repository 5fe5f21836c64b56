/* upload_answer: what the client of an upload is told at its end. Loop thread only. */
#ifndef GATEWAY_UPLOAD_ANSWER_H
#define GATEWAY_UPLOAD_ANSWER_H

#include "proto/msg.h"
#include "services/gateway/handlers/refresh.h"
#include "services/gateway/uploads/file_name.h"
#include "shared/file_store.h"

/* What is told at the end, in the exchange's arena. */
struct upload_stored {
    struct refresh refresh; /* first, see refresh_wait() */
    struct document_put_reply document;
    struct file_put_reply file;
    char hash[SH_FILE_HASH_TEXT];
    char name[FILE_NAME_MAX];
    uint64_t size;
};

/* Answers `x` by what search has replied, once the document is visible where that is
 * asked for. `stored` has refresh.mode, hash, name and size. */
void upload_tell(struct exchange *x, struct upload_stored *stored,
                 struct sh_bytes payload);

#endif
