/* form_document: the document that a form describes beside its file. Pure. */
#ifndef GATEWAY_FORM_DOCUMENT_H
#define GATEWAY_FORM_DOCUMENT_H

#include "proto/msg.h"
#include "services/gateway/schema.h"
#include "services/gateway/uploads/form.h"
#include "shared/http_server.h"

struct form_document {
    struct document document; /* points into the form and into what follows */
    json_t *metadata;
    struct sh_arena arena;
    struct sh_problem problem; /* when it is none; points into what follows */
    struct schema_fault fault;
    char why[160];
};

/* False: `problem` says why. The caller ends *out with form_document_free() in every
 * case. */
SH_CHECK bool form_document_read(const struct form *form, struct form_document *out);
void form_document_free(struct form_document *self);

#endif
