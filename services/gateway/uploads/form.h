/* form: the multipart/form-data of an upload as it arrives: one file, which goes on to a
 * writer of the file store, and a few short fields. Loop thread only. */
#ifndef GATEWAY_FORM_H
#define GATEWAY_FORM_H

#include "services/gateway/uploads/file_name.h"
#include "shared/buffer.h"
#include "shared/file_store.h"
#include "shared/multipart.h"

/* F(member, name of the part, most bytes) */
#define FORM_FIELDS(F)                                                                   \
    F(id, "id", 256)                                                                     \
    F(title, "title", 2048)                                                              \
    F(collection, "collection", 256)                                                     \
    F(language, "language", 64)                                                          \
    F(metadata, "metadata", 65536)

#define FORM_ENUM(member, name, most) FORM_##member,
enum form_field { FORM_FIELDS(FORM_ENUM) FORM_FIELD_COUNT, FORM_FILE, FORM_OTHER };
#undef FORM_ENUM

/* All but the file: what else a request may hold. */
enum { FORM_EXTRA_BYTES = 256 * 1024 };

struct form {
    struct sh_multipart *parser;
    struct sh_file_store *store;
    struct sh_file_writer *writer; /* NULL: no file has begun */
    void (*drained)(void *arg);    /* as of sh_file_begin() */
    void *arg;
    uint64_t file_max;
    uint64_t file_bytes;
    bool full; /* no more, until `drained` */
    enum form_field sink;
    bool seen[FORM_FIELD_COUNT];
    struct sh_buffer fields[FORM_FIELD_COUNT];
    char file_name[FILE_NAME_MAX];
    char file_type[SH_MULTIPART_TYPE_MAX]; /* as declared; "" */
    const char *field;                     /* at fault; "" */
    const char *why;                       /* for people; NULL: the parser knows */
};

/* `self` must not move. Errors: SH_INVALID (not multipart/form-data with one good
 * boundary), SH_NOMEM. */
SH_CHECK enum sh_err form_open(struct form *self, struct sh_bytes content_type,
                               struct sh_file_store *store, uint64_t file_max,
                               void (*drained)(void *arg), void *arg);
/* The next bytes. Errors: SH_MALFORMED (no multipart), SH_INVALID (`field`, `why`),
 * SH_TOOBIG, those of sh_file_append(). */
SH_CHECK enum sh_err form_feed(struct form *self, struct sh_bytes bytes);
/* All has come: there is a file, and `writer` has it. Errors as before. */
SH_CHECK enum sh_err form_end(struct form *self);
/* A sentence about the error. */
const char *form_why(const struct form *self);
/* The writer goes too. */
void form_close(struct form *self);

#endif
