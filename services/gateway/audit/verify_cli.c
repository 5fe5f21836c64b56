#include "services/gateway/audit/verify_cli.h"

#include <stdlib.h>

#include "services/gateway/audit/store.h"
#include "services/gateway/audit/verify.h"
#include "shared/mem.h"

enum { FAULTS_SHOWN = 200, FETCH = 2000 };

struct run {
    const struct verify_order *order;
    PGconn *db; /* NULL: not asked for */
    uint64_t shown;
};

typedef void each_fn(struct run *run, struct verify *verify,
                     const struct audit_record *record);

static void learn(struct run *run, struct verify *verify,
                  const struct audit_record *record)
{
    (void)run;
    verify_learn(verify, record);
}

static void judge(struct run *run, struct verify *verify,
                  const struct audit_record *record)
{
    (void)run;
    verify_record(verify, record);
}

static void on_report(void *arg, bool fault, const char *sentence)
{
    struct run *run = arg;

    if (fault && ++run->shown > FAULTS_SHOWN)
        return;
    (void)fprintf(run->order->out, "%s %s\n", fault ? "FAULT" : "note ", sentence);
}

static int fail(const struct run *run, const char *what, const char *why)
{
    (void)fprintf(run->order->out, "cannot check: %s%s%s\n", what,
                  why[0] != '\0' ? ": " : "", why);
    return VERIFY_FAILED;
}

/* --- PostgreSQL ------------------------------------------------------------------- */

static struct sh_bytes cell(const PGresult *rows, int row, int column)
{
    return (struct sh_bytes){PQgetvalue(rows, row, column),
                             (size_t)PQgetlength(rows, row, column)};
}

static void read_row(const PGresult *rows, int row, struct audit_record *record)
{
    for (size_t i = 0; i < audit_fields_count; i++) {
        const struct audit_field *field = &audit_fields[i];
        struct sh_bytes text = cell(rows, row, (int)i);
        if (field->kind == AUDIT_text)
            *audit_text_at(record, field) = text;
        else
            *audit_number_at(record, field) = strtoll(text.data, NULL, 10);
    }
    record->hash = cell(rows, row, (int)audit_fields_count);
}

static bool command(PGconn *db, const char *sql)
{
    PGresult *result = PQexec(db, sql);
    bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return good;
}

static bool open_cursor(PGconn *db)
{
    struct sh_buffer sql = {0};

    sh_buffer_printf(&sql,
                     "DECLARE records NO SCROLL CURSOR FOR SELECT %s FROM audit_log "
                     "ORDER BY chain, seq",
                     audit_columns);
    sh_buffer_append(&sql, "", 1);
    bool good = sql.err == SH_OK && command(db, sql.data);
    sh_buffer_free(&sql);
    return good;
}

static bool scan_database(struct run *run, struct verify *verify, each_fn *each)
{
    char fetch[40];
    int count = 0;
    bool good = open_cursor(run->db);

    (void)snprintf(fetch, sizeof fetch, "FETCH %d FROM records", FETCH);
    do {
        PGresult *rows = good ? PQexec(run->db, fetch) : NULL;
        good = PQresultStatus(rows) == PGRES_TUPLES_OK;
        count = good ? PQntuples(rows) : 0;
        for (int i = 0; i < count; i++) {
            struct audit_record record;
            read_row(rows, i, &record);
            each(run, verify, &record);
        }
        PQclear(rows);
    } while (count > 0);
    return command(run->db, "CLOSE records") && good;
}

static bool check_heads(struct run *run, struct verify *verify)
{
    PGresult *rows = PQexec(run->db, "SELECT chain, seq, hash FROM audit_heads");
    bool good = PQresultStatus(rows) == PGRES_TUPLES_OK;

    for (int i = 0; good && i < PQntuples(rows); i++)
        verify_head(verify, cell(rows, i, 0), strtoll(PQgetvalue(rows, i, 1), NULL, 10),
                    cell(rows, i, 2));
    PQclear(rows);
    return good;
}

