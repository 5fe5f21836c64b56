#include "services/backup/restore/pick.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/restore/origin.h"
#include "services/backup/tool/database.h"

enum { LINE = 1024, QUALIFIED = 160 };

static const char schema_of_ours[] = "public.";

/* --- names ------------------------------------------------------------------------ */

/* As the manifest names it. */
static void qualify(const char *name, char out[static QUALIFIED])
{
    (void)snprintf(out, QUALIFIED, "%s%s", strchr(name, '.') ? "" : schema_of_ours, name);
}

static enum sh_err check_names(struct work *work, const json_t *facts,
                               const struct pick *pick)
{
    const json_t *tables = json_object_get(facts, "tables");
    char name[QUALIFIED];

    for (size_t i = 0; i < pick->count; i++) {
        qualify(pick->names[i], name);
        if (json_object_get(tables, name) == NULL)
            return work_fail(work, SH_NOTFOUND, "there is no table %.100s in this set",
                             name);
    }
    return SH_OK;
}

/* --- the list --------------------------------------------------------------------- */

/* "42; 0 16402 TABLE DATA public chunks cairn", from the schema on. */
static const char *after(const char *line, const char *what)
{
    const char *found = strstr(line, what);

    return found != NULL ? found + strlen(what) : NULL;
}

static bool is_picked(const struct pick *pick, const char *rest)
{
    char name[QUALIFIED];

    for (size_t i = 0; i < pick->count; i++) {
        qualify(pick->names[i], name);
        size_t len = strlen(name);
        *strchr(name, '.') = ' ';
        if (strncmp(rest, name, len) == 0 && rest[len] == ' ')
            return true;
    }
    return false;
}

/* "public chunks chunks_document_id_fkey cairn": the third word. */
static void note_key(json_t *left_out, const char *rest)
{
    const char *at = rest;

    for (int i = 0; i < 2; i++)
        at += strcspn(at, " ") + (at[strcspn(at, " ")] == ' ');
    json_array_append_new(left_out, json_stringn(at, strcspn(at, " \n")));
}

static void filter(FILE *in, FILE *out, const struct pick *pick, json_t *left_out)
{
    char line[LINE];

    while (fgets(line, sizeof(line), in) != NULL) {
        const char *data = after(line, " TABLE DATA ");
        const char *key = after(line, " FK CONSTRAINT ");
        if (line[0] == ';' || (data != NULL && !is_picked(pick, data)))
            continue;
        if (key != NULL && is_picked(pick, key))
            note_key(left_out, key);
        else
            (void)fputs(line, out);
    }
}

static FILE *temporary(struct work *work, char path[static BACKUP_PATH])
{
    (void)snprintf(path, BACKUP_PATH, "%.1024s/cairn-list-XXXXXX",
                   work->all->backup.scratch_dir);
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;

    if (file == NULL) {
        (void)work_fail(work, SH_IO, "BACKUP_SCRATCH_DIR: %s", strerror(errno));
        if (fd >= 0) {
            (void)unlink(path);
            (void)close(fd);
        }
    }
    return file;
}

static enum sh_err write_list(struct work *work, const struct load_from *from,
                              const struct pick *pick, FILE *out, json_t *left_out)
{
    char path[BACKUP_PATH];
    FILE *whole = temporary(work, path);
    enum sh_err err;

    if (whole == NULL)
        return SH_IO;
    err = load_contents(work, from, fileno(whole));
    rewind(whole);
    if (err == SH_OK)
        filter(whole, out, pick, left_out);
    (void)fclose(whole); /* only read */
    (void)unlink(path);
    if (err == SH_OK && fflush(out) != 0)
        err = work_fail(work, SH_IO, "BACKUP_SCRATCH_DIR: %s", strerror(errno));
    return err;
}

/* --- the rows --------------------------------------------------------------------- */

static enum sh_err count(struct work *work, PGconn *conn, const json_t *facts,
                         const struct pick *pick, json_t *rows)
{
    const json_t *tables = json_object_get(facts, "tables");
    enum sh_err err = SH_OK;

    for (size_t i = 0; i < pick->count && err == SH_OK; i++) {
        char name[QUALIFIED], sql[QUALIFIED + 40], found[32];
        qualify(pick->names[i], name);
        (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM ONLY %s", name);
        err = database_value(work, conn, sql, found, sizeof(found));
        json_int_t saved = json_integer_value(json_object_get(tables, name));
        if (err == SH_OK && strtoll(found, NULL, 10) != saved)
            err = work_fail(work, SH_MALFORMED, "%s has %s rows, saved were %lld", name,
                            found, (long long)saved);
        json_object_set_new(rows, name, json_integer(saved));
    }
    return err;
}

enum sh_err pick_load(struct work *work, const struct origin *origin,
                      const char *conninfo, const char *name, const struct pick *pick,
                      json_t **result)
{
    char path[BACKUP_PATH];
    json_t *rows = json_object();
    json_t *left_out = json_array();
    PGconn *conn = NULL;
    FILE *list = NULL;
    enum sh_err err = check_names(work, origin->facts, pick);

    if (err == SH_OK) {
        list = temporary(work, path);
        err =
            list != NULL ? write_list(work, &origin->from, pick, list, left_out) : SH_IO;
    }
    if (err == SH_OK)
        err = load_some(work, &origin->from, conninfo, name, path);
    if (list != NULL) {
        (void)fclose(list); /* was flushed */
        (void)unlink(path);
    }
    if (err == SH_OK) {
        conn = database_open(work, conninfo, name);
        err =
            conn != NULL ? count(work, conn, origin->facts, pick, rows) : SH_UNAVAILABLE;
    }
    PQfinish(conn);
    *result = json_pack("{s:o, s:o}", "tables", rows, "foreign_keys_left_out", left_out);
    return err;
}
