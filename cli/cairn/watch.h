/* watch: follows a job, or a run of backups, until it ends: by server-sent events, and
 * where those do not come through (a proxy, an older server) by asking every second. */
#ifndef CAIRN_WATCH_H
#define CAIRN_WATCH_H

#include "cli/api/api.h"

/* What is known of it now, borrowed. */
typedef void watch_update(void *arg, const json_t *job);

/* Returns when the job has ended (API_ANSWERED, a 2xx in `reply`, the job in *job, which
 * the caller lets go), or with what hindered: *job is NULL then. `update` may be NULL. */
enum api_end watch_job(struct api *api, const char *id, watch_update *update, void *arg,
                       struct api_reply *reply, json_t **job);

/* The same of whatever is at this path, and tells of itself at PATH/events. */
enum api_end watch_path(struct api *api, const char *path, watch_update *update,
                        void *arg, struct api_reply *reply, json_t **thing);

/* done, failed or cancelled. */
bool watch_has_ended(const json_t *job);

#endif
