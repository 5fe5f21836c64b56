/* Routes: long work. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/routes/tables.h"

/* clang-format off */
static const struct route_param job_params[] = {
    {"page", "integer", "from 1"},
    {"per_page", "integer", "1 to 100; 20 when absent"},
    {"state", "string", "queued, running, done, failed or cancelled"},
    {"kind", "string", "only of this kind, such as ingest"},
    {0}};
/* clang-format on */

static const struct route routes[] = {
    {ROUTE_GET, 200, "/api/jobs", "list_jobs", job_list, NULL, PERMIT_READ_DOCUMENTS, 0,
     "Jobs", "A page of jobs, newest first, without their errors", job_params, "JobPage"},
    {ROUTE_GET, 200, "/api/jobs/{id}", "get_job", job_get, NULL, PERMIT_READ_DOCUMENTS, 0,
     "Jobs", "What has become of a job", NULL, "Job"},
    {ROUTE_GET, 200, "/api/jobs/{id}/events", "watch_job", job_events, NULL,
     PERMIT_READ_DOCUMENTS, 0, "Jobs", "A job's progress as server-sent events", NULL,
     "text/event-stream"},
    {ROUTE_DELETE, 200, "/api/jobs/{id}", "cancel_job", job_delete, NULL,
     PERMIT_WRITE_DOCUMENTS, 0, "Jobs", "Cancel a job; what is done stays done", NULL,
     "Job"},
    {ROUTE_POST, 202, "/api/jobs/{id}/retry", "retry_job", job_retry, NULL,
     PERMIT_WRITE_DOCUMENTS, 0, "Jobs", "What failed once more", NULL, "Job"},
};

const struct route_table routes_of_jobs = {routes, SH_COUNT(routes)};
