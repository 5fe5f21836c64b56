/* file_store: opening it, and its upkeep. */
#include "shared/file_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "file_store_internal.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { THREADS = 2, QUEUE = 4096, LIST_MOST = 1000 };

SH_SETTINGS_DEFINE(sh_file, "Files", SH_FILE_SETTINGS)

bool sh_file_hash_ok(struct sh_bytes text)
{
    const char *data = text.data;

    if (text.len != SH_FILE_HASH_TEXT - 1)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((data[i] < '0' || data[i] > '9') && (data[i] < 'a' || data[i] > 'f'))
            return false;
    return true;
}

bool file_key(const struct sh_file_store *store, const char *hash,
              char out[static SH_S3_KEY_MAX + 1])
{
    int len = snprintf(out, SH_S3_KEY_MAX + 1, "%s%s", store->prefix, hash);
    return len > 0 && len <= SH_S3_KEY_MAX;
}

enum sh_err file_s3_result(const struct sh_s3_reply *reply, const char *what)
{
    enum sh_err err = reply->err;

    if (err == SH_OK || err == SH_NOTFOUND || err == SH_CANCELED)
        return err;
    sh_error(NULL, "file store: S3 failed to %s: %s (HTTP %d %s%s)", what,
             sh_err_text(err), reply->status, reply->code, reply->why);
    return err == SH_NOMEM ? SH_NOMEM : SH_UNAVAILABLE;
}

/* --- opening
 * ---------------------------------------------------------------------------- */

static enum sh_err open_dir(struct sh_file_store *store, const char *path)
{
    int len = snprintf(store->root, sizeof(store->root), "%s", path);

    while (len > 1 && store->root[len - 1] == '/')
        store->root[--len] = '\0';
    if (len < 1 || (size_t)len + sizeof("/spool") > sizeof(store->spool)) {
        sh_error(NULL, "FILE_STORE names no directory that can be used: %s", path);
        return SH_INVALID;
    }
    memcpy(store->spool, store->root, (size_t)len);
    memcpy(store->spool + len, "/spool", sizeof("/spool"));
    return file_dir_make(store->spool);
}

static enum sh_err open_s3(struct sh_file_store *store,
                           const struct sh_file_config *config,
                           const struct sh_s3_config *s3)
{
    const char *spool = config->spool_dir;
    struct sh_s3_place place;

    if (!sh_s3_place_parse(config->store, &place)) {
        sh_error(NULL, "FILE_STORE is neither dir:PATH nor s3://BUCKET/PREFIX: %s",
                 config->store);
        return SH_INVALID;
    }
    if (spool[0] == '\0' && (spool = getenv("TMPDIR")) == NULL)
        spool = "/tmp";
    (void)snprintf(store->spool, sizeof(store->spool), "%s", spool);
    memcpy(store->prefix, place.prefix, sizeof(store->prefix));
    enum sh_err err = file_dir_make(store->spool);
    return err == SH_OK ? sh_s3_create(store->loop, s3, place.bucket, &store->s3) : err;
}

enum sh_err sh_file_store_open(uv_loop_t *loop, const struct sh_file_config *config,
                               const struct sh_s3_config *s3, struct sh_file_store **out)
{
    struct sh_file_store *store = sh_alloc(sizeof(*store));
    enum sh_err err;

    *out = NULL;
    if (store == NULL)
        return SH_NOMEM;
    store->loop = loop;
    if (strncmp(config->store, "dir:", 4) == 0)
        err = open_dir(store, config->store + 4);
    else
        err = open_s3(store, config, s3);
    if (err == SH_OK) /* once, and before there are loops to wait for it */
        file_dir_tidy(store);
    if (err == SH_OK)
        err = sh_workers_create(loop, "files", THREADS, QUEUE, &store->workers);
    if (err != SH_OK)
        sh_file_store_close(&store);
    *out = store;
    return err;
}

void sh_file_store_close(struct sh_file_store **store_p)
{
    struct sh_file_store *store = *store_p;

    if (store == NULL)
        return;
    struct sh_workers *workers = store->workers; /* who is told may ask for it still */
    *store_p = NULL;
    sh_s3_close(&store->s3);
    sh_workers_close(&workers);
    sh_free(store);
}

/* --- removing
 * --------------------------------------------------------------------------- */

struct removal {
    struct sh_work work;
    struct sh_file_store *store;
    char hash[SH_FILE_HASH_TEXT];
    enum sh_err err;
    sh_file_done_fn *done;
    void *arg;
};

static void end_removal(struct removal *removal, enum sh_err err)
{
    removal->done(removal->arg, err);
    sh_free(removal);
}

static void run_removal(struct sh_work *work)
{
    struct removal *removal = SH_CONTAINER_OF(work, struct removal, work);
    removal->err = file_dir_remove(removal->store, removal->hash);
}

static void on_removed(struct sh_work *work, enum sh_err err)
{
    struct removal *removal = SH_CONTAINER_OF(work, struct removal, work);
    end_removal(removal, err != SH_OK ? err : removal->err);
}

