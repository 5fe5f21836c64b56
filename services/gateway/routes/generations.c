/* Routes: generations of vectors. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/routes/tables.h"

static const struct route routes[] = {
    {ROUTE_POST, 202, "/api/reindex", "reindex", reindex_post, &reindex_schema,
     PERMIT_ADMIN_MODELS, 0, "Generations",
     "Build the vectors of another model beside the live ones: a job", NULL,
     "GenerationJob"},
    {ROUTE_GET, 200, "/api/generations", "list_generations", generation_list, NULL,
     PERMIT_ADMIN_MODELS, 0, "Generations",
     "The generations of vectors, the live one "
     "first",
     NULL, "Generations"},
    {ROUTE_POST, 202, "/api/generations/compare", "compare_generations",
     generation_compare_post, &compare_schema, PERMIT_ADMIN_MODELS, 0, "Generations",
     "Ask two generations the same questions: a job", NULL, "GenerationJob"},
    {ROUTE_POST, 200, "/api/generations/rollback", "roll_back_generation",
     generation_rollback_post, NULL, PERMIT_ADMIN_MODELS, 0, "Generations",
     "Make the generation live that was so before", NULL, "GenerationLive"},
    {ROUTE_POST, 200, "/api/generations/{fingerprint}/activate", "activate_generation",
     generation_activate_post, NULL, PERMIT_ADMIN_MODELS, 0, "Generations",
     "Make a generation live", NULL, "GenerationLive"},
    {ROUTE_DELETE, 202, "/api/generations/{fingerprint}", "drop_generation",
     generation_delete, NULL, PERMIT_ADMIN_MODELS, 0, "Generations",
     "Remove a generation that is not live: a job", NULL, "GenerationJob"},
};

const struct route_table routes_of_generations = {routes, SH_COUNT(routes)};
