#include "services/backup/restore/origin.h"

#include <stdlib.h>

#include "services/backup/run/dump.h"
#include "services/backup/verify/facts.h"

static bool is_physical(const json_t *manifest)
{
    return json_object_get(json_object_get(manifest, "streams"), "base") != NULL;
}

enum sh_err origin_open(struct work *work, int folder, const json_t *manifest,
                        const char *until, struct origin *out)
{
    static struct recovered recovered;

    *out = (struct origin){.from = {.folder = folder, .manifest = manifest}};
    if (!is_physical(manifest))
        return until[0] == '\0'
                   ? SH_OK
                   : work_fail(work, SH_INVALID, "until needs a physical set");
    out->recovered = &recovered;
    return recovered_choose(work, folder, manifest, until[0] != '\0' ? until : "latest",
                            &recovered);
}

/* --- a physical set --------------------------------------------------------------- */

static enum sh_err start(struct work *work, struct origin *origin, json_t *result)
{
    json_t *problems = json_array();
    json_t *told = json_object();
    json_t *report = json_pack("{s:O, s:O}", "problems", problems, "result", told);
    enum sh_err err =
        report != NULL ? recovered_start(origin->recovered, report) : SH_NOMEM;

    if (err == SH_OK && json_array_size(problems) > 0)
        err = work_fail(work, SH_MALFORMED, "the set is not good: %s",
                        json_string_value(json_array_get(problems, 0)));
    origin->facts = json_incref(json_object_get(told, "found"));
    (void)json_object_del(told, "found"); /* every table: the result is for people */
    json_object_update(result, told);
    json_decref(report);
    json_decref(problems);
    json_decref(told);
    return err;
}

static enum sh_err ask_server(struct work *work, struct origin *origin)
{
    const struct recovered *recovered = origin->recovered;
    char size[32];
    PGconn *conn;
    enum sh_err err;

    recover_conninfo(&recovered->tree, &recovered->scratch, origin->conninfo);
    conn = database_open(work, origin->conninfo, NULL);
    if (conn == NULL)
        return SH_UPSTREAM;
    err = facts_golden(work, conn, &origin->golden);
    if (err == SH_OK)
        err = dump_list_files(work, conn, &origin->files);
    if (err == SH_OK)
        err = database_value(work, conn, "SELECT pg_database_size(current_database())",
                             size, sizeof(size));
    PQfinish(conn);
    if (err == SH_OK) {
        origin->from.server = origin->conninfo;
        origin->from.size = strtoull(size, NULL, 10);
    }
    return err;
}

/* --- both ------------------------------------------------------------------------- */

enum sh_err origin_fill(struct work *work, struct origin *origin, json_t *result)
{
    const struct load_from *from = &origin->from;
    enum sh_err err;

    if (origin->recovered == NULL) {
        origin->facts = json_incref(json_object_get(from->manifest, "facts"));
        return load_golden(work, from->folder, from->manifest, &origin->golden);
    }
    err = start(work, origin, result);
    return err == SH_OK ? ask_server(work, origin) : err;
}

void origin_stop(struct origin *origin)
{
    if (origin->recovered != NULL)
        recovered_close(origin->recovered);
    origin->recovered = NULL;
    origin->from.server = NULL;
}

void origin_close(struct origin *origin)
{
    origin_stop(origin);
    json_decref(origin->facts);
    json_decref(origin->golden);
    json_decref(origin->files);
    *origin = (struct origin){.recovered = NULL};
}
