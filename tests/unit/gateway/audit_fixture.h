/* audit_fixture: an audit log with a private PostgreSQL and a directory, and what
 * --verify-audit says about it. Header only. */
#ifndef TESTS_AUDIT_FIXTURE_H
#define TESTS_AUDIT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sys/stat.h>

#include "services/gateway/audit/audit.h"
#include "services/gateway/audit/seal.h"
#include "services/gateway/audit/verify_cli.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "tests/support/migrate.h"
#include "tests/support/pg_config.h"

#define KEY_A "a key that is long enough 0123456789"
#define KEY_B "another key that is long enough 9876"

struct fixture {
    PGconn *db;
    char folder[64];
    char dir[96];
    char log[96];
    struct audit_config config;
    struct sh_pg_config pg;
    struct audit *audit;
    char said[65536]; /* by the last verification */
};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->db = servers_connect();
    migrate_afresh(f->db);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/cairn-audit.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->dir, sizeof f->dir, "%s/waiting", f->folder);
    (void)snprintf(f->log, sizeof f->log, "%s/audit.log", f->folder);
    f->config = (struct audit_config){.log = f->log,
                                      .dir = f->dir,
                                      .dir_max_mb = 16,
                                      .key = KEY_A,
                                      .old_key = "",
                                      .query_text = "none",
                                      .flush_ms = 10,
                                      .queue = 100000,
                                      .retention_days = 0};
    f->pg = pg_config_of(getenv("TEST_DATABASE_URL"));
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    audit_close(&f->audit);
    PQfinish(f->db);
    (void)snprintf(command, sizeof command, "rm -r '%s'", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* --- writing ---------------------------------------------------------------------- */

static inline void open_as(struct fixture *f, const char *chain)
{
    const struct audit_options options = {&f->config, &f->pg, "", chain};
    assert_null(f->audit);
    assert_int_equal(audit_open(&options, &f->audit), SH_OK);
}

static inline struct audit_record search_by(const char *user, const char *query)
{
    return (struct audit_record){.user_id = sh_bytes_of(user),
                                 .user_role = sh_bytes_of("staff"),
                                 .department = sh_bytes_of("IT Services"),
                                 .auth = sh_bytes_of("jwt"),
                                 .action = sh_bytes_of("search_documents"),
                                 .status = 200,
                                 .outcome = sh_bytes_of("ok"),
                                 .query = sh_bytes_of(query),
                                 .filters_applied = sh_bytes_of("{\"campus\":\"west\"}"),
                                 .results_returned = 7,
                                 .response_us = 1234,
                                 .ip_address = sh_bytes_of("192.0.2.7"),
                                 .user_agent = sh_bytes_of("curl/8"),
                                 .request_id = sh_bytes_of("req_1")};
}

static inline void write_some(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++) {
        char user[32];
        (void)snprintf(user, sizeof user, "user-%d", i);
        struct audit_record record = search_by(user, "password reset");
        audit_write(f->audit, &record);
    }
}

/* --- looking ---------------------------------------------------------------------- */

static inline long number_of(struct fixture *f, const char *sql)
{
    const char *text = servers_sql(f->db, sql);
    if (text[0] == 'e')
        fail_msg("%s: %s", sql, text);
    return strtol(text, NULL, 10);
}

static inline void await_count(struct fixture *f, const char *sql, long count)
{
    uint64_t until = sh_now_ms() + SERVERS_PUMP_MS;

    while (number_of(f, sql) != count)
        if (sh_left_ms(until) == 0)
            fail_msg("did not become %ld: %s", count, sql);
}

#define SEARCHES "SELECT count(*) FROM audit_log WHERE action = 'search_documents'"

/* As somebody who owns the database does it. */
static inline void tamper(struct fixture *f, const char *sql)
{
    const char *answer;

    servers_sql(f->db, "SET session_replication_role = replica");
    answer = servers_sql(f->db, sql);
    servers_sql(f->db, "SET session_replication_role = DEFAULT");
    if (strncmp(answer, "error", 5) == 0)
        fail_msg("%s: %s", sql, answer);
}

