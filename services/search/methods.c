#include "services/search/methods.h"

#include "services/search/access/explain.h"
#include "services/search/collections/collections.h"
#include "services/search/quality/report.h"
#include "services/search/query/degraded.h"
#include "services/search/query/passages.h"

static struct boosts boosts_of(const struct search_config *config)
{
    return (struct boosts){
        .score = config->boost_score,
        .priority = config->boost_priority,
        .campus = {[CAMPUS_central] = config->boost_central,
                   [CAMPUS_kings_buildings] = config->boost_kings_buildings,
                   [CAMPUS_easter_bush] = config->boost_easter_bush,
                   [CAMPUS_western_general] = config->boost_western_general}};
}

static enum sh_err add_all(struct methods *self, struct sh_rpc_server *rpc,
                           const struct methods_options *options)
{
    const size_t put_max = (size_t)64 << 20;
    const struct {
        uint32_t method;
        const char *name;
        size_t bytes_max;
        sh_rpc_handler_fn *handler;
        void *arg;
    } all[] = {
        {METHOD_SEARCH_QUERY, "search.query", 0, query_handle, &self->querier},
        {METHOD_DOCUMENT_PUT, "search.put", put_max, putter_handle, options->putter},
        {METHOD_DOCUMENT_GET, "search.get", 0, documents_get, &self->documents},
        {METHOD_PASSAGE_LIST, "search.passages", 0, passages_list, &self->documents},
        {METHOD_DOCUMENT_DELETE, "search.delete", 0, documents_delete, &self->documents},
        {METHOD_DOCUMENT_LIST, "search.list", 0, documents_list, &self->documents},
        {METHOD_DOCUMENT_QUERY, "search.browse", 0, browse_handle, &self->browser},
        {METHOD_SUGGEST, "search.suggest", 0, suggest_handle, &self->suggester},
        {METHOD_COLLECTION_LIST, "search.collections", 0, collections_list,
         &self->documents},
        {METHOD_COLLECTION_PUT, "search.put_collection", 0, collections_define,
         &self->documents},
        {METHOD_COLLECTION_DELETE, "search.delete_collection", 0, collections_delete,
         &self->documents},
        {METHOD_DOCUMENT_REPORT, "search.report", 0, report_get, &self->documents},
        {METHOD_ACCESS_EXPLAIN, "search.access", 0, access_explain, &self->documents},
        {METHOD_VIEW_WAIT, "search.shown", 0, shown_handle, self->shown},
        {METHOD_FILE_PUT, "search.put_file", 0, file_putter_handle, options->file_putter},
        {METHOD_FILE_INFO, "search.file", 0, files_get, options->files},
        {METHOD_FILE_CLAIM, "search.claim_file", 0, files_claim_call, options->files},
        {METHOD_FILE_RELEASE, "search.release_file", 0, files_release_call,
         options->files},
    };
    enum sh_err err = SH_OK;

    degraded_open();
    for (size_t i = 0; err == SH_OK && i < SH_COUNT(all); i++)
        err = sh_rpc_server_add(rpc, all[i].method, all[i].name, all[i].bytes_max,
                                all[i].handler, all[i].arg);
    return err;
}

static void on_glossary(void *arg)
{
    methods_moved(arg);
}

static bool is_behind(void *arg)
{
    const struct methods *self = arg;

    return self->documents.feed != NULL && feed_behind(self->documents.feed);
}

static void start_answer_state(struct methods *self, struct sh_rpc_server *rpc,
                               const struct methods_options *options)
{
    self->answer_state =
        (struct answer_state){.feed = options->feed,
                              .glossary = options->querier.glossary,
                              .rpc = rpc,
                              .querier = &self->querier,
                              .settings = answer_state_settings(options->config)};
    glossary_feed_on_change(options->querier.glossary, on_glossary, self);
    methods_moved(self);
}

enum sh_err methods_start(struct methods *self, uv_loop_t *loop,
                          struct sh_rpc_server *rpc,
                          const struct methods_options *options)
{
    enum sh_err err;

    self->boosts = boosts_of(options->config);
    self->querier = options->querier;
    self->querier.boosts = &self->boosts;
    self->documents = (struct documents){options->pg, options->feed,
                                         options->feed == NULL, options->files->keeper};
    self->browser = (struct browser){&self->documents, options->workers};
    self->suggester = (struct suggester){&self->documents, options->workers};
    err = shown_create(loop, options->feed, &self->shown);
    if (err == SH_OK && options->config->query_vectors > 0)
        err =
            query_vectors_create(options->config->query_vectors, &self->querier.vectors);
    if (err == SH_OK)
        err = marker_create(loop, options->pg, options->putter,
                            options->config->duplicates, &self->marker);
    if (err == SH_OK)
        err = add_all(self, rpc, options);
    if (err != SH_OK)
        methods_stop(self);
    else
        start_answer_state(self, rpc, options);
    if (err == SH_OK)
        sh_rpc_server_on_behind(rpc, is_behind, self);
    return err;
}

/* Nobody can ask before there are methods. */
void methods_moved(struct methods *self)
{
    if (self->answer_state.rpc != NULL)
        answer_state_refresh(&self->answer_state);
}

void methods_stop(struct methods *self)
{
    self->answer_state = (struct answer_state){0};
    self->querier.closing = true;
    self->documents.feed = NULL;
    self->documents.files = NULL;
    query_vectors_free(&self->querier.vectors);
    marker_close(&self->marker);
    shown_close(&self->shown);
}
