/* The audit log's way from a request to PostgreSQL, with what goes wrong on it. */
#include <signal.h>
#include <sys/wait.h>

#include "services/gateway/audit/seal.h"
#include "tests/unit/gateway/audit_fixture.h"

static const char *value_of(struct fixture *f, const char *column)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql,
                   "SELECT %s FROM audit_log WHERE action = 'search_documents'", column);
    return servers_sql(f->db, sql);
}

/* --- records ---------------------------------------------------------------------- */

static void text_is_cut_between_characters_and_made_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t max;
        const char *out;
    } cases[] = {
        {"plain", 99, "plain"},
        {"plain", 3, "pla"},
        {"h\xc3\xa9llo", 2, "h"},
        {"h\xc3\xa9llo", 3, "h\xc3\xa9"},
        {"a\nb", 99,
         "a\xef\xbf\xbd"
         "b"},
        {"a\x1b[2J", 99, "a\xef\xbf\xbd[2J"},
        {"\xff\xfe", 99, "\xef\xbf\xbd\xef\xbf\xbd"},
        {"a\xe2\x80\xae"
         "b",
         99,
         "a\xef\xbf\xbd"
         "b"},
        {"\xc3", 99, "\xef\xbf\xbd"},
        {"\xff", 2, ""},
    };

    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct sh_buffer out = {0};
        audit_clean(sh_bytes_of(cases[i].in), cases[i].max, &out);
        sh_buffer_append(&out, "", 1);
        assert_string_equal(out.data, cases[i].out);
        sh_buffer_free(&out);
    }
}

/* Moving a byte from one field to its neighbour changes what is hashed. */
static void fields_do_not_run_into_each_other(void **state)
{
    (void)state;
    struct audit_seal seal;
    struct audit_record one = {.user_id = sh_bytes_of("ab"),
                               .user_role = sh_bytes_of("c")};
    struct audit_record two = {.user_id = sh_bytes_of("a"),
                               .user_role = sh_bytes_of("bc")};
    char first[AUDIT_HASH + 1], second[AUDIT_HASH + 1];

    audit_seal_open(&seal, "");
    assert_int_equal(audit_seal_hash(&seal, &one, first), SH_OK);
    assert_int_equal(audit_seal_hash(&seal, &two, second), SH_OK);
    assert_string_not_equal(first, second);
}

static void only_its_own_lines_are_read_back(void **state)
{
    (void)state;
    struct audit_record record = search_by("a \"b\" \\ c", "q"), again;
    struct sh_buffer line = {0};
    json_t *json;

    record.at_us = 1760000000123456;
    audit_line(&record, false, &line);
    assert_int_equal(line.err, SH_OK);
    line.len--;
    assert_true(audit_parse(sh_buffer_bytes(&line), &again, &json));
    assert_int_equal(again.at_us, record.at_us);
    assert_true(sh_bytes_equal(again.user_id, record.user_id));
    json_decref(json);
    for (size_t len = 0; len < line.len; len++)
        assert_false(audit_parse((struct sh_bytes){line.data, len}, &again, &json));
    line.data[strlen("{\"timestamp\":\"202")]++; /* shown to people, hashed as at_us */
    assert_false(audit_parse(sh_buffer_bytes(&line), &again, &json));
    sh_buffer_free(&line);
}

/* --- what is stored --------------------------------------------------------------- */

static void a_search_is_stored_with_a_hash_of_its_query(void **state)
{
    struct fixture *f = *state;
    struct audit_record record =
        search_by("ann", "password reset instructions for staff");

    open_as(f, "");
    audit_write(f->audit, &record);
    finish(f);
    /* printf %s 'password reset instructions for staff' | sha256sum | cut -c1-16 */
    assert_string_equal(value_of(f, "query_hash"), "31ad4634c77f4364");
    assert_string_equal(value_of(f, "query"), "");
    assert_string_equal(value_of(f, "user_id || user_role || department"),
                        "annstaffIT Services");
    assert_string_equal(value_of(f, "results_returned"), "7");
    assert_string_equal(value_of(f, "response_time"), "0.001234");
    assert_string_equal(value_of(f, "success_status"), "t");
    assert_string_equal(value_of(f, "filters_applied::json ->> 'campus'"), "west");
    assert_string_equal(value_of(f, "abs(extract(epoch FROM now() - at)) < 600"), "t");
    assert_int_equal(number_of(f, "SELECT count(*) FROM audit_log WHERE audit_log::text "
                                  "LIKE '%password reset%'"),
                     0);
}

