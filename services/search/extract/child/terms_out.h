/* terms_out: entries of a glossary as they are found in a file: readers add what is said
 * of one, field by field; whole entries are checked and leave in batches of JSON, what is
 * wrong with one is told beside them and does not stop the others. */
#ifndef EXTRACT_TERMS_OUT_H
#define EXTRACT_TERMS_OUT_H

#include "services/search/extract/child/out.h"

#define TERMS_FIELDS(F)                                                                  \
    F(id, 256)                                                                           \
    F(term, 2048)                                                                        \
    F(definition, 65536)                                                                 \
    F(language, 64)                                                                      \
    F(domain, 256)                                                                       \
    F(part_of_speech, 64)                                                                \
    F(source, 1024)                                                                      \
    F(status, 16)                                                                        \
    F(sense, 256)                                                                        \
    F(clearance_level, 16)                                                               \
    F(department, 256)                                                                   \
    F(metadata, 65536)
#define TERMS_ENUM(name, most) TERMS_##name,
enum terms_field { TERMS_FIELDS(TERMS_ENUM) TERMS_FIELD_COUNT };
#undef TERMS_ENUM
extern const char *const terms_field_names[TERMS_FIELD_COUNT];

/* False: it cannot be taken, nothing more is wanted. The batch is borrowed. */
typedef bool terms_batch_fn(void *arg, const struct glossary_batch *batch);

enum { TERMS_LINKS_MAX = 256, TERMS_ERRORS_MAX = 500 };

struct terms_out {
    struct out out; /* limits, and the refusal of the whole file */
    terms_batch_fn *emit;
    void *arg;
    bool counting;  /* how many there are: nothing leaves */
    uint64_t total; /* entries of the file, as far as it can be read */
    uint64_t line;  /* of the entry under way */
    struct sh_buffer fields[TERMS_FIELD_COUNT];
    struct sh_buffer links; /* of the entry, as JSON, a comma before each */
    size_t link_count;
    const char *wrong; /* with the entry; NULL: nothing yet */
    const char *wrong_field;
    uint64_t rows; /* of the batch, those that are wrong included */
    struct sh_buffer batch;
    struct sh_buffer batch_links;
    struct job_error errors[TERMS_ERRORS_MAX];
    size_t error_count;
    struct sh_arena arena; /* of the errors */
};

/* A new entry, from this line (or row, or element). */
void terms_begin(struct terms_out *terms, uint64_t line);
/* More of a field, or all of it. */
void terms_add(struct terms_out *terms, enum terms_field field, struct sh_bytes text);
/* The field anew. */
void terms_set(struct terms_out *terms, enum terms_field field, struct sh_bytes text);
/* A relation of the entry to the one of that id: "BROADER", … */
void terms_link(struct terms_out *terms, const char *type, struct sh_bytes target);
/* It cannot be taken. The text is static; field may be NULL. */
void terms_wrong(struct terms_out *terms, const char *field, const char *wrong);
/* The entry is whole. */
void terms_end(struct terms_out *terms);
/* There are no more. */
void terms_finish(struct terms_out *terms);
void terms_free(struct terms_out *terms);

/* Readers, one for each format. Each is given the whole file, mapped. */
typedef void terms_reader_fn(struct sh_bytes file, struct terms_out *terms);
terms_reader_fn terms_read_csv, terms_read_xlsx, terms_read_json, terms_read_tbx,
    terms_read_skos;
/* By the name of the format, and ended. It is read twice: each batch tells of how many
 * entries in all it is a part. */
void terms_read_file(struct sh_bytes file, const char *format, struct terms_out *terms);

/* A table whose first row has names: csv and xlsx. */
struct terms_table {
    struct terms_out *terms;
    uint64_t row; /* from 1, the names */
    size_t column;
    size_t columns;
    int kinds[256]; /* of the columns; < 0: none that is known */
    bool any;       /* in this row */
    bool quoted;    /* what looks like a formula has a quote before it */
};
void terms_cell(struct terms_table *table, size_t column, struct sh_bytes text);
void terms_row_end(struct terms_table *table);

#endif
