/* candidates_sql: the statements about candidates of the glossary. Rights are the
 * parameters $2 to $5, as proto/readable.h has them. */
#ifndef SEARCH_CANDIDATES_SQL_H
#define SEARCH_CANDIDATES_SQL_H

#include "shared/pg.h"

enum candidate_column {
    CANDIDATE_TOTAL,
    CANDIDATE_ID, /* NULL: a page behind the last */
    CANDIDATE_TERM,
    CANDIDATE_LANGUAGE,
    CANDIDATE_WORDS,
    CANDIDATE_FREQUENCY,
    CANDIDATE_DOCUMENTS,
    CANDIDATE_SCORE,
    CANDIDATE_STATUS,
    CANDIDATE_TERM_ID,
    CANDIDATE_CONTEXTS,
};

extern const struct sh_pg_statement
    candidates_list,  /* part of the term or NULL, rights, language, status, kind ("word",
                         "phrase" or NULL), frequency, job or NULL, sort, limit, offset →
                         enum candidate_column */
    candidates_judge, /* ids, rights, verdict, judge, draft → id, outcome, term_id */
    candidates_groups, /* document or NULL, rights, collection, language (each or NULL) →
                          clearance, department, language, documents */
    candidates_page,   /* the same, then the group's clearance, department, language; the
                          document and section after which, limit → document, section, text
                        */
    candidates_store,  /* job, language, clearance, department, array of candidates */
    candidates_clear;  /* job, language, clearance, department: those of other jobs go */

#endif