/* One snapshot for all that is read, so that gateways may write meanwhile. */
static bool connect_database(struct run *run)
{
    char *where = sh_pg_conninfo(run->order->pg, NULL);

    run->db = where != NULL ? PQconnectdb(where) : NULL;
    sh_free(where);
    return PQstatus(run->db) == CONNECTION_OK &&
           command(run->db, "SET TimeZone = 'UTC'") &&
           command(run->db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

/* --- files ------------------------------------------------------------------------ */

/* Standard output holds other lines too. */
static bool is_audit(const char *line, size_t len)
{
    static const char mark[] = "\"logger\":\"audit\"";
    return memmem(line, len, mark, sizeof mark - 1) != NULL;
}

static bool scan_file(struct run *run, const char *path, struct verify *verify,
                      each_fn *each, bool tell_garbage)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    unsigned long number = 0;
    ssize_t len;

    if (file == NULL)
        return false;
    while ((len = getline(&line, &room, file)) > 0) {
        struct audit_record record;
        json_t *json = NULL;
        char where[128];
        number++;
        if (line[len - 1] == '\n')
            len--;
        if (audit_parse((struct sh_bytes){line, (size_t)len}, &record, &json)) {
            each(run, verify, &record);
            json_decref(json);
        } else if (tell_garbage && is_audit(line, (size_t)len)) {
            (void)snprintf(where, sizeof where, "%.90s line %lu", path, number);
            verify_garbage(verify, where);
        }
    }
    bool good = ferror(file) == 0;
    free(line);
    (void)fclose(file); /* only read */
    return good;
}

static const char *scan_files(struct run *run, struct verify *verify, each_fn *each,
                              bool tell_garbage)
{
    for (size_t i = 0; run->order->files[i] != NULL; i++)
        if (!scan_file(run, run->order->files[i], verify, each, tell_garbage))
            return run->order->files[i];
    return NULL;
}

/* PostgreSQL should have this record of a file. */
static void cross(struct run *run, struct verify *verify,
                  const struct audit_record *record)
{
    char chain[AUDIT_CHAIN + 1], seq[24];
    const char *const texts[] = {chain, seq};

    (void)snprintf(chain, sizeof chain, "%.*s", (int)record->chain.len,
                   (const char *)record->chain.data);
    (void)snprintf(seq, sizeof seq, "%lld", (long long)record->seq);
    PGresult *rows = PQexecParams(run->db,
                                  "SELECT hash FROM audit_log WHERE chain = $1 AND "
                                  "seq = $2::bigint",
                                  2, NULL, texts, NULL, NULL, 0);
    bool found = PQresultStatus(rows) == PGRES_TUPLES_OK && PQntuples(rows) == 1;
    if (!found && !verify_was_cut(verify, record->chain, record->seq))
        verify_fault(verify, "chain %s record %s: is in the log, not in PostgreSQL",
                     chain, seq);
    else if (found && !sh_bytes_equal(cell(rows, 0, 0), record->hash))
        verify_fault(verify, "chain %s record %s: the log has another one", chain, seq);
    PQclear(rows);
}

/* --- the whole -------------------------------------------------------------------- */

static int sum_up(struct run *run, const char *what, struct verify *verify)
{
    struct verify_sum sum = verify_end(verify);

    (void)fprintf(run->order->out, "%s: %llu records in %llu chains, %llu faults\n", what,
                  (unsigned long long)sum.records, (unsigned long long)sum.chains,
                  (unsigned long long)sum.faults);
    return sum.faults > 0 ? VERIFY_FAULTS : VERIFY_GOOD;
}

static int check_database(struct run *run, struct verify *verify)
{
    if (!connect_database(run))
        return fail(run, "PostgreSQL", PQerrorMessage(run->db));
    if (!scan_database(run, verify, learn) || !scan_database(run, verify, judge) ||
        !check_heads(run, verify))
        return fail(run, "PostgreSQL", PQerrorMessage(run->db));
    const char *bad = scan_files(run, verify, cross, false);
    if (bad != NULL)
        return fail(run, bad, "");
    return sum_up(run, "PostgreSQL", verify);
}

static int check_files(struct run *run, struct verify *verify)
{
    const char *bad = scan_files(run, verify, learn, false);
    if (bad == NULL)
        bad = scan_files(run, verify, judge, true);
    if (bad != NULL)
        return fail(run, bad, "");
    return sum_up(run, "files", verify);
}

static int check_with(struct run *run, bool complete,
                      int (*check)(struct run *run, struct verify *verify))
{
    const struct verify_options options = {
        .key = run->order->config->key,
        .old_key = run->order->config->old_key,
        .accept_unsealed = run->order->accept_unsealed,
        .complete = complete,
        .report = on_report,
        .arg = run,
    };
    struct verify *verify;

    if (verify_open(&options, &verify) != SH_OK)
        return fail(run, "out of memory", "");
    int status = check(run, verify);
    verify_close(&verify);
    return status;
}

int verify_run(const struct verify_order *order)
{
    struct run run = {.order = order};
    int status = VERIFY_GOOD, more = VERIFY_GOOD;

    if (order->files[0] != NULL)
        status = check_with(&run, false, check_files);
    if (order->database)
        more = check_with(&run, true, check_database);
    PQfinish(run.db);
    return status > more ? status : more;
}

/* --- the command line ------------------------------------------------------------- */

static bool load(const struct sh_settings *groups, size_t count)
{
    struct sh_buffer faults = {0};
    enum sh_err err = sh_config_load(groups, count, &faults);

    if (faults.len > 0)
        (void)fwrite(faults.data, 1, faults.len, stderr);
    sh_buffer_free(&faults);
    return err == SH_OK;
}

/* `files` has room for them all, and one more. */
static void read_arguments(int argc, char **argv, struct verify_order *order,
                           const char **files)
{
    size_t used = 0;

    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--accept-unsealed") == 0)
            order->accept_unsealed = true;
        else if (strcmp(argv[i], "db") == 0)
            order->database = true;
        else
            files[used++] = argv[i];
    }
    order->database = order->database || used == 0;
    order->files = files;
}

bool verify_cli(int argc, char **argv, const struct verify_settings *settings,
                int *status)
{
    struct verify_order order = {
        .config = settings->config, .pg = settings->pg, .out = stdout};

    if (argc < 2 || strcmp(argv[1], "--verify-audit") != 0)
        return false;
    *status = VERIFY_FAILED;
    const char **files = sh_alloc_array((size_t)argc, sizeof *files);
    if (files != NULL && load(settings->groups, settings->count)) {
        read_arguments(argc, argv, &order, files);
        *status = verify_run(&order);
    }
    sh_free((void *)files);
    return true;
}
