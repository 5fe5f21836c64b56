/* view: the searchable picture of the record, in memory: passages, their filter columns,
 * the vector index and the inverted index. Built from PostgreSQL and kept current by the
 * changefeed; answers queries without it. Searches may run on several threads while one
 * thread at a time changes the view; a document is replaced or removed as a whole. */
#ifndef SEARCH_VIEW_H
#define SEARCH_VIEW_H

#include "proto/msg.h"
#include "services/search/fusion/boost.h"
#include "services/search/glossary/glossary.h"
#include "services/search/text/text_index.h"
#include "services/search/vector/vector_index.h"
#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/mem.h"

struct view;

/* All texts are copied. */
struct view_chunk {
    struct sh_bytes chunk_id;
    struct sh_bytes section_title;
    struct sh_bytes text;
    uint32_t page_number;
    uint32_t ordinal;
    const float *vector; /* dimension of the view's model; NULL: not embedded yet */
};

struct view_document {
    struct sh_bytes id;
    struct sh_bytes title;
    struct sh_bytes collection;
    struct sh_bytes department; /* empty: none */
    struct sh_bytes campus;
    uint32_t priority;        /* 0: none, else 1 to 5 */
    uint32_t clearance_level; /* 1 to 5 */
    struct sh_bytes metadata; /* the JSON object that answers show; columns included */
    const struct view_chunk *chunks;
    size_t chunk_count;
    bool has_file; /* the record knows of an original */
};

struct view_stats {
    size_t documents;
    size_t chunks;
    size_t vectors; /* chunks that have one */
    size_t bytes;   /* memory held, estimated */
};

struct view_options {
    struct vector_options vectors; /* its text outlives the view */
    struct text_options text;
};

struct view_options view_defaults(void);

/* `options` NULL: view_defaults(). Errors: SH_NOMEM. */
SH_CHECK enum sh_err view_create(const struct view_options *options, struct view **out);
void view_free(struct view **self);

/* The model whose vectors the view holds; a change of fingerprint or dimension drops all
 * vectors. dimension 0: no model yet, the vector leg is off. Errors: SH_INVALID,
 * SH_NOMEM, SH_IO (the file of the vectors). */
SH_CHECK enum sh_err view_set_model(struct view *view, const char *fingerprint,
                                    uint32_t dimension, double alpha);
/* Replace the document of this id, or add it. A search sees the old one or the new one,
 * never parts of both. A vector without direction (all zero) counts as none. Errors:
 * SH_NOMEM, SH_TOOBIG, SH_IO (the disk is full; nothing changed), SH_INVALID (no id,
 * clearance_level not 1 to 5, metadata is not a JSON object, a vector holds NaN). */
SH_CHECK enum sh_err view_put(struct view *view, const struct view_document *document);
/* Errors: SH_NOTFOUND, SH_NOMEM (nothing changed). */
SH_CHECK enum sh_err view_remove(struct view *view, struct sh_bytes id);
/* While a view is loaded that nobody searches yet: each document gives way to who waits
 * (options.vectors.yield), and vectors go into their index all at once at the end, on
 * several threads. Errors: SH_NOMEM, SH_TOOBIG (documents since the
 * beginning may lack their vectors: put them again). */
void view_load_begin(struct view *view);
SH_CHECK enum sh_err view_load_end(struct view *view);
/* Upkeep of the indexes, which every change ends with. While loading, the graph's is put
 * off: it would be repaired again and again around what leaves. It is due once, when all
 * is in. Without memory for it everything goes on as it is. */
void view_tend(struct view *view);
void view_stats(const struct view *view, struct view_stats *out);

/* --- queries ---------------------------------------------------------------------- */

struct view_query {
    const struct search_query *query; /* as it came over the bus */
    const struct caller *caller;      /* what it may see; all columns empty: nothing above
                                         clearance 1 */
    const float *vector;              /* of the query, NULL: the vector leg is out */
    uint32_t dimension;
    struct sh_bytes fingerprint; /* of `vector`'s model; another one than the view's is
                                    refused: the leg is out */
    const char *vector_missing;  /* why there is no vector ("embedding"), or NULL when the
                                    mode does not want one; goes into `degraded` */
    const struct boosts *boosts; /* NULL: boosts_default() */
    const struct glossary *glossary; /* widens the text leg; `results` borrow from it;
                                        NULL: none */
    bool exact; /* both legs whole, whatever the number of passages */
    uint64_t deadline_ms;
};

struct view_problem { /* what to tell the caller when SH_INVALID or SH_FORBIDDEN */
    char field[256];
    char message[512];
};

/* Fills `results` (its lists and texts live in `arena`).
 *
 * Depth: where more passages are allowed than VIEW_COMPLETE, each leg gives its best 256
 * (the vector leg by the graph, where that is cheaper) and fusion orders what either of
 * them found by the scores of both. That does not depend on offset and max_results, so
 * asking for more never reorders what came before; what lies beyond the first 256 results
 * comes from complete legs.
 * total: the passages that the caller may read, that pass the filter and that one leg at
 * least found: the text leg where a word of the query stands in them, the vector leg
 * where the cosine is at least similarity_threshold. With a vector leg that is not whole
 * it counts of that one the candidates; plan.total_exact tells.
 * degraded: why a leg that the mode wants is out: query.vector_missing,
 * "vectors_of_another_model", "no_model" (the view has none yet). The other leg then
 * answers alone, in mode `vector` too. "deadline": a leg was cut short or given up for
 * want of time.
 * plan: {"vector":{"strategy":"exact|graph|filtered_graph","allowed","scanned","ef"},
 * "text":{"terms","matched"},"complete","total_exact"}.
 * expanded: what the glossary added to the text leg.
 * similarity is filled wherever passage and query have a vector, found by it or not.
 *
 * Errors: SH_INVALID, SH_FORBIDDEN (see API.md: clearance above one's own; ≥ 4 with no
 * department), SH_TIMEOUT (nothing was found in time), SH_UNAVAILABLE (require_complete
 * and a leg is out or was cut short), SH_NOMEM.
 */
SH_CHECK enum sh_err view_search(const struct view *view, const struct view_query *query,
                                 struct sh_arena *arena, struct search_results *results,
                                 struct view_problem *problem);

#endif
