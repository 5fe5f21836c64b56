/* search: keeps the documents, finds passages in them. See README.md. */
#include "services/search/search.h"

SH_SETTINGS_DEFINE(search, "Search", SEARCH_SETTINGS)

int main(int argc, char **argv)
{
    static struct search search;
    struct sh_stage stages[SEARCH_GROUND + SEARCH_WORK];
    struct sh_settings settings[4 + FILE_PARTS_SETTINGS] = {
        search_settings(&search.config), sh_pg_settings(&search.pg_config),
        sh_jobs_settings(&search.jobs_config), upload_settings(&search.uploads.config)};
    struct sh_service_spec spec = {
        .name = "search",
        .summary = "keeps the documents, finds passages in them",
        .process = &search.process,
        .settings = settings,
        .settings_count = SH_COUNT(settings),
        .stages = stages,
        .stage_count = SH_COUNT(stages),
        .rpc = true,
        .ops_port = "9101",
        .rpc_bind = "tcp://127.0.0.1:5601",
        .rpc_callers = "gateway,embedder",
        .self = &search,
    };

    memcpy(stages, search_ground, sizeof(search_ground));
    memcpy(stages + SEARCH_GROUND, search_work, sizeof(search_work));
    file_parts_settings(&search.files, settings + 4);
    return sh_service_main(argc, argv, &spec);
}
