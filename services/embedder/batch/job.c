#include "services/embedder/batch/job.h"

#include <openssl/evp.h>

#include "shared/buffer.h"
#include "shared/mem.h"

enum sh_err job_key(const char *fingerprint, bool refuse_long, const char *prefix,
                    struct sh_bytes text, uint8_t key[LRU_KEY_BYTES])
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    uint8_t digest[EVP_MAX_MD_SIZE];
    bool ok = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(hash, fingerprint, strlen(fingerprint)) == 1 &&
              EVP_DigestUpdate(hash, refuse_long ? "!" : ".", 1) == 1 &&
              EVP_DigestUpdate(hash, prefix, strlen(prefix)) == 1 &&
              EVP_DigestUpdate(hash, text.data, text.len) == 1 &&
              EVP_DigestFinal_ex(hash, digest, NULL) == 1;
    EVP_MD_CTX_free(hash);
    if (ok)
        memcpy(key, digest, LRU_KEY_BYTES);
    return ok ? SH_OK : SH_NOMEM;
}

struct job *job_create(const uint8_t key[LRU_KEY_BYTES], const char *prefix,
                       struct sh_bytes text)
{
    size_t prefix_len = strlen(prefix);
    struct job *job = sh_alloc(sizeof(*job));
    struct sh_buffer copy = {0};
    sh_buffer_append(&copy, prefix, prefix_len);
    sh_buffer_append(&copy, text.data, text.len);
    if (!job || copy.err != SH_OK) {
        sh_free(job);
        sh_buffer_free(&copy);
        return NULL;
    }
    memcpy(job->key, key, LRU_KEY_BYTES);
    job->text = copy.data; /* sh_free() releases it */
    /* an empty text is empty, whatever the prefix */
    job->len = text.len > 0 ? prefix_len + text.len : 0;
    return job;
}

void job_free(struct job *job)
{
    while (job->waiters) {
        struct waiter *waiter = job->waiters;
        job->waiters = waiter->next;
        sh_free(waiter);
    }
    sh_free(job->text);
    sh_free(job);
}

void job_queue_push(struct job_queue *queue, struct job *job)
{
    job->next = NULL;
    job->prev = queue->last;
    *(queue->last ? &queue->last->next : &queue->first) = job;
    queue->last = job;
    queue->count++;
}

void job_queue_remove(struct job_queue *queue, struct job *job)
{
    *(job->prev ? &job->prev->next : &queue->first) = job->next;
    *(job->next ? &job->next->prev : &queue->last) = job->prev;
    job->next = NULL;
    job->prev = NULL;
    queue->count--;
}

static size_t bucket_of(const uint8_t *key)
{
    return (size_t)(key[0] | key[1] << 8) % JOB_BUCKETS;
}

struct job *job_find(const struct job_table *table, const uint8_t key[LRU_KEY_BYTES])
{
    struct job *job = table->buckets[bucket_of(key)];
    while (job && memcmp(job->key, key, LRU_KEY_BYTES) != 0)
        job = job->bucket_next;
    return job;
}

void job_add(struct job_table *table, struct job *job)
{
    struct job **bucket = &table->buckets[bucket_of(job->key)];
    job->bucket_next = *bucket;
    *bucket = job;
}

void job_remove(struct job_table *table, struct job *job)
{
    struct job **at = &table->buckets[bucket_of(job->key)];
    while (*at && *at != job)
        at = &(*at)->bucket_next;
    if (*at)
        *at = job->bucket_next;
}
