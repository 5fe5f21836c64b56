#include "services/backup/run/jobs.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/manifest/sets.h"
#include "services/backup/place/place.h"
#include "services/backup/retain/prune.h"
#include "services/backup/run/create.h"
#include "services/backup/run/root.h"
#include "services/backup/schedule/cron.h"
#include "services/backup/verify/verify.h"
#include "shared/clock.h"

enum { TIMES_MAX = 100 };

/* --- create ----------------------------------------------------------------------- */

/* Another replica, or a person, was faster. */
static enum sh_err already_there(struct work *work, const struct job_order *order,
                                 bool *there)
{
    double slot = order->slot ? strtod(order->slot, NULL) : 0;
    struct sets sets;
    enum sh_err err = SH_OK;

    *there = false;
    if (slot <= 0)
        return SH_OK;
    err = sets_read(work->all->backup.directory, &sets);
    for (size_t i = 0; err == SH_OK && i < sets.count; i++)
        *there = *there || (sh_bytes_is(sets.list[i].kind, order->kind) &&
                            sets.list[i].created_at >= slot);
    sets_free(&sets);
    return err;
}

static enum sh_err prove(struct work *work, const char *id, const char *how,
                         json_t **result)
{
    bool closed = work->all->backup.public_key[0] != '\0' &&
                  work->all->backup.private_key[0] == '\0';

    if (strcmp(how, "drill") == 0 && !closed)
        return drill_set(work, id, "", result);
    return verify_set(work, id, result); /* of what cannot be opened: its checksums */
}

static bool proof_known(const char *how)
{
    return strcmp(how, "none") == 0 || strcmp(how, "verify") == 0 ||
           strcmp(how, "drill") == 0;
}

static json_t *told_of(const json_t *manifest)
{
    json_t *told = json_object();
    static const char *const members[] = {"id",         "kind",        "label",
                                          "created_at", "finished_at", "duration_seconds",
                                          "size_bytes", "sha256",      "originals"};

    for (size_t i = 0; i < SH_COUNT(members); i++)
        if (json_object_get(manifest, members[i]) != NULL)
            json_object_set(told, members[i], json_object_get(manifest, members[i]));
    return told;
}

static enum sh_err prove_and_copy(struct work *work, const char *id, const char *how,
                                  json_t *result)
{
    json_t *proof = NULL;
    json_t *copies = NULL;
    enum sh_err err = SH_OK;

    if (strcmp(how, "none") != 0)
        err = prove(work, id, how, &proof);
    if (proof != NULL) {
        json_object_set(result, "ok", json_object_get(proof, "ok"));
        json_object_set_new(result, "proof", proof);
    }
    if (err == SH_OK && work->all->backup.places[0] != '\0')
        err = place_copy(work, id, &copies);
    if (copies != NULL)
        json_object_set_new(result, "copies", copies);
    return err;
}

enum sh_err job_create(struct work *work, const struct job_order *order, json_t **result)
{
    const char *how = order->proof[0] ? order->proof : work->all->backup.proof;
    struct create_order create = {
        .kind = order->kind, .label = order->label, .by = order->by};
    json_t *manifest = NULL;
    bool there = false;
    enum sh_err err = SH_OK;

    if (!proof_known(how))
        return work_fail(work, SH_INVALID, "--verify is none, verify or drill");
    if (strlen(order->label) > 256)
        return work_fail(work, SH_INVALID, "the label is too long");
    err = already_there(work, order, &there);
    if (err == SH_OK && there) {
        *result = json_pack("{s:b}", "already_there", 1);
        return SH_OK;
    }
    if (err == SH_OK)
        err = create_set(work, &create, &manifest);
    if (err == SH_OK) {
        const char *id = json_string_value(json_object_get(manifest, "id"));
        *result = told_of(manifest);
        err = prove_and_copy(work, id, how, *result);
    }
    json_decref(manifest);
    return err;
}

/* --- looking ---------------------------------------------------------------------- */

