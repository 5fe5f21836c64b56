#include "services/gateway/openapi.h"
#include "shared/embed.h"

SH_EMBED(common_json, "services/gateway/answers/common.json");
SH_EMBED(health_json, "services/gateway/answers/health.json");
SH_EMBED(search_json, "services/gateway/answers/search.json");
SH_EMBED(documents_json, "services/gateway/answers/documents.json");
SH_EMBED(jobs_json, "services/gateway/answers/jobs.json");
SH_EMBED(collections_json, "services/gateway/answers/collections.json");
SH_EMBED(embeddings_json, "services/gateway/answers/embeddings.json");
SH_EMBED(glossary_json, "services/gateway/answers/glossary.json");
SH_EMBED(graph_json, "services/gateway/answers/graph.json");
SH_EMBED(backups_json, "services/gateway/answers/backups.json");
SH_EMBED(identity_json, "services/gateway/answers/identity.json");
SH_EMBED(administration_json, "services/gateway/answers/administration.json");
SH_EMBED(generations_json, "services/gateway/answers/generations.json");

static const char *const files[] = {
    common_json_begin,         health_json_begin,      search_json_begin,
    documents_json_begin,      collections_json_begin, embeddings_json_begin,
    graph_json_begin,          backups_json_begin,     identity_json_begin,
    administration_json_begin, generations_json_begin, jobs_json_begin,
    glossary_json_begin,
};

json_t *openapi_answers(void)
{
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        json_t *some = json_loads(files[i], JSON_REJECT_DUPLICATES, NULL);
        if (some == NULL || json_object_update_missing(all, some) != 0) {
            json_decref(some);
            json_decref(all);
            return NULL;
        }
        json_decref(some);
    }
    return all;
}
