#include "cli/wordnet/synset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/bytes.h"

static const char *const domains[] = {
    "adj.all",          "adj.pert",           "adv.all",
    "noun.Tops",        "noun.act",           "noun.animal",
    "noun.artifact",    "noun.attribute",     "noun.body",
    "noun.cognition",   "noun.communication", "noun.event",
    "noun.feeling",     "noun.food",          "noun.group",
    "noun.location",    "noun.motive",        "noun.object",
    "noun.person",      "noun.phenomenon",    "noun.plant",
    "noun.possession",  "noun.process",       "noun.quantity",
    "noun.relation",    "noun.shape",         "noun.state",
    "noun.substance",   "noun.time",          "verb.body",
    "verb.change",      "verb.cognition",     "verb.communication",
    "verb.competition", "verb.consumption",   "verb.contact",
    "verb.creation",    "verb.emotion",       "verb.motion",
    "verb.perception",  "verb.possession",    "verb.social",
    "verb.stative",     "verb.weather",       "adj.ppl"};

static const char *const pointers[][2] = {{"!", "ANTONYM"},
                                          {"@", "HYPERNYM"},
                                          {"@i", "INSTANCE_HYPERNYM"},
                                          {"~", "HYPONYM"},
                                          {"~i", "INSTANCE_HYPONYM"},
                                          {"#m", "MEMBER_HOLONYM"},
                                          {"#s", "SUBSTANCE_HOLONYM"},
                                          {"#p", "PART_HOLONYM"},
                                          {"%m", "MEMBER_MERONYM"},
                                          {"%s", "SUBSTANCE_MERONYM"},
                                          {"%p", "PART_MERONYM"},
                                          {"=", "ATTRIBUTE"},
                                          {"+", "DERIVATION"},
                                          {";c", "DOMAIN_TOPIC"},
                                          {"-c", "TOPIC_MEMBER"},
                                          {";r", "DOMAIN_REGION"},
                                          {"-r", "REGION_MEMBER"},
                                          {";u", "DOMAIN_USAGE"},
                                          {"-u", "USAGE_MEMBER"},
                                          {"*", "ENTAILMENT"},
                                          {">", "CAUSE"},
                                          {"^", "ALSO_SEE"},
                                          {"$", "VERB_GROUP"},
                                          {"&", "SIMILAR_TO"},
                                          {"<", "PARTICIPLE_OF"},
                                          {"\\", "PERTAINYM"}};

/* --- words of a line -------------------------------------------------------------- */

static char *next(char **line)
{
    return strsep(line, " ");
}

static bool next_number(char **line, int base, size_t most, size_t *out)
{
    char *word = next(line);
    char *end = NULL;

    if (word == NULL || *word == '\0')
        return false;
    *out = strtoul(word, &end, base);
    return *end == '\0' && *out <= most;
}

/* An adjective's satellites are adjectives. False: out of shape. */
static bool set_id(char id[static SYNSET_ID], const char *pos, const char *place)
{
    if (place == NULL || pos == NULL || strlen(place) != SYNSET_ID - 2 ||
        strlen(pos) != 1 || strchr("nvasr", *pos) == NULL)
        return false;
    (void)snprintf(id, SYNSET_ID, "%c%s", *pos == 's' ? 'a' : *pos, place);
    return true;
}

static const char *part_of_speech(char pos)
{
    switch (pos) {
    case 'n':
        return "noun";
    case 'v':
        return "verb";
    case 'r':
        return "adverb";
    default:
        return "adjective";
    }
}

static bool read_words(char **line, struct synset *out)
{
    if (!next_number(line, 16, SYNSET_WORDS, &out->word_count))
        return false;
    for (size_t i = 0; i < out->word_count; i++) {
        char *word = next(line);
        if (word == NULL || next(line) == NULL) /* its number in the domain */
            return false;
        word[strcspn(word, "(")] = '\0'; /* where an adjective may stand: "(a)" */
        for (char *c = word; (c = strchr(c, '_')) != NULL;)
            *c = ' ';
        out->words[i] = word;
    }
    return out->word_count > 0;
}

static const char *type_of(const char *symbol)
{
    for (size_t i = 0; symbol != NULL && i < SH_COUNT(pointers); i++)
        if (strcmp(pointers[i][0], symbol) == 0)
            return pointers[i][1];
    return NULL;
}

/* Those between words count as between their meanings; each once. */
static void add_pointer(struct synset *out, const struct synset_pointer *pointer)
{
    for (size_t i = 0; i < out->pointer_count; i++)
        if (out->pointers[i].type == pointer->type &&
            strcmp(out->pointers[i].to, pointer->to) == 0)
            return;
    out->pointers[out->pointer_count++] = *pointer;
}

static bool read_pointers(char **line, struct synset *out)
{
    size_t count;

    if (!next_number(line, 10, SYNSET_POINTERS, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct synset_pointer pointer = {.type = type_of(next(line))};
        char *place = next(line);
        char *pos = next(line);
        if (pointer.type == NULL || !set_id(pointer.to, pos, place) || next(line) == NULL)
            return false;
        add_pointer(out, &pointer);
    }
    return true;
}

bool synset_read(char *line, struct synset *out)
{
    char *gloss = strstr(line, " | ");
    size_t domain;

    line[strcspn(line, "\n")] = '\0';
    if (gloss == NULL || *line == ' ') /* the licence stands in front */
        return false;
    *gloss = '\0';
    out->pointer_count = 0;
    out->definition = gloss + 3;
    for (char *end = gloss + 3 + strlen(gloss + 3); end > gloss + 3 && end[-1] == ' ';)
        *--end = '\0';
    char *place = next(&line);
    if (!next_number(&line, 10, SH_COUNT(domains) - 1, &domain))
        return false;
    char *pos = next(&line);
    if (!set_id(out->id, pos, place))
        return false;
    out->domain = domains[domain];
    out->part_of_speech = part_of_speech(out->id[0]);
    return read_words(&line, out) && read_pointers(&line, out);
}
