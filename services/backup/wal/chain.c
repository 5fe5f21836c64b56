#include "services/backup/wal/chain.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/mem.h"

enum { LIST_FIRST = 256, HISTORY_NAME = 16 };

static const char record_end[] = ".json";

/* --- listing ---------------------------------------------------------------------- */

/* "NAME.json" with its first piece beside it. */
static bool has_record(int store, const char *entry, char name[static STORE_NAME])
{
    size_t len = strlen(entry);
    size_t end = sizeof(record_end) - 1;
    char part[STORE_NAME + 8];
    struct stat st;

    if (len <= end || len - end >= STORE_NAME ||
        strcmp(entry + len - end, record_end) != 0)
        return false;
    (void)snprintf(name, STORE_NAME, "%.*s", (int)(len - end), entry);
    (void)snprintf(part, sizeof(part), "%s.000", name);
    return fstatat(store, part, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static enum sh_err add(struct chain *chain, struct segment segment, size_t *room)
{
    if (chain->count == *room) {
        size_t more = *room ? *room * 2 : LIST_FIRST;
        struct segment *list = sh_alloc_array(more, sizeof(*list));
        if (list == NULL)
            return SH_NOMEM;
        if (chain->count > 0)
            memcpy(list, chain->list, chain->count * sizeof(*list));
        sh_free(chain->list);
        chain->list = list;
        *room = more;
    }
    chain->list[chain->count++] = segment;
    return SH_OK;
}

static int by_number(const void *a, const void *b)
{
    const struct segment *one = a;
    const struct segment *other = b;

    if (one->number != other->number)
        return one->number < other->number ? -1 : 1;
    return (one->timeline > other->timeline) - (one->timeline < other->timeline);
}

static enum sh_err list_whole(struct chain *chain)
{
    int fd = openat(chain->store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    struct segment segment;
    char name[STORE_NAME];
    size_t room = 0;
    enum sh_err err = SH_OK;

    if (directory == NULL && fd >= 0)
        (void)close(fd);
    if (directory == NULL)
        return work_fail(chain->work, SH_IO, "the stored log cannot be listed");
    while (err == SH_OK && (entry = readdir(directory)) != NULL)
        if (has_record(chain->store, entry->d_name, name) &&
            segment_parse(name, chain->size, &segment) &&
            segment.number >= chain->from.number &&
            segment.timeline >= chain->from.timeline)
            err = add(chain, segment, &room);
    (void)closedir(directory);
    if (chain->count > 0)
        qsort(chain->list, chain->count, sizeof(*chain->list), by_number);
    return err;
}

/* --- judging ---------------------------------------------------------------------- */

static void miss(struct chain *chain, uint64_t from, uint64_t before, uint32_t timeline)
{
    if (before <= from)
        return;
    if (chain->missing == 0)
        segment_name((struct segment){timeline, from}, chain->size, chain->first_missing);
    chain->missing += before - from;
}

static void judge(struct chain *chain)
{
    uint64_t next = chain->from.number;
    uint32_t timeline = chain->from.timeline;

    for (size_t i = 0; i < chain->count; i++) {
        miss(chain, next, chain->list[i].number, timeline);
        next = chain->list[i].number + 1;
        timeline = chain->list[i].timeline;
        if (chain->missing == 0)
            chain->through = next * chain->size;
    }
    if (chain->partial[0] != '\0' && chain->partial_is.number < next)
        chain->partial[0] = '\0'; /* a whole one is there, or it is of another chain */
    if (chain->partial[0] != '\0')
        miss(chain, next, chain->partial_is.number, timeline);
    if (chain->missing > 0)
        chain->partial[0] = '\0';
}

/* The partial one that reaches farthest; one that is damaged is none. */
static void find_partial(struct chain *chain, uint64_t *through, double *at)
{
    for (unsigned i = 0; i < STORE_PARTIALS; i++) {
        struct work quiet = *chain->work;
        struct segment segment;
        uint64_t lsn;
        json_t *record = NULL;
        if (store_record(&quiet, chain->store, store_partial(i), &record) != SH_OK)
            continue;
        const char *name = json_string_value(json_object_get(record, "segment"));
        if (name != NULL && segment_parse(name, chain->size, &segment) &&
            segment.number >= chain->from.number &&
            segment.timeline >= chain->from.timeline &&
            lsn_parse(json_string_value(json_object_get(record, "through")), &lsn) &&
            lsn >= *through && store_check(&quiet, chain->store, record) == SH_OK) {
            (void)snprintf(chain->partial, sizeof(chain->partial), "%s",
                           store_partial(i));
            chain->partial_is = segment;
            *through = lsn;
            *at = json_number_value(json_object_get(record, "at"));
        }
        json_decref(record);
    }
}

static double time_of(const struct chain *chain, struct segment segment)
{
    struct work quiet = *chain->work;
    char name[SEGMENT_NAME];
    json_t *record = NULL;
    double at = 0;

    segment_name(segment, chain->size, name);
    if (store_record(&quiet, chain->store, name, &record) == SH_OK)
        at = json_number_value(json_object_get(record, "at"));
    json_decref(record);
    return at;
}

enum sh_err chain_read(struct work *work, const char *system, uint64_t size,
                       struct segment from, struct chain *chain)
{
    uint64_t through = 0;
    double at = 0;
    enum sh_err err;

    *chain = (struct chain){.work = work, .store = -1, .size = size, .from = from};
    struct work quiet = *work;
    err = store_open(&quiet, system, false, &chain->store);
    if (err == SH_NOTFOUND)
        return SH_OK;
    if (err != SH_OK)
        return work_fail(work, err, "%s", quiet.error);
    err = list_whole(chain);
    if (err != SH_OK)
        return err;
    find_partial(chain, &through, &at);
    judge(chain);
    for (size_t i = 0; i < chain->count && chain->partial[0] == '\0'; i++)
        if ((chain->list[i].number + 1) * chain->size == chain->through)
            chain->at = time_of(chain, chain->list[i]);
    if (chain->partial[0] != '\0') {
        chain->through = through;
        chain->at = at;
    }
    return SH_OK;
}

enum sh_err chain_of_set(struct work *work, const json_t *manifest, struct chain *chain)
{
    const json_t *about = json_object_get(manifest, "database");
    const char *system = json_string_value(json_object_get(about, "system_identifier"));
    const char *bytes = json_string_value(json_object_get(about, "wal_segment_bytes"));
    json_int_t timeline = json_integer_value(json_object_get(about, "timeline"));
    uint64_t size = bytes != NULL ? strtoull(bytes, NULL, 10) : 0;
    uint64_t end;

    *chain = (struct chain){.work = work, .store = -1};
    if (system == NULL || size == 0 || !segment_size_ok(size) || timeline <= 0 ||
        timeline > UINT32_MAX ||
        !lsn_parse(json_string_value(json_object_get(about, "wal_end")), &end) ||
        end == 0)
        return work_fail(work, SH_MALFORMED,
                         "the manifest does not say which log belongs to the set");
    /* the one in which the set ends is in the set, and whole: the server began another */
    return chain_read(work, system, size,
                      (struct segment){(uint32_t)timeline, (end - 1) / size + 1}, chain);
}

void chain_close(struct chain *chain)
{
    if (chain->store >= 0)
        (void)close(chain->store);
    sh_free(chain->list);
    *chain = (struct chain){.store = -1};
}

/* --- its pieces ------------------------------------------------------------------- */

static enum sh_err one(const struct chain *chain, const char *name, chain_each_fn *each,
                       void *arg)
{
    json_t *record = NULL;
    enum sh_err err = store_record(chain->work, chain->store, name, &record);
    const char *segment = json_string_value(json_object_get(record, "segment"));

    if (err == SH_OK && segment == NULL)
        err = work_fail(chain->work, SH_MALFORMED, "the log's %.64s has no name", name);
    if (err == SH_OK)
        err = each(arg, segment, record);
    json_decref(record);
    return err;
}

enum sh_err chain_each(const struct chain *chain, chain_each_fn *each, void *arg)
{
    char name[SEGMENT_NAME];
    enum sh_err err = SH_OK;

    for (size_t i = 0; i < chain->count && err == SH_OK; i++) {
        if (chain->list[i].number * chain->size >= chain->through)
            break; /* behind what is missing */
        segment_name(chain->list[i], chain->size, name);
        err = one(chain, name, each, arg);
    }
    if (err == SH_OK && chain->partial[0] != '\0')
        err = one(chain, chain->partial, each, arg);
    return err;
}

enum sh_err chain_histories(const struct chain *chain, chain_each_fn *each, void *arg)
{
    int fd = chain->store >= 0
                 ? openat(chain->store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                 : -1;
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    char name[STORE_NAME];
    enum sh_err err = SH_OK;

    while (directory != NULL && err == SH_OK && (entry = readdir(directory)) != NULL)
        if (has_record(chain->store, entry->d_name, name) &&
            strlen(name) == HISTORY_NAME && strcmp(name + 8, ".history") == 0)
            err = one(chain, name, each, arg);
    if (directory != NULL)
        (void)closedir(directory);
    else if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum sh_err check_one(void *arg, const char *segment, const json_t *record)
{
    const struct chain *chain = arg;
    enum sh_err err = store_check(chain->work, chain->store, record);

    (void)segment;
    return err;
}

enum sh_err chain_check(const struct chain *chain)
{
    struct chain copy = *chain;

    return chain_each(chain, check_one, &copy);
}
