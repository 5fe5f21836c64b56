#include "services/search/text/language.h"

#include <ctype.h>
#include <pthread.h>

enum { NAMES = 4, NAME_MOST = 16 };

/* clang-format off */
static const char *const languages[LANGUAGE_COUNT][NAMES] = {
    {"english", "en", "eng"},
    {"none"},
    {"arabic", "ar", "ara"},
    {"armenian", "hy", "hye", "arm"},
    {"basque", "eu", "eus", "baq"},
    {"catalan", "ca", "cat"},
    {"danish", "da", "dan"},
    {"dutch", "nl", "nld", "dut"},
    {"finnish", "fi", "fin"},
    {"french", "fr", "fra", "fre"},
    {"german", "de", "deu", "ger"},
    {"greek", "el", "ell", "gre"},
    {"hindi", "hi", "hin"},
    {"hungarian", "hu", "hun"},
    {"indonesian", "id", "ind"},
    {"irish", "ga", "gle"},
    {"italian", "it", "ita"},
    {"lithuanian", "lt", "lit"},
    {"nepali", "ne", "nep"},
    {"norwegian", "no", "nor", "nb"},
    {"portuguese", "pt", "por"},
    {"romanian", "ro", "ron", "rum"},
    {"russian", "ru", "rus"},
    {"serbian", "sr", "srp"},
    {"spanish", "es", "spa"},
    {"swedish", "sv", "swe"},
    {"tamil", "ta", "tam"},
    {"turkish", "tr", "tur"},
};
/* clang-format on */

static bool is_named(unsigned language, struct sh_bytes name)
{
    for (int i = 0; i < NAMES; i++) {
        if (languages[language][i] && sh_bytes_is(name, languages[language][i]))
            return true;
    }
    return false;
}

unsigned language_of(struct sh_bytes name)
{
    char lower[NAME_MOST];
    const char *from = name.data;
    size_t len = 0;
    while (len < name.len && len < NAME_MOST && from[len] != '-' && from[len] != '_') {
        lower[len] = (char)tolower((unsigned char)from[len]);
        len++;
    }
    if (len == 0)
        return LANGUAGE_ENGLISH;
    for (unsigned i = 0; i < LANGUAGE_COUNT; i++) {
        if (is_named(i, (struct sh_bytes){lower, len}))
            return i;
    }
    return LANGUAGE_NONE;
}

const char *language_name(unsigned language)
{
    return languages[language][0];
}

/* --- analyzers, which go on to the next who needs one ----------------------------- */

enum { SPARE_MOST = 32 }; /* of a language; more than searches at a time */

static struct {
    struct analyzer *items[SPARE_MOST];
    size_t count;
} spare[LANGUAGE_COUNT];
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;

/* The one used last: what it knows is most likely in the caches. */
static struct analyzer *take_spare(unsigned language)
{
    struct analyzer *found = NULL;
    pthread_mutex_lock(&spare_lock);
    if (spare[language].count > 0)
        found = spare[language].items[--spare[language].count];
    pthread_mutex_unlock(&spare_lock);
    return found;
}

enum sh_err language_analyzer(struct analyzer **analyzers, unsigned language)
{
    if (!analyzers[language])
        analyzers[language] = take_spare(language);
    if (analyzers[language])
        return SH_OK;
    enum sh_err err = analyzer_create(language_name(language), &analyzers[language]);
    /* a build of the stemmers without this one */
    if (err == SH_INVALID)
        err = analyzer_create(language_name(LANGUAGE_NONE), &analyzers[language]);
    return err;
}

static void give_back(struct analyzer **analyzer, unsigned language)
{
    pthread_mutex_lock(&spare_lock);
    if (*analyzer && spare[language].count < SPARE_MOST) {
        spare[language].items[spare[language].count++] = *analyzer;
        *analyzer = NULL;
    }
    pthread_mutex_unlock(&spare_lock);
    analyzer_free(analyzer);
}

void language_analyzers_free(struct analyzer **analyzers)
{
    for (unsigned i = 0; i < LANGUAGE_COUNT; i++) {
        if (analyzers[i])
            give_back(&analyzers[i], i);
    }
}
