/* put_file_document: what was found in a file, and what was said beside it, as one
 * document: said goes before found. Pure; any thread. */
#ifndef SEARCH_PUT_FILE_DOCUMENT_H
#define SEARCH_PUT_FILE_DOCUMENT_H

#include "services/search/extract/extract.h"

/* An encoded document_put into `out`. Its title is the one said, else the file's, else
 * the file's name; metadata gets `language` and `created` where it has none. Errors:
 * SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err put_file_document(const struct file_put *put,
                                       const struct extracted *found,
                                       struct sh_buffer *out);
/* For file_put_reply.report: {"sections","characters"[,"language"][,"created"]}. Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err put_file_report(const struct extracted *found,
                                     struct sh_buffer *out);

#endif
