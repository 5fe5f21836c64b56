/* What the gateway says: of who asks, of itself, of what it stands on. */
#include <stdio.h>
#include <string.h>

#include "cli/cairn/doctor/ask.h"

/* --- who asks --------------------------------------------------------------------- */

void doctor_identity(struct doctor *self)
{
    const struct settings *settings = &self->cli->settings;
    json_t *me = doctor_ask(self, "/api/auth/me", false);
    long status = self->cli->reply.status;
    if (me)
        doctor_say(self, DOCTOR_OK, "identity", NULL, "%s, %s",
                   doctor_text(me, "username"), doctor_text(me, "role"));
    else if (status == 401 && (settings->token || settings->key))
        doctor_say(self, DOCTOR_FAIL, "identity",
                   settings->token
                       ? "`cairn login` again (or another CAIRN_TOKEN)"
                       : "another key: `cairn keys create`; it may have been revoked",
                   "%s: %s", self->cli->reply.code, self->cli->reply.error);
    else if (status == 401)
        doctor_say(self, DOCTOR_WARN, "identity", "`cairn login`",
                   "nobody: not everything can be looked at");
    else if (status == 403)
        doctor_say(self, DOCTOR_OK, "identity", NULL, "a key that is not meant for that");
    else
        doctor_say(self, DOCTOR_FAIL, "identity",
                   "PostgreSQL or Redis is away, if keys or sessions cannot be looked up",
                   "%s", self->cli->reply.error);
    json_decref(me);
}

/* --- health ----------------------------------------------------------------------- */

static const struct {
    const char *part;
    bool fatal; /* searches or stores fail without it */
    const char *remedy;
} parts[] = {
    {"database", true,
     "PostgreSQL: is it running, and DATABASE_URL (DB_HOST, DB_USER, DB_PASSWORD) what "
     "it takes? `cairn doctor --env FILE` beside the services tries it"},
    {"cache", false,
     "Redis: is it running, and REDIS_URL right? Answers are not kept without it, and "
     "nobody logs in for a session"},
    {"embedding_service", false,
     "cairn-embedder: is it running, and its model there (MODEL_DIR, OLLAMA_URL)? "
     "Searches go by words only meanwhile"},
    {"search_functionality", true, "cairn-search: its log tells; `cairn status`"},
    {"fts_search", false, "search is behind what is stored: `cairn status`, its log"},
    {"graph", false,
     "cairn-graph: is it running? GRAPH_ENABLED=false where none is meant"},
    {"backups", false, "`cairn backup create`; cairn-backup and BACKUP_SCHEDULE"},
    {"disk", false, "make room: `cairn backup prune`, old logs; or a larger disk"},
    {"memory", false, "more memory, or less for the others on this machine"},
    {"performance", false, "answers are slow: `cairn status`, docs/runbooks.md"},
};

static void check_part(struct doctor *self, const char *name, const json_t *part)
{
    bool healthy = json_is_true(json_object_get(part, "healthy"));
    const char *remedy = "the logs of the services, docs/runbooks.md";
    enum doctor_state state = DOCTOR_WARN;
    for (size_t i = 0; i < SH_COUNT(parts); i++) {
        if (strcmp(parts[i].part, name) != 0)
            continue;
        remedy = parts[i].remedy;
        state = parts[i].fatal ? DOCTOR_FAIL : DOCTOR_WARN;
    }
    doctor_say(self, healthy ? DOCTOR_OK : state, name, remedy, "%s%s%s",
               doctor_text(part, "status"), *doctor_text(part, "error") ? ": " : "",
               doctor_text(part, "error"));
}

static void check_version(struct doctor *self, const char *version)
{
    bool same = strcmp(version, CAIRN_VERSION) == 0;
    doctor_say(self, same ? DOCTOR_OK : DOCTOR_WARN, "version",
               "install the same version here as there", "server %s, this program %s",
               version, CAIRN_VERSION);
}

void doctor_health(struct doctor *self)
{
    const char *name = NULL;
    json_t *part = NULL;
    json_t *health = doctor_ask(self, "/health", true);
    if (!json_object_get(health, "subsystems")) {
        json_decref(health);
        doctor_kept(self, "health");
        return;
    }
    check_version(self, doctor_text(health, "version"));
    json_object_foreach(json_object_get(health, "subsystems"), name, part)
        check_part(self, name, part);
    if (*doctor_text(health, "maintenance"))
        doctor_say(self, DOCTOR_WARN, "maintenance", "`cairn maintenance leave`",
                   "changes are refused (%s)", doctor_text(health, "maintenance"));
    json_decref(health);
}

/* --- backups ---------------------------------------------------------------------- */

void doctor_backups(struct doctor *self)
{
    json_t *answer = doctor_ask(self, "/api/backups", false);
    if (!answer) {
        doctor_kept(self, "backup sets");
        return;
    }
    const json_t *newest = json_array_get(json_object_get(answer, "backups"), 0);
    if (!newest)
        doctor_say(self, DOCTOR_WARN, "backup sets", "`cairn backup create`",
                   "there is none");
    else if (!json_is_true(json_object_get(newest, "verified")))
        doctor_say(self, DOCTOR_WARN, "backup sets", "`cairn backup drill SET` proves it",
                   "the newest, %s, is not verified", doctor_text(newest, "id"));
    else
        doctor_say(self, DOCTOR_OK, "backup sets", NULL, "the newest is %s, proven by %s",
                   doctor_text(newest, "id"), doctor_text(newest, "proven"));
    json_decref(answer);
    json_t *schedule = doctor_ask(self, "/api/backups/schedule", false);
    if (json_is_true(json_object_get(schedule, "late")))
        doctor_say(self, DOCTOR_WARN, "backup schedule",
                   "`cairn backup runs` says what failed; then `cairn backup create`",
                   "the last full set is late");
    else if (schedule)
        doctor_say(self, DOCTOR_OK, "backup schedule", NULL, "%s",
                   doctor_text(schedule, "schedule"));
    json_decref(schedule);
}
