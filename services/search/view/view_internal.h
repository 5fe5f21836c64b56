/* view_internal: the inside of the view, for its own files only. */
#ifndef SEARCH_VIEW_INTERNAL_H
#define SEARCH_VIEW_INTERNAL_H

#include <pthread.h>

#include "services/search/filter/columns.h"
#include "services/search/fusion/group.h"
#include "services/search/text/language.h"
#include "services/search/text/text_index.h"
#include "services/search/vector/vector_index.h"
#include "services/search/view/view.h"

enum { VIEW_FINGERPRINT = 64 };

struct stored_chunk {
    struct sh_bytes chunk_id;
    struct sh_bytes section_title;
    struct sh_bytes text;
    uint32_t page_number;
    uint32_t ordinal;
    uint32_t slot;
};

/* One block of memory with its texts behind it; never changed once searches can see it.
 */
struct stored_document {
    struct filter_row row; /* id, columns, metadata */
    struct sh_bytes title;
    struct sh_bytes metadata;
    struct metadata *values; /* row.metadata, owned */
    unsigned language;       /* of its text */
    bool has_file;
    size_t bytes;
    uint32_t hash;
    struct stored_document *next; /* of the same bucket */
    size_t index;                 /* in view.documents */
    uint32_t number;              /* in view.columns */
    size_t chunk_count;
    struct stored_chunk chunks[];
};

struct slot {
    const struct stored_document *document; /* NULL: free, or not visible yet */
    const struct stored_chunk *chunk;
};

struct view {
    struct view_options options;
    pthread_rwlock_t *lock; /* held for reading by searches, else by the writer */
    struct analyzer *analyzers[LANGUAGE_COUNT]; /* the writer's; NULL: not needed yet */
    size_t languages[LANGUAGE_COUNT];           /* documents of each */
    struct stored_document **documents;
    size_t document_count;
    size_t document_capacity;
    struct stored_document **buckets; /* by id */
    size_t bucket_count;              /* a power of two, or 0 */
    struct slot *slots;
    uint32_t *free_slots; /* a stack; as many as slots have room */
    uint32_t free_count;
    uint32_t slot_count; /* ever used */
    uint32_t slot_capacity;
    struct columns *columns;
    struct text_index *text;
    struct vector_index *vectors; /* NULL: no model */
    char fingerprint[VIEW_FINGERPRINT + 1];
    double alpha;
    size_t chunk_count;
    size_t document_bytes;
    void *mapped; /* the snapshot that texts of documents may lie in, or NULL */
    size_t mapped_len;
    bool loading; /* between view_load_begin() and its end */
};

/* --- documents.c: the table of documents, under the lock held for writing --------- */

/* A copy of a document, not in the table yet. Errors: SH_NOMEM, SH_INVALID. */
SH_CHECK enum sh_err document_copy(const struct view_document *from,
                                   struct stored_document **out);
void document_free(struct stored_document **document);
struct stored_document *documents_find(const struct view *view, struct sh_bytes id);
/* Room for one more, and its place in the filter columns: documents_link() follows and
 * cannot fail. Errors: SH_NOMEM. */
SH_CHECK enum sh_err documents_reserve(struct view *view,
                                       struct stored_document *document);
void documents_link(struct view *view, struct stored_document *document);
void documents_unlink(struct view *view, struct stored_document *document);

/* Room for `count` more slots in everything that goes by slot. Errors: SH_NOMEM,
 * SH_TOOBIG. */
SH_CHECK enum sh_err slots_reserve(struct view *view, size_t count);
/* After slots_reserve(): cannot fail. */
uint32_t slots_take(struct view *view);
void slots_give_back(struct view *view, uint32_t slot);

/* --- a search, by stages ---------------------------------------------------------- */

struct search {
    const struct view *view;
    const struct view_query *asked;
    const struct search_query *query;
    struct sh_arena scratch; /* until the end of the search */
    struct sh_arena *arena;  /* of the results */
    struct boosts boosts;
    struct filter *filter;
    struct filter *rights; /* the caller's alone; NULL: `filter` is that */
    struct analyzer *analyzers[LANGUAGE_COUNT]; /* of the languages that there are */
    struct text_query text_query;
    struct glossary_found expanded;
    bool want_text; /* the leg runs */
    bool want_vector;
    struct sh_bytes degraded[4]; /* each reason once */
    size_t degraded_count;
    struct bitmap allowed;
    uint32_t allowed_count;
    double least_boost; /* of the allowed documents */
    double most_boost;
    const float *vector_query; /* of length 1 */
    struct leg text;           /* perhaps only its better part */
    size_t text_total;         /* hits of the leg */
    struct leg vector;
    struct {
        enum hnsw_strategy strategy;
        uint32_t ef;
        uint64_t scanned;
        bool whole; /* no hit is missing in `vector` */
    } plan;         /* how the vector leg was found */
    double weight;
    size_t candidates; /* of each leg, where not all allowed passages are looked at */
    size_t depth;      /* passages of the order that are wanted */
    struct groups groups;
    struct search_hit *hits; /* of the results */
    unsigned *languages;     /* of the hits */
};

/* languages.c */

/* Found in the document's metadata: `language`, else `lang`. */
unsigned language_in(const struct metadata *values);
/* Analyzers for the languages that most documents of the view are in, TEXT_LANGUAGES at
 * most, for a search. Takes the lock for a moment. Errors: SH_NOMEM. */
SH_CHECK enum sh_err languages_of(const struct view *view, struct analyzer **analyzers);

/* view_check.c: what can be wrong with a query. Errors: SH_INVALID. */
void problem_set(struct view_problem *problem, const char *field, const char *message);
SH_CHECK enum sh_err search_check(const struct search_query *query,
                                  struct view_problem *problem);

#endif
