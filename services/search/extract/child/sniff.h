/* sniff: what a file is, by its bytes and by its name, both of which must agree. What can
 * be run, archives, and files that are two things at once are refused. Pure. */
#ifndef EXTRACT_SNIFF_H
#define EXTRACT_SNIFF_H

#include "shared/bytes.h"

enum file_type {
    FILE_NONE, /* refused */
    FILE_PDF,
    FILE_DOCX,
    FILE_TEXT,
    FILE_MARKDOWN,
    FILE_HTML,
    FILE_CSV,
};

struct sniffed {
    enum file_type type;
    bool encrypted;     /* FILE_NONE: an office file that is locked by a password */
    const char *reason; /* FILE_NONE: a sentence for the client */
};

/* `name` may have folders and be empty; `declared` is what the sender called it, looked
 * at only where neither bytes nor name tell. */
struct sniffed sniff(struct sh_bytes file, struct sh_bytes name,
                     struct sh_bytes declared);
/* Its MIME type; "" for FILE_NONE. */
const char *file_type_mime(enum file_type type);

#endif