static void on_s3_removed(void *arg, const struct sh_s3_reply *reply)
{
    end_removal(arg, file_s3_result(reply, "remove a file"));
}

static enum sh_err start_removal(struct removal *removal)
{
    struct sh_file_store *store = removal->store;
    char key[SH_S3_KEY_MAX + 1];

    removal->work = (struct sh_work){.run = run_removal, .done = on_removed};
    if (store->s3 == NULL)
        return sh_workers_submit(store->workers, &removal->work);
    if (!file_key(store, removal->hash, key))
        return SH_INVALID;
    return sh_s3_delete(store->s3, key, on_s3_removed, removal, NULL);
}

enum sh_err sh_file_remove(struct sh_file_store *store, struct sh_bytes hash,
                           sh_file_done_fn *done, void *arg)
{
    if (!sh_file_hash_ok(hash))
        return SH_INVALID;
    struct removal *removal = sh_alloc(sizeof(*removal));
    if (removal == NULL)
        return SH_NOMEM;
    removal->store = store;
    removal->done = done;
    removal->arg = arg;
    memcpy(removal->hash, hash.data, hash.len);
    enum sh_err err = start_removal(removal);
    if (err != SH_OK)
        sh_free(removal);
    return err;
}

/* --- listing
 * ---------------------------------------------------------------------------- */

struct listing {
    struct sh_work work;
    struct sh_file_store *store;
    char after[SH_S3_KEY_MAX + 1]; /* in S3 a key */
    size_t most;
    struct sh_file_entry *entries;
    size_t count;
    enum sh_err err;
    sh_file_listed_fn *done;
    void *arg;
};

static enum sh_err list_s3(struct listing *listing);

static void free_listing(struct listing *listing)
{
    sh_free(listing->entries);
    sh_free(listing);
}

static void end_listing(struct listing *listing, enum sh_err err)
{
    listing->done(listing->arg, err, listing->entries, err == SH_OK ? listing->count : 0);
    free_listing(listing);
}

static void run_listing(struct sh_work *work)
{
    struct listing *listing = SH_CONTAINER_OF(work, struct listing, work);

    if (listing->after[0] == '\0')
        file_dir_tidy(listing->store);
    listing->err = file_dir_list(listing->store, listing->after, listing->most,
                                 listing->entries, &listing->count);
}

static void on_listing(struct sh_work *work, enum sh_err err)
{
    struct listing *listing = SH_CONTAINER_OF(work, struct listing, work);
    end_listing(listing, err != SH_OK ? err : listing->err);
}

/* What is no file of ours is passed over. */
static void take_object(struct listing *listing, const struct sh_s3_object *object)
{
    const char *hash = object->key + strlen(listing->store->prefix);
    struct sh_file_entry *entry = &listing->entries[listing->count];

    (void)snprintf(listing->after, sizeof(listing->after), "%s", object->key);
    if (listing->count == listing->most || !sh_file_hash_ok(sh_bytes_of(hash)))
        return;
    memcpy(entry->hash, hash, sizeof(entry->hash));
    entry->size = object->size;
    entry->modified = object->modified;
    listing->count++;
}

static void on_s3_listing(void *arg, const struct sh_s3_reply *reply)
{
    struct listing *listing = arg;
    enum sh_err err = file_s3_result(reply, "list files");

    for (size_t i = 0; err == SH_OK && i < reply->count; i++)
        take_object(listing, &reply->objects[i]);
    if (err == SH_OK && listing->count == 0 && reply->more && reply->count > 0) {
        err = list_s3(listing);
        if (err == SH_OK)
            return;
    }
    end_listing(listing, err);
}

static enum sh_err list_s3(struct listing *listing)
{
    struct sh_file_store *store = listing->store;
    const struct sh_s3_page page = {store->prefix, listing->after,
                                    (unsigned)listing->most};

    return sh_s3_list(store->s3, &page, on_s3_listing, listing, NULL);
}

static enum sh_err start_listing(struct listing *listing, const char *after)
{
    struct sh_file_store *store = listing->store;

    listing->work = (struct sh_work){.run = run_listing, .done = on_listing};
    (void)snprintf(listing->after, sizeof(listing->after), "%s%s",
                   after[0] != '\0' ? store->prefix : "", after);
    if (store->s3 == NULL)
        return sh_workers_submit(store->workers, &listing->work);
    return list_s3(listing);
}

enum sh_err sh_file_list(struct sh_file_store *store, const char *after, size_t most,
                         sh_file_listed_fn *done, void *arg)
{
    if (after[0] != '\0' && !sh_file_hash_ok(sh_bytes_of(after)))
        return SH_INVALID;
    struct listing *listing = sh_alloc(sizeof(*listing));
    if (listing == NULL)
        return SH_NOMEM;
    listing->store = store;
    listing->most = most > 0 && most < LIST_MOST ? most : LIST_MOST;
    listing->done = done;
    listing->arg = arg;
    listing->entries = sh_alloc_array(listing->most, sizeof(*listing->entries));
    enum sh_err err = listing->entries != NULL ? start_listing(listing, after) : SH_NOMEM;
    if (err != SH_OK)
        free_listing(listing);
    return err;
}