static void the_querys_text_is_kept_when_asked_for(void **state)
{
    struct fixture *f = *state;
    struct audit_record record = search_by("ann", "password reset");

    f->config.query_text = "full";
    open_as(f, "");
    audit_write(f->audit, &record);
    finish(f);
    assert_string_equal(value_of(f, "query"), "password reset");
    holds(f);
}

static void hostile_text_breaks_nothing(void **state)
{
    struct fixture *f = *state;
    const char *const files[] = {f->log, NULL};
    struct audit_record record = search_by("a\"},{\"chain\":\"x\n", "q");

    record.user_agent = sh_bytes_of(
        "x\"}\n{\"timestamp\":\"2026\",\"logger\":\"audit\",\"user_id\":\"forged\"}\n");
    record.target = (struct sh_bytes){"nul\0nul \xff\xfe", 10};
    record.code = (struct sh_bytes){NULL, 0};
    open_as(f, "");
    audit_write(f->audit, &record);
    finish(f);
    assert_int_equal(number_of(f, SEARCHES), 1);
    assert_int_equal(lines_of(f->log), number_of(f, "SELECT count(*) FROM audit_log"));
    assert_int_equal(verify_all(f, true, files), VERIFY_GOOD);
}

static void over_long_texts_are_cut(void **state)
{
    struct fixture *f = *state;
    static char agent[4000];
    struct audit_record record = search_by("ann", "q");

    memset(agent, 'a', sizeof agent - 1);
    record.user_agent = sh_bytes_of(agent);
    open_as(f, "");
    audit_write(f->audit, &record);
    finish(f);
    assert_string_equal(value_of(f, "length(user_agent)"), "255");
}

static void await_least(struct fixture *f, long count)
{
    uint64_t until = sh_now_ms() + SERVERS_PUMP_MS;

    while (number_of(f, SEARCHES) < count)
        if (sh_left_ms(until) == 0)
            fail_msg("less than %ld records came", count);
}

static void await_lines(const char *path, size_t count)
{
    uint64_t until = sh_now_ms() + SERVERS_PUMP_MS;

    while (access(path, F_OK) != 0 || lines_of(path) < count)
        if (sh_left_ms(until) == 0)
            fail_msg("less than %zu lines came", count);
}

/* --- PostgreSQL is away ----------------------------------------------------------- */

static void records_wait_for_postgresql(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_config there = f->pg;

    f->pg.url = "postgresql://nobody@127.0.0.1:1/nothing";
    live(f, "", 500);
    assert_int_equal(files_in(f->dir), 1);
    f->pg = there;
    open_as(f, "");
    await_least(f, 500);
    finish(f);
    assert_int_equal(files_in(f->dir), 0);
    holds(f);
}

static void a_journal_may_end_in_the_middle_of_a_line(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_config there = f->pg;
    char command[256];

    f->pg.url = "postgresql://nobody@127.0.0.1:1/nothing";
    live(f, "", 9);
    (void)snprintf(command, sizeof command, "truncate -s -20 %s/*.rows", f->dir);
    assert_int_equal(system(command), 0);
    f->pg = there;
    open_as(f, "");
    await_least(f, 9);
    finish(f);
    holds(f);
    assert_non_null(strstr(f->said, "has no end"));
}

