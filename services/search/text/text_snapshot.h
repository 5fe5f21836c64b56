/* text_snapshot: the text index as a file. Mapped at start: postings stay where they are
 * until they are written to. Versioned, each section with its sum (XXH3); a file that is
 * torn, changed or of another version is refused, and whoever reads builds anew. */
#ifndef SEARCH_TEXT_SNAPSHOT_H
#define SEARCH_TEXT_SNAPSHOT_H

#include <stdio.h>

#include "services/search/text/text_index.h"

/* Of the file; to be raised with the analyzer, too: terms of old rules find nothing. */
enum { TEXT_SNAPSHOT_VERSION = 4, TEXT_SNAPSHOT_NOTE = 4096 };

/* By the writer of the index, while searches go on. `note` (TEXT_SNAPSHOT_NOTE bytes at
 * most) is kept with it: what state of the record the index shows. Another file of this
 * name is there until the new one is on the disk. Errors: SH_IO, SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err text_snapshot_write(const struct text_index *index,
                                         struct sh_bytes note, const char *path);
/* As above, to an open file, from its beginning. */
SH_CHECK enum sh_err text_snapshot_save(const struct text_index *index,
                                        struct sh_bytes note, FILE *file);

/* *note lives in `arena`. The file may be removed or replaced meanwhile. Errors:
 * SH_NOTFOUND, SH_MALFORMED, SH_IO, SH_NOMEM. */
SH_CHECK enum sh_err text_snapshot_open(const char *path,
                                        const struct text_options *options,
                                        struct sh_arena *arena, struct text_index **out,
                                        struct sh_bytes *note);
/* As above; `bytes` (at an address divisible by 8) are borrowed as long as the index is
 * there. Errors: SH_MALFORMED, SH_NOMEM. */
SH_CHECK enum sh_err text_snapshot_read(struct sh_bytes bytes,
                                        const struct text_options *options,
                                        struct sh_arena *arena, struct text_index **out,
                                        struct sh_bytes *note);

#endif
