/* terms_writer: terms as a file in one of five formats, page after page. What it has to
 * remember between two pages is a few numbers, so whoever writes the next page need not
 * be who wrote the last. Pure; any thread. */
#ifndef SEARCH_TERMS_WRITER_H
#define SEARCH_TERMS_WRITER_H

#include "proto/msg.h"
#include "shared/buffer.h"

struct terms_writer { /* {0} is at the beginning */
    uint64_t rows;
    uint32_t crc; /* of a sheet: of its text so far, */
    uint64_t raw; /* how long that is, */
    uint64_t packed;
    uint64_t before; /* and how long the file was before it */
};

struct terms_format {
    const char *name;
    /* Each appends to `out`, whose err tells of memory. */
    void (*begin)(struct terms_writer *self, struct sh_buffer *out);
    void (*page)(struct terms_writer *self, const struct glossary_term *terms,
                 size_t count, struct sh_buffer *out);
    void (*end)(struct terms_writer *self, struct sh_buffer *out);
};

/* NULL: there is no such format. */
const struct terms_format *terms_format(struct sh_bytes name);
extern const struct terms_format terms_csv, terms_json, terms_tbx, terms_skos, terms_xlsx;

/* Of a term that is written `highlight` holds its relations, a line each: the type, a
 * tab, the id of the other one. NARROWER is not among them: it follows from BROADER. */
struct terms_relation {
    struct sh_bytes type;
    struct sh_bytes to;
};
/* False at the end; *at is 0 at the beginning. */
bool terms_relation_next(const struct glossary_term *term, size_t *at,
                         struct terms_relation *out);
enum { TERMS_RELATIONS = 5 };
extern const char *const terms_relations[TERMS_RELATIONS];
/* The ids of one type, a bar between them, for tables. */
void terms_write_related(struct sh_buffer *out, const struct glossary_term *term,
                         size_t which);

/* The fields of a term by their names, for tables. */
enum { TERMS_WRITTEN = 12 };
extern const char *const terms_written[TERMS_WRITTEN];
/* As text; `number` has room for the clearance. */
struct sh_bytes terms_written_field(const struct glossary_term *term, size_t which,
                                    char number[static 2]);
/* As the text of an element or attribute; what XML cannot hold is left out. */
void terms_write_xml(struct sh_buffer *out, struct sh_bytes text);

#endif