static inline int verify_all(struct fixture *f, bool database, const char *const *files)
{
    static const char *const none[] = {NULL};
    FILE *out = fmemopen(f->said, sizeof f->said - 1, "w");
    const struct verify_order order = {.config = &f->config,
                                       .pg = &f->pg,
                                       .database = database,
                                       .files = files != NULL ? files : none,
                                       .out = out};
    int status;

    assert_non_null(out);
    memset(f->said, 0, sizeof f->said);
    status = verify_run(&order);
    assert_int_equal(fclose(out), 0);
    return status;
}

static inline void holds(struct fixture *f)
{
    if (verify_all(f, true, NULL) != VERIFY_GOOD)
        fail_msg("faults where there are none:\n%s", f->said);
}

static inline void is_found(struct fixture *f, const char *sentence)
{
    if (verify_all(f, true, NULL) != VERIFY_FAULTS || strstr(f->said, sentence) == NULL)
        fail_msg("not found: %s; said:\n%s", sentence, f->said);
}

static inline size_t lines_of(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t count = 0;
    int c;

    if (file == NULL)
        return 0;
    while ((c = getc(file)) != EOF)
        count += c == '\n';
    assert_int_equal(fclose(file), 0);
    return count;
}

static inline size_t files_in(const char *dir)
{
    DIR *files = opendir(dir);
    const struct dirent *entry;
    size_t count = 0;

    while (files != NULL && (entry = readdir(files)) != NULL)
        count += entry->d_name[0] != '.';
    if (files != NULL)
        closedir(files);
    return count;
}

/* --- whole lives ------------------------------------------------------------------ */

static inline off_t bytes_waiting(const char *dir)
{
    DIR *files = opendir(dir);
    const struct dirent *entry;
    struct stat found;
    off_t sum = 0;

    while (files != NULL && (entry = readdir(files)) != NULL)
        if (strstr(entry->d_name, ".rows") != NULL &&
            fstatat(dirfd(files), entry->d_name, &found, 0) == 0)
            sum += found.st_size;
    if (files != NULL)
        closedir(files);
    return sum;
}

/* Everything is in PostgreSQL, to which a busy machine may be slow to connect. */
static inline void settle(struct fixture *f)
{
    uint64_t until = sh_now_ms() + SERVERS_PUMP_MS;

    if (f->pg.url != getenv("TEST_DATABASE_URL"))
        return; /* it is away */
    while (audit_waiting(f->audit) > 0 || bytes_waiting(f->dir) > 0)
        if (sh_left_ms(until) == 0)
            fail_msg("records still wait");
}

static inline void finish(struct fixture *f)
{
    settle(f);
    audit_close(&f->audit);
}

/* `count` records between a beginning and an end. */
static inline void live(struct fixture *f, const char *chain, int count)
{
    open_as(f, chain);
    write_some(f, count);
    finish(f);
}

#define OLD "SELECT count(*) FROM audit_log WHERE user_id = 'old'"

/* What a gateway of long ago left: `old` records of a hundred days ago, then `young`. */
static inline void leave(struct fixture *f, const char *chain_id, int old, int young)
{
    struct audit_chain chain;
    struct sh_buffer rows = {0};
    char path[160];

    audit_chain_open(&chain, chain_id, f->config.key);
    for (int i = 0; i < old + young; i++) {
        struct audit_record record = search_by(i < old ? "old" : "young", "");
        double age_s = i < old ? 100 * 86400.0 : 0;
        record.at_us = (int64_t)((sh_wall_time() - age_s) * 1e6) + i;
        assert_int_equal(audit_chain_add(&chain, &record, false, &rows), SH_OK);
    }
    (void)mkdir(f->dir, 0700);
    (void)snprintf(path, sizeof path, "%s/%s.rows", f->dir, chain_id);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(rows.data, 1, rows.len, file), rows.len);
    assert_int_equal(fclose(file), 0);
    audit_chain_close(&chain);
    sh_buffer_free(&rows);
}

#endif
