/* upload_parts: what makes documents of uploaded files: the extractor, and the method
 * that goes through it. Loop thread only. */
#ifndef SEARCH_UPLOAD_PARTS_H
#define SEARCH_UPLOAD_PARTS_H

#include "services/search/files/file_parts.h"
#include "services/search/ingest/put_file.h"
#include "shared/config.h"

#define UPLOAD_SETTINGS(S)                                                               \
    S(str, program, "EXTRACT_PROGRAM", "", 0, 4000, 0, "",                               \
      "the program that reads files; empty: cairn-extract beside cairn-search")          \
    S(u32, timeout_s, "EXTRACT_TIMEOUT_SECONDS", "60", 1, 3600, 0, "",                   \
      "time that one file may take to be read, by the clock and of a processor")         \
    S(u32, memory_mb, "EXTRACT_MEMORY_MB", "300", 32, 16384, 0, "",                      \
      "memory that reading one file may take, beside the program itself")                \
    S(u32, pages, "EXTRACT_MAX_PAGES", "5000", 1, 1000000, 0, "",                        \
      "most pages of a file; longer ones are refused")                                   \
    S(u32, characters, "EXTRACT_MAX_CHARACTERS", "10000000", 1000, 15000000, 0, "",      \
      "most characters of text in a file; longer ones are refused")                      \
    S(u32, nesting, "EXTRACT_MAX_NESTING", "256", 16, 4096, 0, "",                       \
      "how deep elements and lists of a file may be nested")                             \
    S(u32, ratio, "EXTRACT_MAX_RATIO", "100", 10, 1032, 0, "",                           \
      "to how many times its length a packed file (DOCX) may expand")                    \
    S(u32, concurrency, "EXTRACT_CONCURRENCY", "2", 1, 64, 0, "",                        \
      "files that are read at the same time, each by a process of its own")              \
    S(u32, queue, "EXTRACT_QUEUE_MAX", "64", 0, 10000, 0, "",                            \
      "files that may wait to be read; more are refused as overload")

struct upload_config {
    UPLOAD_SETTINGS(SH_SETTING_MEMBER)
};

struct sh_settings upload_settings(struct upload_config *into);

struct upload_parts { /* {0} is stopped */
    struct upload_config config;
    struct extractor *extractor;
    struct file_putter *putter;
};

/* Documents go where `documents` says, through `putter`; files come from `files`. Errors:
 * SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err upload_parts_start(struct upload_parts *self, uv_loop_t *loop,
                                        struct putter *putter,
                                        const struct putter_options *documents,
                                        const struct file_parts *files);
void upload_parts_close(struct upload_parts *self);

#endif
