/* put_file: METHOD_FILE_PUT: a document is made of a file of the store: read by
 * cairn-extract, then put like any other. The same bytes a second time in a collection
 * are the document that is there already, if the caller may read it and names no other
 * id. Loop thread only. */
#ifndef SEARCH_PUT_FILE_H
#define SEARCH_PUT_FILE_H

#include "services/search/extract/extract.h"
#include "services/search/files/fetch.h"
#include "services/search/ingest/put.h"

struct file_putter;

struct file_putter_options {
    struct sh_pg *pg;
    struct fetch_options fetch;
    struct extractor *extractor;
    struct putter *putter;
    struct feed *feed;          /* NULL: there is no view to wait for */
    struct sh_workers *workers; /* who make documents of what was found */
};

/* All of them must be closed after it. */
SH_CHECK enum sh_err file_putter_create(const struct file_putter_options *options,
                                        struct file_putter **out);
/* METHOD_FILE_PUT; `arg` is the putter of files. */
void file_putter_handle(void *arg, struct sh_rpc_call *call);
/* Uploads under way are answered; memory goes when their last step has ended. */
void file_putter_close(struct file_putter **putter);

#endif
