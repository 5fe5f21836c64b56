/* upload: POST /api/documents with a file. RECEIVING: the form's file part goes to the
 * spool as fast as the disk takes it, and the client waits where it is faster. SEALING:
 * the whole of it is on the disk, its hash is known. CLAIMING: search keeps the hash from
 * being removed. PLACING: the bytes go to their place, if they are not there. PUTTING:
 * search makes a document of it. Whatever the outcome, the claim then ends, and search
 * removes the file if no document refers to it; only where the outcome is not known does
 * the claim stay until it is too old.
 *
 * A client that leaves before all was received leaves nothing behind; after that the
 * upload goes on without it. Loop thread only. */
#ifndef GATEWAY_UPLOAD_H
#define GATEWAY_UPLOAD_H

#include "services/gateway/exchange.h"

/* The request's body has not been read; its Content-Type is multipart/form-data. */
void upload_begin(struct exchange *x);
bool upload_is_form(struct sh_bytes content_type);

#endif
