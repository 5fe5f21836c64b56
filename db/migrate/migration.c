#include "migration.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/mem.h"

static enum sh_err complain(const char *what)
{
    enum sh_err err = sh_err_from_errno(errno);

    perror(what);
    return err;
}

enum sh_err migration_text(const char *path, struct sh_buffer *out)
{
    FILE *file = fopen(path, "re");
    enum sh_err err = SH_OK;
    size_t got;

    if (!file)
        return complain(path);
    do {
        char *room = sh_buffer_reserve(out, 16384);
        got = room ? fread(room, 1, 16384, file) : 0;
        out->len += got;
    } while (got > 0);
    if (ferror(file))
        err = complain(path);
    (void)fclose(file); /* only read */
    sh_buffer_append(out, "", 1);
    return err == SH_OK ? out->err : err;
}

static enum sh_err checksum(const char *path, char out[static 65])
{
    struct sh_buffer text = {0};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    enum sh_err err = migration_text(path, &text);

    if (err == SH_OK &&
        !EVP_Digest(text.data, text.len - 1, digest, &len, EVP_sha256(), NULL))
        err = SH_INTERNAL;
    for (unsigned i = 0; err == SH_OK && i < len; i++)
        (void)snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
    sh_buffer_free(&text);
    return err;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* "0001_documents.sql" gives 1 and "documents"; false for anything else. */
static bool parse_name(const char *file, unsigned *version, char name[static 128])
{
    const char *suffix = ends_with(file, ".down.sql") ? ".down.sql" : ".sql";
    char *end;
    unsigned long number = strtoul(file, &end, 10);
    size_t len = strlen(end);

    if (end - file < 4 || strspn(file, "0123456789") < 4 || number > 999999 ||
        *end != '_' || !ends_with(file, ".sql"))
        return false;
    len -= strlen(suffix) + 1;
    if (len == 0 || len >= 128)
        return false;
    memcpy(name, end + 1, len);
    name[len] = '\0';
    *version = (unsigned)number;
    return true;
}

static struct migration *slot(struct migrations *list, unsigned version)
{
    struct migration *grown;

    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].version == version)
            return &list->items[i];
    }
    grown = sh_realloc(list->items, (list->count + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    list->items = grown;
    grown += list->count++;
    *grown = (struct migration){.version = version};
    return grown;
}

static enum sh_err add(struct migrations *list, const char *folder, const char *file)
{
    struct sh_buffer path = {0};
    struct migration *item;
    unsigned version;
    char name[128];
    char **place;

    if (!parse_name(file, &version, name))
        return SH_OK;
    item = slot(list, version);
    sh_buffer_printf(&path, "%s/%s", folder, file);
    sh_buffer_append(&path, "", 1);
    if (!item || path.err != SH_OK) {
        sh_buffer_free(&path);
        return SH_NOMEM;
    }
    place = ends_with(file, ".down.sql") ? &item->down_path : &item->path;
    if (*place || (*item->name && strcmp(item->name, name) != 0)) {
        (void)fprintf(stderr, "%s: another file has number %04u\n", path.data, version);
        sh_buffer_free(&path);
        return SH_INVALID;
    }
    *place = path.data;
    memcpy(item->name, name, sizeof(name));
    return place == &item->path ? checksum(path.data, item->sha256) : SH_OK;
}

static int by_version(const void *a, const void *b)
{
    const struct migration *left = a;
    const struct migration *right = b;

    return (left->version > right->version) - (left->version < right->version);
}

enum sh_err migrations_read(const char *folder, struct migrations *out)
{
    DIR *dir = opendir(folder);
    enum sh_err err = SH_OK;

    *out = (struct migrations){0};
    if (!dir)
        return complain(folder);
    for (struct dirent *entry = readdir(dir); entry && err == SH_OK; entry = readdir(dir))
        err = add(out, folder, entry->d_name);
    (void)closedir(dir); /* only read */
    for (size_t i = 0; i < out->count && err == SH_OK; i++) {
        if (!out->items[i].path) {
            (void)fprintf(stderr, "%s has no way up\n", out->items[i].down_path);
            err = SH_INVALID;
        }
    }
    if (out->count > 0)
        qsort(out->items, out->count, sizeof(*out->items), by_version);
    return err;
}

void migrations_free(struct migrations *migrations)
{
    for (size_t i = 0; i < migrations->count; i++) {
        sh_free(migrations->items[i].path);
        sh_free(migrations->items[i].down_path);
    }
    sh_free(migrations->items);
    *migrations = (struct migrations){0};
}

const struct migration *migrations_find(const struct migrations *migrations,
                                        unsigned version)
{
    for (size_t i = 0; i < migrations->count; i++) {
        if (migrations->items[i].version == version)
            return &migrations->items[i];
    }
    return NULL;
}
