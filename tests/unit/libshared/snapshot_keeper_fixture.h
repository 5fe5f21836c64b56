/* snapshot_keeper_fixture: a keeper of snapshots, whose view is a word in a file. Header
 * only. */
#ifndef TESTS_SNAPSHOT_KEEPER_FIXTURE_H
#define TESTS_SNAPSHOT_KEEPER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/snapshot_keeper.h"
#include "shared/snapshots.h"

enum { PATIENCE_MS = 60000, WORD = 32 };

struct view {
    char word[WORD];
    int users;
};

struct fixture {
    uv_loop_t loop;
    struct sh_workers *writer;
    uv_sem_t gate; /* what is `slow` waits for it */
    char dir[64];
    struct sh_keeper *keeper;
    struct view view;     /* what is to be written */
    bool following;       /* else nothing can be written */
    bool slow;            /* to write */
    enum sh_err save_err; /* of writing */
    const char *refused;  /* by peek */
    int loads;
    struct view *loaded; /* by the last one */
    struct sh_note note;
    int saves; /* that have ended */
    int drains;
};

static struct sh_keeper_metrics metrics = SH_KEEPER_METRICS("test", "word");

/* --- the view --------------------------------------------------------------------- */

static inline FILE *open_word(const char *path, const char *mode)
{
    char name[SH_SNAPSHOTS_PATH + 8];

    (void)snprintf(name, sizeof(name), "%s/word", path);
    return fopen(name, mode);
}

static inline enum sh_err peek(void *arg, const char *path, char note[SH_KEEPER_NOTE + 1],
                               const char **refused)
{
    const struct fixture *f = arg;
    FILE *file = open_word(path, "re");

    if (file == NULL)
        return SH_NOTFOUND;
    bool whole = fgets(note, SH_KEEPER_NOTE, file) != NULL;
    assert_int_equal(fclose(file), 0);
    if (!whole)
        return SH_MALFORMED;
    note[strcspn(note, "\n")] = '\0';
    *refused = f->refused;
    return SH_OK;
}

static inline enum sh_err load(void *arg, const char *path, void **out,
                               const char **refused)
{
    char note[SH_KEEPER_NOTE + 1];
    FILE *file = open_word(path, "re");
    struct view *view = calloc(1, sizeof(*view));

    (void)arg;
    assert_non_null(file);
    assert_non_null(view);
    assert_non_null(fgets(note, sizeof(note), file));
    bool whole = fgets(view->word, sizeof(view->word), file) != NULL;
    assert_int_equal(fclose(file), 0);
    enum sh_err err = whole ? SH_OK : SH_MALFORMED;
    if (whole && strcmp(view->word, "unfit") == 0) {
        *refused = "unfit";
        err = SH_CONFLICT;
    }
    if (err == SH_OK)
        *out = view;
    else
        free(view);
    return err;
}

static inline enum sh_err save(void *arg, void *view, const char *note, const char *path)
{
    struct fixture *f = arg;

    if (f->slow)
        uv_sem_wait(&f->gate);
    if (f->save_err != SH_OK)
        return f->save_err;
    FILE *file = open_word(path, "we");
    assert_non_null(file);
    assert_true(fprintf(file, "%s\n%s", note, ((struct view *)view)->word) > 0);
    assert_int_equal(fclose(file), 0);
    return SH_OK;
}

static inline void on_loaded(void *arg, void *view, const struct sh_note *note)
{
    struct fixture *f = arg;

    f->loads++;
    f->loaded = view;
    f->note = *note;
}

static inline void *next(void *arg, struct sh_note *note)
{
    struct fixture *f = arg;

    if (!f->following)
        return NULL;
    note->position = (struct sh_changefeed_position){.xid = 50, .seq = 7};
    (void)snprintf(note->sample, sizeof(note->sample), "a sample");
    f->view.users++;
    return &f->view;
}

static inline void release(void *view)
{
    ((struct view *)view)->users--;
}

static inline bool current(void *arg)
{
    const struct fixture *f = arg;

    return f->following;
}

static inline void on_saved(void *arg)
{
    struct fixture *f = arg;

    assert_int_equal(f->view.users, 0);
    f->saves++;
}

static inline void on_drained(void *arg)
{
    struct fixture *f = arg;

    f->drains++;
}

/* --- life ------------------------------------------------------------------------- */

static inline void start_every(struct fixture *f, uint32_t seconds)
{
    const struct sh_keeper_options options = {.dir = f->dir,
                                              .writer = f->writer,
                                              .metrics = &metrics,
                                              .every_s = seconds,
                                              .reads = {"SELECT 1", "SELECT 2"},
                                              .peek = peek,
                                              .load = load,
                                              .save = save,
                                              .loaded = on_loaded,
                                              .next = next,
                                              .release = release,
                                              .current = current,
                                              .saved = on_saved,
                                              .arg = f};
    assert_int_equal(sh_keeper_create(&f->loop, &options, &f->keeper), SH_OK);
}

static inline void put(PGresult *row, int column, const char *text)
{
    char value[64];
    int len = snprintf(value, sizeof(value), "%s", text);

    assert_int_equal(PQsetvalue(row, 0, column, value, len), 1);
}

/* What the database says. */
static inline void tell(struct fixture *f, const char *identity, const char *horizon)
{
    PGresult *row = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    char name[] = "column";
    PGresAttDesc columns[4] = {
        {.name = name}, {.name = name}, {.name = name}, {.name = name}};

    assert_int_equal(PQsetResultAttrs(row, 4, columns), 1);
    put(row, 0, identity);
    put(row, 1, horizon);
    put(row, 2, "0");
    put(row, 3, "90"); /* the next transaction */
    const struct sh_pg_reply reply = {.err = SH_OK, .count = 1, .results = &row};
    sh_keeper_record(f->keeper, &reply);
    PQclear(row);
}

static inline void start(struct fixture *f)
{
    start_every(f, 0);
    tell(f, "a-database", "40");
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(uv_sem_init(&f->gate, 0), 0);
    assert_int_equal(sh_workers_create(&f->loop, "writer", 1, 4, &f->writer), SH_OK);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/keeper-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->view.word, WORD, "heron");
    f->following = true;
    *state = f;
    return 0;
}

static inline void end(struct fixture *f)
{
    sh_keeper_close(&f->keeper);
    assert_null(f->keeper);
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[96];

    end(f);
    sh_workers_close(&f->writer);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    uv_sem_destroy(&f->gate);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): our own directory */
    free(f->loaded);
    free(f);
    return 0;
}

#define pump_until(f, condition)                                                         \
    do {                                                                                 \
        uint64_t until_ = sh_now_ms() + PATIENCE_MS;                                     \
        while (!(condition)) {                                                           \
            assert_true(sh_now_ms() < until_);                                           \
            uv_run(&(f)->loop, UV_RUN_ONCE);                                             \
        }                                                                                \
    } while (0)

static inline void save_one(struct fixture *f)
{
    int before = f->saves;

    sh_keeper_changed(f->keeper);
    sh_keeper_save_first(f->keeper);
    assert_true(sh_keeper_busy(f->keeper));
    pump_until(f, f->saves == before + 1);
}

static inline bool is_there(const struct fixture *f, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    return access(path, F_OK) == 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