/* One bad line does not stop those around it. */
static void what_postgresql_refuses_is_put_aside(void **state)
{
    struct fixture *f = *state;
    struct sh_pg_config there = f->pg;
    char command[256], path[160];

    f->pg.url = "postgresql://nobody@127.0.0.1:1/nothing";
    live(f, "", 9);
    (void)snprintf(command, sizeof command,
                   "sed -i '3s/.*/{\"chain\":\"x\"}/;5s/.*/{nonsense/' %s/*.rows",
                   f->dir);
    assert_int_equal(system(command), 0);
    f->pg = there;
    open_as(f, "");
    await_count(f, "SELECT count(*) FROM audit_log WHERE action = 'audit.stop'", 1);
    finish(f);
    (void)snprintf(path, sizeof path, "%s/rejected", f->dir);
    assert_int_equal(lines_of(path), 2);
    assert_int_equal(number_of(f, SEARCHES), 7);
    is_found(f, "are missing");
}

static void without_a_directory_records_wait_in_memory(void **state)
{
    struct fixture *f = *state;

    f->config.dir = "";
    open_as(f, "");
    write_some(f, 200);
    await_least(f, 200);
    finish(f);
    assert_int_equal(number_of(f, SEARCHES), 200);
    holds(f);
}

/* More than fits in a batch, and in what the journal keeps before it is made anew. */
static void a_long_backlog_is_loaded(void **state)
{
    struct fixture *f = *state;

    live(f, "", 8000);
    assert_int_equal(number_of(f, SEARCHES), 8000);
    assert_int_equal(files_in(f->dir), 0);
    holds(f);
}

/* --- bounds ----------------------------------------------------------------------- */

static void what_finds_no_room_is_counted(void **state)
{
    struct fixture *f = *state;

    f->config.queue = 10;
    f->config.flush_ms = 10000;
    open_as(f, "");
    settle(f);
    write_some(f, 1000);
    audit_close(&f->audit); /* does not wait for the flush */
    long kept = number_of(f, SEARCHES);
    assert_int_equal(
        kept + number_of(f, "SELECT sum((detail::json ->> 'records')::int) FROM "
                            "audit_log WHERE action = 'audit.lost'"),
        1000);
    assert_true(kept >= 10);
    holds(f);
}

/* A process that says when its first records are safe, and goes on until it is killed. */
static void write_until_killed(const char *folder)
{
    struct fixture f = {.config = {.dir_max_mb = 16,
                                   .key = KEY_A,
                                   .old_key = "",
                                   .query_text = "none",
                                   .flush_ms = 10,
                                   .queue = 100000}};

    (void)snprintf(f.dir, sizeof f.dir, "%.60s/waiting", folder);
    (void)snprintf(f.log, sizeof f.log, "%.60s/audit.log", folder);
    f.config.dir = f.dir;
    f.config.log = f.log;
    f.pg = pg_config_of("postgresql://nobody@127.0.0.1:1/nothing");
    open_as(&f, "");
    write_some(&f, 3000);
    while (audit_waiting(f.audit) > 0)
        continue;
    if (write(STDERR_FILENO, "safe", 4) != 4)
        _exit(1);
    for (;;)
        write_some(&f, 1);
}

static const char *program;

