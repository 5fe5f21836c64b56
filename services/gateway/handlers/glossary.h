/* glossary: what the handlers of the glossary share: an entry as clients send and see it.
 */
#ifndef GATEWAY_GLOSSARY_H
#define GATEWAY_GLOSSARY_H

#include "services/gateway/handlers/handlers.h"

struct glossary_body {
    struct sh_bytes id, term, definition, language, domain, part_of_speech, source, sense,
        department;
    uint32_t status; /* place in glossary_statuses */
    int64_t clearance_level;
    json_t *metadata; /* NULL when absent */
};
extern const char *const glossary_statuses[]; /* ended by NULL */

/* What search takes; borrows from `body` and `arena`. False: no memory. */
SH_CHECK bool glossary_fill(const struct glossary_body *body, struct sh_arena *arena,
                            struct glossary_term *out);
/* glossary_graph.c: x->state begins with this wherever graph is asked. */
struct glossary_head {
    uint64_t call;
    exchange_reply_fn *done;
};
/* search is asked; `done` as in exchange_call. */
void glossary_ask(struct exchange *x, uint32_t method, enum sh_rpc_kind kind,
                  const struct msg_desc *desc, const void *msg, exchange_reply_fn *done);
/* graph is asked; `done` gets errors too. */
void glossary_ask_graph(struct exchange *x, uint32_t method, enum sh_rpc_kind kind,
                        const struct msg_desc *desc, const void *msg,
                        exchange_reply_fn *done);
/* Ids of what stands for a term, and for a relation of two nodes; without data where
 * there is no memory. */
struct sh_bytes glossary_node_id(struct exchange *x, struct sh_bytes term_id);
struct sh_bytes glossary_edge_id(struct exchange *x, const char *type,
                                 struct sh_bytes from, struct sh_bytes to);
/* False: no memory. */
SH_CHECK bool glossary_node(struct exchange *x, const struct glossary_term *term,
                            struct graph_node_put *out);

/* glossary_format.c. NULL: there is none such. */
struct glossary_format {
    const char *name;
    const char *type; /* as it is sent */
    const char *extension;
    const char *types[5]; /* as it may be brought; ended by NULL */
};
const struct glossary_format *glossary_format(struct sh_bytes name);
const struct glossary_format *glossary_format_of_type(struct sh_bytes type);
const struct glossary_format *glossary_format_of_name(struct sh_bytes name);

/* glossary_import_job.c: 202 and the job of that id, or, to wait, 200 and the job when it
 * has ended. */
void glossary_answer_job(struct exchange *x, struct sh_bytes id, bool wait);

/* An object. */
void glossary_write(struct sh_buffer *out, const struct glossary_term *term);
/* The same without its braces, a member first. */
void glossary_members(struct sh_buffer *out, const struct glossary_term *term);
/* The term that the path names, in the arena. False: answered. */
SH_CHECK bool glossary_read_id(struct exchange *x, struct sh_bytes *out);
/* language, domain and status of the query. False: answered. */
SH_CHECK bool glossary_read_filters(struct exchange *x, struct sh_bytes *language,
                                    struct sh_bytes *domain, struct sh_bytes *status);

#endif
