#include "services/search/view/view_internal.h"

static bool find_text(const struct metadata *values, const char *key,
                      struct sh_bytes *text)
{
    uint32_t hash = metadata_hash(sh_bytes_of(key));
    for (size_t i = 0; values && i < values->count; i++) {
        const struct metadata_value *value = &values->values[i];
        if (value->hash == hash && value->type == METADATA_TEXT &&
            sh_bytes_is(value->key, key)) {
            *text = value->text;
            return true;
        }
    }
    return false;
}

unsigned language_in(const struct metadata *values)
{
    struct sh_bytes name = {0};
    if (!find_text(values, "language", &name))
        (void)find_text(values, "lang", &name);
    return language_of(name);
}

static unsigned most_of(const size_t *counts)
{
    unsigned most = 0;
    for (unsigned i = 1; i < LANGUAGE_COUNT; i++) {
        if (counts[i] > counts[most])
            most = i;
    }
    return most;
}

enum sh_err languages_of(const struct view *view, struct analyzer **analyzers)
{
    size_t counts[LANGUAGE_COUNT];
    enum sh_err err = SH_OK;
    pthread_rwlock_rdlock(view->lock);
    memcpy(counts, view->languages, sizeof(counts));
    pthread_rwlock_unlock(view->lock);
    /* the first is there in any case: for the highlights of an answer without text leg */
    for (int i = 0; err == SH_OK && i < TEXT_LANGUAGES; i++) {
        unsigned language = most_of(counts);
        if (i > 0 && counts[language] == 0)
            break;
        counts[language] = 0;
        err = language_analyzer(analyzers, language);
    }
    return err;
}
