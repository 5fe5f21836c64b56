#include "services/search/glossary/glossary_parts.h"

#include "proto/messages.h"

enum { CHILD_CPU_S = 900 };

static enum sh_err add_methods(struct glossary_parts *self, struct sh_rpc_server *rpc)
{
    const struct {
        uint32_t method;
        const char *name;
        sh_rpc_handler_fn *handler;
        void *arg;
    } all[] = {
        {METHOD_GLOSSARY_LIST, "glossary.list", entry_search_handle, &self->entries},
        {METHOD_GLOSSARY_GET, "glossary.get", terms_get_handle, &self->terms},
        {METHOD_GLOSSARY_PUT, "glossary.put", terms_put_handle, &self->terms},
        {METHOD_GLOSSARY_DELETE, "glossary.delete", terms_delete_handle, &self->terms},
        {METHOD_GLOSSARY_IMPORT, "glossary.import", import_handle, &self->importer},
        {METHOD_GLOSSARY_EXPORT, "glossary.export", export_handle, &self->exporter},
        {METHOD_GLOSSARY_EXTRACT, "glossary.extract", extraction_handle,
         &self->extractor},
        {METHOD_GLOSSARY_CANDIDATES, "glossary.candidates", candidates_list_handle,
         &self->candidates},
        {METHOD_GLOSSARY_JUDGE, "glossary.judge", candidates_judge_handle,
         &self->candidates},
        {METHOD_GLOSSARY_LOOKUP, "glossary.lookup", lookup_handle, self->lookup},
    };
    enum sh_err err = SH_OK;

    for (size_t i = 0; err == SH_OK && i < SH_COUNT(all); i++)
        err = sh_rpc_server_add(rpc, all[i].method, all[i].name, 0, all[i].handler,
                                all[i].arg);
    return err;
}

static enum sh_err start_entries(struct glossary_parts *self,
                                 const struct glossary_parts_options *options)
{
    const struct entry_feed_options feed = {options->pg, options->embedder,
                                            options->model};

    self->entries = (struct entry_search){.terms = &self->terms,
                                          .pg = options->pg,
                                          .embedder = options->embedder,
                                          .model = options->model,
                                          .workers = options->searchers};
    return entry_feed_create(options->loop, &feed, &self->entries.feed);
}

enum sh_err glossary_parts_start(struct glossary_parts *self,
                                 const struct glossary_parts_options *options)
{
    const struct upload_config *uploads = options->uploads;

    self->terms = (struct terms){options->pg};
    self->exporter = (struct exporter){options->pg, options->workers};
    self->importer = (struct importer){.loop = options->loop,
                                       .pg = options->pg,
                                       .fetch = {options->files->store, options->workers,
                                                 options->files->config.spool_dir},
                                       .child = {.program = uploads->program,
                                                 .memory_mb = uploads->memory_mb,
                                                 .nesting = uploads->nesting,
                                                 .ratio = uploads->ratio,
                                                 .cpu_s = CHILD_CPU_S},
                                       .most_by_user = options->most_by_user};
    self->candidates = (struct candidates){options->pg};
    self->extractor = (struct extractor){.loop = options->loop,
                                         .pg = options->pg,
                                         .workers = options->workers,
                                         .most_by_user = options->most_by_user};
    enum sh_err err =
        lookup_create(options->loop, options->config, options->pg, &self->lookup);
    if (err == SH_OK)
        err = start_entries(self, options);
    if (err != SH_OK)
        return err;
    return add_methods(self, options->rpc);
}

void glossary_parts_kinds(struct glossary_parts *self,
                          struct sh_job_kind kinds[GLOSSARY_KINDS])
{
    kinds[0] = import_kind(&self->importer);
    kinds[1] = extraction_kind(&self->extractor);
}

void glossary_parts_stop(struct glossary_parts *self)
{
    import_stop(&self->importer);
    extraction_stop(&self->extractor);
    entry_feed_close(&self->entries.feed);
    lookup_close(&self->lookup);
}
