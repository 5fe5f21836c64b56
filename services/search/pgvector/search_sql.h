/* search_sql: the two statements that answer a search: which passages are candidates,
 * with the figures of the whole search, and what those of them that are shown say.
 * Parameters: $1, $2 as sql.h has them; $3 the query's vector in the extension's binary
 * form, or, for details, the ids. Pure: any thread. */
#ifndef SEARCH_SEARCH_SQL_H
#define SEARCH_SEARCH_SQL_H

#include "services/search/pgvector/filter_sql.h"
#include "services/search/text/text_query.h"

struct search_sql {
    const struct filter *filter;
    const struct text_query *text; /* words of the text leg; NULL: it is out */
    bool rules;                    /* of `text` hold, for both legs */
    bool vector;                   /* the vector leg runs */
    const char *fingerprint;       /* of the vectors */
    uint32_t dimension;
    const char *type;  /* "vector" or "halfvec": of the index */
    uint64_t scan_max; /* so many passages at most are compared without the index */
    bool by_index;     /* the index may be used */
    uint32_t depth;    /* candidates a leg */
    double threshold;  /* least similarity that counts in the total */
};

/* Columns of the candidates, in text form. There is one row at least; without candidates
 * its columns from CANDIDATE_ID on are NULL. */
enum candidate_column {
    CANDIDATE_ALLOWED, /* passages that the filter leaves */
    CANDIDATE_MORE,    /* t: and more, they were not all counted */
    CANDIDATE_SCANNED, /* vectors compared, or found by the index */
    CANDIDATE_MATCHED, /* passages that the text leg found */
    CANDIDATE_TOTAL,
    CANDIDATE_ID,
    CANDIDATE_DOCUMENT,
    CANDIDATE_PRIORITY,
    CANDIDATE_CAMPUS,
    CANDIDATE_SCORE,      /* NULL: not found by text */
    CANDIDATE_SIMILARITY, /* NULL: no vector */
};

/* Columns of the details, one row a passage that is still there, in no order. */
enum detail_column {
    DETAIL_ID,
    DETAIL_DOCUMENT,
    DETAIL_TITLE,
    DETAIL_HEADING,
    DETAIL_TEXT,
    DETAIL_PAGE,
    DETAIL_METADATA,
    DETAIL_HAS_FILE, /* t, f */
    DETAIL_VECTOR,   /* hexadecimal, as bytea is shown; NULL unless asked for */
};

void search_sql_candidates(const struct search_sql *search, struct sql *sql);
/* The rights are asked again: the passage may have changed meanwhile. */
void search_sql_details(const struct search_sql *search, bool vectors, struct sql *sql);

#endif
