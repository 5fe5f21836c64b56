/* report: METHOD_DOCUMENT_REPORT: what was kept of a document, what was left out and why,
 * which of its passages are nearly the same as others that the caller may read. Loop
 * thread only, but for report_write(), which is pure. */
#ifndef SEARCH_REPORT_H
#define SEARCH_REPORT_H

#include "services/search/ingest/record.h"
#include "services/search/quality/drops.h"
#include "services/search/query/documents.h"

/* What is kept with the document when it is stored: a JSON object in `arena`; empty when
 * nothing was left out or inherited, as of most documents of a load. Errors: SH_NOMEM. */
SH_CHECK enum sh_err report_write(const struct record *record, const struct drops *drops,
                                  struct sh_arena *arena, struct sh_bytes *out);

/* `arg` is the struct documents, which must live as long as its calls do. */
void report_get(void *arg, struct sh_rpc_call *call);

#endif