enum sh_err job_list_sets(struct work *work, const struct job_order *order,
                          json_t **result)
{
    struct sets sets;
    enum sh_err err = sets_read(work->all->backup.directory, &sets);

    (void)order;
    *result = json_array();
    for (size_t i = 0; err == SH_OK && i < sets.count; i++) {
        const struct backup_set *set = &sets.list[i];
        char when[32];
        sh_wall_text(set->created_at, when);
        json_array_append_new(
            *result,
            json_pack("{s:s, s:s, s:s%, s:s, s:I, s:b, s:s}", "id",
                      (const char *)set->id.data, "kind", (const char *)set->kind.data,
                      "label", set->label.len ? (const char *)set->label.data : "",
                      set->label.len, "created_at", when, "size_bytes",
                      (json_int_t)set->size_bytes, "verified", (int)set->verified,
                      "proven", set->proven.len ? (const char *)set->proven.data : ""));
    }
    sets_free(&sets);
    return err;
}

enum sh_err job_show(struct work *work, const struct job_order *order, json_t **result)
{
    int fd = -1;
    enum sh_err err = root_manifest(work, order->id, &fd, result);

    if (fd >= 0)
        (void)close(fd);
    return err;
}

enum sh_err job_verify(struct work *work, const struct job_order *order, json_t **result)
{
    return verify_set(work, order->id, result);
}

enum sh_err job_drill(struct work *work, const struct job_order *order, json_t **result)
{
    return drill_set(work, order->id, order->until, result);
}

/* --- removing, copying ------------------------------------------------------------ */

enum sh_err job_prune(struct work *work, const struct job_order *order, json_t **result)
{
    return prune_sets(work, order->dry, result);
}

enum sh_err job_delete(struct work *work, const struct job_order *order, json_t **result)
{
    json_t *removed = json_pack("{s:s}", "removed", order->id);
    enum sh_err err =
        removed ? prune_one(work, order->id, order->force, removed) : SH_NOMEM;

    if (err != SH_OK) {
        json_decref(removed);
        removed = NULL;
    }
    *result = removed;
    return err;
}

enum sh_err job_copy(struct work *work, const struct job_order *order, json_t **result)
{
    return place_copy(work, order->id, result);
}

enum sh_err job_fetch(struct work *work, const struct job_order *order, json_t **result)
{
    if (order->from == NULL)
        return work_fail(work, SH_INVALID, "--from: s3://BUCKET/PREFIX or a directory");
    return place_fetch(work, order->id, order->from, result);
}

/* --- schedule, keys --------------------------------------------------------------- */

enum sh_err job_schedule(struct work *work, const struct job_order *order,
                         json_t **result)
{
    const char *text = work->all->backup.schedule;
    unsigned long count = order->next ? strtoul(order->next, NULL, 10) : 1;
    time_t at = (time_t)sh_wall_time();
    char fault[128] = "";
    struct cron cron;
    json_t *next = json_array();

    *result = json_pack("{s:s, s:o}", "schedule", text, "next", next);
    if (text[0] == '\0')
        return SH_OK;
    if (cron_parse(text, &cron, fault) != SH_OK)
        return work_fail(work, SH_INVALID, "BACKUP_SCHEDULE: %s", fault);
    for (unsigned long i = 0; i < count && i < TIMES_MAX && at != 0; i++) {
        char when[32];
        at = cron_next(&cron, at);
        sh_wall_text((double)at, when);
        if (at != 0)
            json_array_append_new(next, json_string(when));
    }
    return SH_OK;
}

enum sh_err job_keys(struct work *work, const struct job_order *order, json_t **result)
{
    unsigned char public_key[32], secret[32], seed[32];
    char texts[3][65];

    (void)work;
    (void)order;
    (void)crypto_box_keypair(public_key, secret); /* cannot fail */
    randombytes_buf(seed, sizeof(seed));
    *result = json_pack("{s:s, s:s, s:s}", "BACKUP_PUBLIC_KEY",
                        sodium_bin2hex(texts[0], 65, public_key, 32),
                        "BACKUP_PRIVATE_KEY", sodium_bin2hex(texts[1], 65, secret, 32),
                        "BACKUP_SIGNING_KEY", sodium_bin2hex(texts[2], 65, seed, 32));
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(texts, sizeof(texts));
    return *result ? SH_OK : SH_NOMEM;
}
