#include "cli/cairn/watch.h"

#include <stdio.h>
#include <string.h>

#include "cli/api/events.h"

enum { POLL_MS = 1000 };

struct watch {
    watch_update *update;
    void *arg;
    struct events events;
    json_t *last; /* what was told last, or NULL */
};

bool watch_has_ended(const json_t *job)
{
    static const char *const over[] = {"done", "failed", "cancelled"};
    const char *state = json_string_value(json_object_get(job, "state"));
    for (size_t i = 0; state && i < SH_COUNT(over); i++) {
        if (strcmp(state, over[i]) == 0)
            return true;
    }
    return false;
}

/* Takes the reference. */
static void take(struct watch *watch, json_t *job)
{
    json_decref(watch->last);
    watch->last = job;
    if (job && watch->update)
        watch->update(watch->arg, job);
}

static bool on_event(void *arg, const char *name, struct sh_bytes data)
{
    struct watch *watch = arg;
    json_t *job = json_loadb(data.data, data.len, 0, NULL);
    if (json_is_object(job) && json_object_get(job, "state"))
        take(watch, job);
    else
        json_decref(job);
    return strcmp(name, "end") != 0 && !watch_has_ended(watch->last);
}

static bool on_piece(void *arg, struct sh_bytes piece)
{
    struct watch *watch = arg;
    return events_feed(&watch->events, piece);
}

static enum api_end follow(struct api *api, const char *path, struct watch *watch,
                           struct api_reply *reply)
{
    char events[600];
    watch->events = (struct events){.on_event = on_event, .arg = watch};
    (void)snprintf(events, sizeof(events), "%s/events", path);
    enum api_end end = api_call(
        api,
        &(struct api_request){
            .path = events, .patient = true, .sink = on_piece, .sink_arg = watch},
        reply);
    events_free(&watch->events);
    return end;
}

static enum api_end poll(struct api *api, const char *path, struct watch *watch,
                         struct api_reply *reply)
{
    for (;;) {
        enum api_end end = api_call(api, &(struct api_request){.path = path}, reply);
        if (end != API_ANSWERED || reply->status / 100 != 2)
            return end;
        take(watch, api_json(reply));
        if (!watch->last || watch_has_ended(watch->last))
            return end;
        if (!api_wait(api, POLL_MS))
            return API_STOPPED;
    }
}

enum api_end watch_path(struct api *api, const char *path, watch_update *update,
                        void *arg, struct api_reply *reply, json_t **thing)
{
    struct watch watch = {.update = update, .arg = arg};

    *thing = NULL;
    enum api_end end = follow(api, path, &watch, reply);
    bool over = end == API_STOPPED || reply->status == 401 || reply->status == 403;
    /* what it came to is asked for: the events may have told less */
    if (!over)
        end = poll(api, path, &watch, reply);
    if (end == API_ANSWERED && reply->status / 100 == 2)
        *thing = json_incref(watch.last);
    json_decref(watch.last);
    return end;
}

enum api_end watch_job(struct api *api, const char *id, watch_update *update, void *arg,
                       struct api_reply *reply, json_t **job)
{
    struct sh_buffer path = {0};
    sh_buffer_text(&path, "/api/jobs/");
    api_segment(&path, id);
    sh_buffer_append(&path, "", 1);
    *job = NULL;
    if (path.err != SH_OK || path.len > 512) {
        sh_buffer_free(&path);
        (void)snprintf(reply->error, API_ERROR_MAX, "no job has such an id");
        return API_UNREACHABLE;
    }
    enum api_end end = watch_path(api, path.data, update, arg, reply, job);
    sh_buffer_free(&path);
    return end;
}