/* Starts write_until_killed() and kills it once its first records are safe. */
static void kill_a_writer(const char *folder)
{
    char heard[8192];
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        close(pipes[0]);
        execl(program, program, "--write-until-killed", folder, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    size_t len = 0;
    ssize_t got;
    do {
        got = read(pipes[0], heard + len, sizeof heard - 1 - len);
        len += got > 0 ? (size_t)got : 0;
        heard[len] = '\0';
    } while (got > 0 && strstr(heard, "safe") == NULL);
    if (strstr(heard, "safe") == NULL)
        fail_msg("the writer ended: %s", heard);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(pipes[0]);
}

static void a_killed_gateway_loses_at_most_what_was_not_flushed(void **state)
{
    struct fixture *f = *state;

    kill_a_writer(f->folder);
    open_as(f, "");
    await_least(f, 3000);
    finish(f);
    holds(f);
}

/* --- the log as a file ------------------------------------------------------------ */

static void no_line_is_lost_when_the_log_is_moved(void **state)
{
    struct fixture *f = *state;
    char moved[160];

    (void)snprintf(moved, sizeof moved, "%s.1", f->log);
    open_as(f, "");
    write_some(f, 300);
    await_lines(f->log, 100);
    assert_int_equal(rename(f->log, moved), 0);
    write_some(f, 300);
    audit_reopen(f->audit);
    await_lines(f->log, 0);
    write_some(f, 300);
    finish(f);
    assert_true(lines_of(f->log) > 0);
    assert_int_equal(lines_of(moved) + lines_of(f->log),
                     number_of(f, "SELECT count(*) FROM audit_log"));
    const char *const files[] = {moved, f->log, NULL};
    assert_int_equal(verify_all(f, true, files), VERIFY_GOOD);
    const char *const wrong[] = {f->log, moved, NULL};
    assert_int_equal(verify_all(f, false, wrong), VERIFY_FAULTS);
}

static void edit_log(struct fixture *f, const char *program_of_sed)
{
    char command[256];
    (void)snprintf(command, sizeof command, "sed -i '%s' %s", program_of_sed, f->log);
    assert_int_equal(system(command), 0);
}

static void an_edited_log_is_found(void **state)
{
    struct fixture *f = *state;
    const char *const files[] = {f->log, NULL};

    live(f, "", 9);
    assert_int_equal(verify_all(f, false, files), VERIFY_GOOD);
    edit_log(f, "4s/192.0.2.7/192.0.2.8/");
    assert_int_equal(verify_all(f, false, files), VERIFY_FAULTS);
    assert_non_null(strstr(f->said, "changed"));
    edit_log(f, "4s/192.0.2.8/192.0.2.7/");
    assert_int_equal(verify_all(f, false, files), VERIFY_GOOD);
    edit_log(f, "4s/\"timestamp\":\"20/\"timestamp\":\"21/");
    assert_int_equal(verify_all(f, false, files), VERIFY_FAULTS);
    edit_log(f, "4d");
    assert_int_equal(verify_all(f, false, files), VERIFY_FAULTS);
    assert_non_null(strstr(f->said, "are missing"));
}

/* The end of a chain can be cut off in PostgreSQL; the log still has it. */
static void the_log_tells_on_the_table(void **state)
{
    struct fixture *f = *state;
    const char *const files[] = {f->log, NULL};

    live(f, "", 9);
    tamper(f, "DELETE FROM audit_log WHERE seq > 5");
    tamper(f, "UPDATE audit_heads SET seq = 5, hash = (SELECT hash FROM audit_log WHERE "
              "seq = 5)");
    holds(f);
    assert_int_equal(verify_all(f, true, files), VERIFY_FAULTS);
    assert_non_null(strstr(f->said, "is in the log, not in PostgreSQL"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_between_characters_and_made_harmless),
        cmocka_unit_test(fields_do_not_run_into_each_other),
        cmocka_unit_test(only_its_own_lines_are_read_back),
        CASE(a_search_is_stored_with_a_hash_of_its_query),
        CASE(the_querys_text_is_kept_when_asked_for),
        CASE(hostile_text_breaks_nothing),
        CASE(over_long_texts_are_cut),
        CASE(records_wait_for_postgresql),
        CASE(a_journal_may_end_in_the_middle_of_a_line),
        CASE(what_postgresql_refuses_is_put_aside),
        CASE(without_a_directory_records_wait_in_memory),
        CASE(a_long_backlog_is_loaded),
        CASE(what_finds_no_room_is_counted),
        CASE(a_killed_gateway_loses_at_most_what_was_not_flushed),
        CASE(no_line_is_lost_when_the_log_is_moved),
        CASE(an_edited_log_is_found),
        CASE(the_log_tells_on_the_table),
    };

    program = argv[0];
    if (argc == 3 && strcmp(argv[1], "--write-until-killed") == 0)
        write_until_killed(argv[2]);
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
