/* statements: all SQL of the search service. Comments say what the parameters are and
 * what a row holds; "b" marks what is read in binary. */
#ifndef SEARCH_STATEMENTS_H
#define SEARCH_STATEMENTS_H

#include "shared/pg.h"

/* Rows of `table` by their document_id, which are $1. Lateral with OFFSET: one look into
 * the index for each, whatever the planner has heard of the table: while a load fills it,
 * that is of an empty one. */
#define STORE_DROP_OF_EACH(table)                                                        \
    "DELETE FROM " table " WHERE ctid = ANY (ARRAY(SELECT t.ctid "                       \
    "FROM unnest($1::text[]) AS d (id), LATERAL (SELECT o.ctid FROM " table " o "        \
    "WHERE o.document_id = d.id OFFSET 0) t))"

/* Columns of what store_page_*() return, one row a chunk (binary). A document without
 * chunks has one row whose chunk columns are NULL; the columns of the document are filled
 * in its first row only. */
enum page_column {
    PAGE_ID,
    PAGE_LAST, /* the greatest id that was asked for and exists */
    PAGE_TITLE,
    PAGE_COLLECTION,
    PAGE_DEPARTMENT,
    PAGE_CAMPUS,
    PAGE_PRIORITY,
    PAGE_CLEARANCE,
    PAGE_METADATA,
    PAGE_HAS_FILE,
    PAGE_CHUNK_ID,
    PAGE_ORDINAL,
    PAGE_SECTION_TITLE,
    PAGE_TEXT,
    PAGE_NUMBER,
    PAGE_VECTOR,
};

/* Columns of store_documents_lookup: null where there is no such document. */
enum lookup_column {
    LOOKUP_HASH, /* in hex */
    LOOKUP_CHUNKS,
    LOOKUP_PENDING,
    LOOKUP_XID, /* of the transaction that wrote it */
    LOOKUP_CLEARANCE,
    LOOKUP_DEPARTMENT,
    LOOKUP_EXISTS, /* t, f */
};

/* Columns of store_document_list and, with sections, of store_document_get. */
enum document_column {
    DOCUMENT_ID,
    DOCUMENT_TITLE,
    DOCUMENT_COLLECTION,
    DOCUMENT_METADATA,
    DOCUMENT_CREATED,
    DOCUMENT_UPDATED,
    DOCUMENT_CHUNKS,
    DOCUMENT_PENDING,
    DOCUMENT_HASH,
    DOCUMENT_HAS_FILE, /* t, f */
    DOCUMENT_TOTAL,    /* list only */
    SECTION_TITLE = DOCUMENT_TOTAL,
    SECTION_TEXT,
    SECTION_PAGE,
};

/* Columns of store_glossary_rows. */
enum glossary_column {
    GLOSSARY_TERM,
    GLOSSARY_LANGUAGE,
    GLOSSARY_OTHERS, /* a JSON object: acronym, synonyms, preferred */
};

extern const struct sh_pg_statement
    /* --- a document is put ---------------------------------------------------------- */
    store_documents_lookup, /* id[] → enum lookup_column, a row each, in their order */
    store_chunk_vectors,    /* id, fingerprint → b: text_hash, vector */
    /* columns of equal length, a row for each place */
    store_documents_upsert, /* id[], title[], collection[], department[], campus[],
                               priority[], clearance[], last_reviewed[], language[],
                               metadata[], hash[] in hex, chunks[]; of the files: hash[]
                               in hex, name[], type[], size double[], pages[]
                               → id, created (t, f) */
    store_sections_drop,    /* id[] */
    store_chunks_drop,      /* id[]; their vectors go too */
    store_sections_insert,  /* id[], ordinal[], title[], text[], page[] */
    store_chunks_insert,    /* id[], ordinal[], heading[], text[], prefix[], page[],
                               tokens[], hash bytea[] */
    store_vectors_insert,   /* id[], ordinal[], vector bytea[]; {fingerprint} */
    store_pending_insert,   /* id[], ordinal[] */
    store_xid,              /* → the transaction's id */
    /* --- a document is read, listed, deleted ---------------------------------------- */
    store_document_get,    /* id, and the rights of store_rights */
    store_document_list,   /* collection or NULL, rights, limit, offset */
    store_document_count,  /* collection or NULL, rights → count */
    store_document_pick,   /* ids, rights → as of a list, in the order of the ids */
    store_passages,        /* id, rights, passages a page, page, passage or NULL → see
                              query/passages.c */
    store_document_delete, /* id, rights → one row if there was one */
    /* --- the view ------------------------------------------------------------------- */
    store_record,       /* → which record it is, "" when it may change under us; xid and
                           seq of the last change trimmed; the next transaction's */
    store_position,     /* → xid, seq to follow from; of which database */
    store_page_all,     /* id to go on after, fingerprint */
    store_page_changed, /* id to go on after, fingerprint, id[] */
    /* --- models and vectors that are missing ---------------------------------------- */
    store_model_live,    /* → fingerprint, name, provider, dimension, alpha */
    store_model_bind,    /* fingerprint, name, provider, dimension, alpha, card; live when
                            nothing is */
    store_pending_sweep, /* fingerprint: chunks without such a vector become pending */
    store_pending_claim, /* limit, lease in seconds → id, embedded text, text_hash hex */
    store_pending_lock,  /* id[] */
    store_pending_store,   /* id[], hash bytea[], fingerprint, vector bytea[] */
    store_pending_done,    /* id[], hash bytea[] */
    store_pending_failed,  /* id[], message */
    store_pending_release, /* id[]: nothing was tried */
    /* --- the glossary --------------------------------------------------------------- */
    store_glossary_version, /* → a text that is another one after every change */
    store_glossary_rows,    /* → terms that have other names */
    /* --- upkeep --------------------------------------------------------------------- */
    store_figures; /* outbox xid, seq → pending, age in seconds of the oldest change after
                      that position */

#endif
