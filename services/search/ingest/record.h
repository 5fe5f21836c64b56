/* record: a document as it came over the bus, checked, with its columns taken out of the
 * metadata and its content hashed. Pure: no I/O, any thread. */
#ifndef SEARCH_RECORD_H
#define SEARCH_RECORD_H

#include <jansson.h>

#include "proto/msg.h"
#include "shared/mem.h"

enum { RECORD_ID_MAX = 256, RECORD_METADATA_MAX = 65536, RECORD_HASH_TEXT = 65 };

/* The file that a document was made of. */
struct record_file {
    struct sh_bytes hash; /* SHA-256 in hex */
    struct sh_bytes name;
    struct sh_bytes type; /* MIME */
    uint64_t size;
    uint32_t pages; /* 0: it has none */
};

struct record {
    struct sh_bytes id; /* empty: none was given */
    struct sh_bytes title;
    struct sh_bytes collection;
    struct sh_bytes department; /* this and the next three: empty when absent */
    struct sh_bytes campus;
    struct sh_bytes language;
    struct sh_bytes last_reviewed; /* RFC 3339 with a zone */
    uint32_t priority;             /* 0: none */
    uint32_t clearance_level;      /* 1 when absent */
    bool clearance_said;           /* it was not absent */
    unsigned inherited;            /* from the collection: bits of enum inherited */
    struct sh_bytes metadata;      /* a JSON object in canonical form, columns included */
    const struct section *sections;
    size_t section_count;
    char hash[RECORD_HASH_TEXT];    /* SHA-256 of all the above but the id, in hex */
    const struct record_file *file; /* NULL: none */
};

enum inherited { /* what a document did not say and its collection did */
                 INHERITED_LANGUAGE = 1,
                 INHERITED_CLEARANCE = 2,
                 INHERITED_DEPARTMENT = 4,
                 INHERITED_CAMPUS = 8,
                 INHERITED_PRIORITY = 16,
};

struct record_problem { /* what to tell the client */
    char field[256];
    char message[256];
};

/* *out borrows from `document` and `arena`. Errors: SH_INVALID with *problem, SH_NOMEM.
 */
SH_CHECK enum sh_err record_check(const struct document *document, struct sh_arena *arena,
                                  struct record *out, struct record_problem *problem);

/* Put an object into the metadata's place, in canonical form. Errors: SH_INVALID with
 * *problem (it is too long), SH_NOMEM. */
SH_CHECK enum sh_err record_set_metadata(const json_t *metadata, struct sh_arena *arena,
                                         struct record *record,
                                         struct record_problem *problem);

/* It was made of this file, which is borrowed: the same text from another file, or from
 * none, is another content. Errors: SH_NOMEM. */
SH_CHECK enum sh_err record_set_file(struct record *record,
                                     const struct record_file *file);

/* False when it is empty, too long or holds a control character. */
bool record_id_ok(struct sh_bytes id);
/* A new id: "doc_" and a UUID of version 7, so that ids made later sort later. */
void record_new_id(char out[static 64]);
/* SHA-256 in hex. Errors: SH_NOMEM. */
SH_CHECK enum sh_err record_hash(struct sh_bytes text, char out[static RECORD_HASH_TEXT]);

#endif
