#include "services/gateway/limits/crowd.h"

#include <pthread.h>
#include <uv.h>
#include <xxhash.h>

#include "shared/mem.h"

enum { STRIPES = 32, HEADS = 64 };

struct member {
    struct member *next;
    uint32_t count;
    char subject[ADDRESS_TEXT];
};

struct stripe {
    pthread_mutex_t lock;
    struct member *heads[HEADS];
};

struct crowd {
    struct crowd_options options;
    uint64_t seed;
    struct stripe stripes[STRIPES];
};

/* False: this one is not counted. */
static bool subject_of(const struct crowd *self, const char *peer,
                       char subject[static ADDRESS_TEXT])
{
    struct address address;

    if (self->options.most == 0 || !address_read(sh_bytes_of(peer), &address) ||
        networks_hold(self->options.trusted, &address) ||
        (!self->options.loopback && address_is_loopback(&address)))
        return false;
    address_write_subject(&address, subject);
    return true;
}

/* Where the member is linked, or would be. */
static struct member **find(struct stripe *stripe, uint64_t hash, const char *subject)
{
    struct member **at = &stripe->heads[hash / STRIPES % HEADS];

    while (*at != NULL && strcmp((*at)->subject, subject) != 0)
        at = &(*at)->next;
    return at;
}

static struct member *add(struct member **at, const char *subject)
{
    struct member *member = sh_alloc(sizeof *member);

    if (member == NULL)
        return NULL;
    memcpy(member->subject, subject, strlen(subject)); /* zeroed, and as long */
    *at = member;
    return member;
}

bool crowd_admit(void *arg, const char *peer)
{
    struct crowd *self = arg;
    char subject[ADDRESS_TEXT];

    if (!subject_of(self, peer, subject))
        return true;
    uint64_t hash = XXH3_64bits_withSeed(subject, strlen(subject), self->seed);
    struct stripe *stripe = &self->stripes[hash % STRIPES];
    pthread_mutex_lock(&stripe->lock);
    struct member **at = find(stripe, hash, subject);
    struct member *member = *at != NULL ? *at : add(at, subject);
    bool room = member == NULL || member->count < self->options.most;
    if (member != NULL && room)
        member->count++;
    pthread_mutex_unlock(&stripe->lock);
    return room;
}

void crowd_left(void *arg, const char *peer)
{
    struct crowd *self = arg;
    char subject[ADDRESS_TEXT];

    if (!subject_of(self, peer, subject))
        return;
    uint64_t hash = XXH3_64bits_withSeed(subject, strlen(subject), self->seed);
    struct stripe *stripe = &self->stripes[hash % STRIPES];
    pthread_mutex_lock(&stripe->lock);
    struct member **at = find(stripe, hash, subject);
    struct member *member = *at;
    if (member != NULL && --member->count == 0) {
        *at = member->next;
        sh_free(member);
    }
    pthread_mutex_unlock(&stripe->lock);
}

enum sh_err crowd_create(const struct crowd_options *options, struct crowd **out)
{
    struct crowd *self = sh_alloc(sizeof *self);
    if (self == NULL)
        return SH_NOMEM;
    if (uv_random(NULL, NULL, &self->seed, sizeof self->seed, 0, NULL) != 0) {
        sh_free(self);
        return SH_IO;
    }
    self->options = *options;
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_init(&self->stripes[i].lock, NULL); /* cannot fail */
    *out = self;
    return SH_OK;
}

static void free_list(struct member *member)
{
    while (member != NULL) {
        struct member *next = member->next;
        sh_free(member);
        member = next;
    }
}

void crowd_free(struct crowd **self_p)
{
    struct crowd *self = *self_p;

    if (self == NULL)
        return;
    *self_p = NULL;
    for (size_t i = 0; i < STRIPES; i++) {
        for (size_t j = 0; j < HEADS; j++)
            free_list(self->stripes[i].heads[j]);
        pthread_mutex_destroy(&self->stripes[i].lock);
    }
    sh_free(self);
}
