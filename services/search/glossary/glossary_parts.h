/* glossary_parts: what the service has for the glossary beside what widens searches: its
 * terms as others may ask for them, and the jobs that bring many. Loop thread only. */
#ifndef SEARCH_GLOSSARY_PARTS_H
#define SEARCH_GLOSSARY_PARTS_H

#include "services/search/glossary/export.h"
#include "services/search/glossary/import.h"
#include "services/search/glossary/terms.h"
#include "services/search/lookup/lookup.h"
#include "services/search/meaning/entry_search.h"
#include "services/search/terminology/candidates.h"
#include "services/search/terminology/extraction.h"
#include "services/search/upload_parts.h"

enum { GLOSSARY_KINDS = 2 };

struct glossary_parts { /* {0} is stopped */
    struct terms terms;
    struct exporter exporter;
    struct importer importer;
    struct candidates candidates;
    struct extractor extractor;
    struct entry_search entries;
    struct lookup *lookup;
};

struct glossary_parts_options {
    uv_loop_t *loop;
    struct sh_pg *pg;
    struct sh_rpc_server *rpc;
    struct sh_workers *workers;
    struct sh_workers *searchers;
    struct sh_rpc_client *embedder;
    const struct model_binding *model;
    const struct search_config *config;
    const struct file_parts *files;
    const struct upload_config *uploads;
    uint64_t most_by_user; /* jobs that have not ended */
};

/* `self` must live as long as its calls do. Errors: those of sh_rpc_server_add(). */
SH_CHECK enum sh_err glossary_parts_start(struct glossary_parts *self,
                                          const struct glossary_parts_options *options);
/* The kinds of jobs that it does. */
void glossary_parts_kinds(struct glossary_parts *self,
                          struct sh_job_kind kinds[GLOSSARY_KINDS]);
/* Before the jobs and the database are closed. */
void glossary_parts_stop(struct glossary_parts *self);

#endif
