/* cairn-wordnet: WordNet (Debian's wordnet-base) as a glossary and as a graph.
 *
 *     cairn-wordnet DIRECTORY OUT
 *
 * reads DIRECTORY/data.noun and its kin and writes OUT/terms.noun.ndjson and its kin (a
 * term for each word of each meaning), OUT/nodes.csv and OUT/edges.csv (meanings and what
 * joins them). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/wordnet/synset.h"

struct outputs {
    FILE *terms;
    FILE *nodes;
    FILE *edges;
    unsigned long synsets;
    unsigned long words;
    unsigned long pointers;
};

static void write_terms(const struct synset *synset, FILE *out)
{
    char id[SYNSET_ID + 24];

    for (size_t i = 0; i < synset->word_count; i++) {
        (void)snprintf(id, sizeof id, "%s-%zu", synset->id, i + 1);
        json_t *term = json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", id, "term",
            synset->words[i], "definition", synset->definition, "language", "en",
            "domain", synset->domain, "part_of_speech", synset->part_of_speech, "sense",
            synset->id, "source", "WordNet 3.0", "status", "validated");
        if (term != NULL)                              /* not UTF-8 otherwise */
            (void)json_dumpf(term, out, JSON_COMPACT); /* judged by ferror() */
        (void)fputc('\n', out);
        json_decref(term);
    }
}

/* As RFC 4180 wants it. */
static void write_cell(const char *text, FILE *out)
{
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            (void)fputc('"', out);
        (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

static void write_synset(struct outputs *out, const struct synset *synset)
{
    write_terms(synset, out->terms);
    (void)fprintf(out->nodes, "%s,Synset,", synset->id);
    write_cell(synset->words[0], out->nodes);
    (void)fprintf(out->nodes, ",%s,%s,", synset->part_of_speech, synset->domain);
    write_cell(synset->definition, out->nodes);
    (void)fputc('\n', out->nodes);
    for (size_t i = 0; i < synset->pointer_count; i++)
        (void)fprintf(out->edges, "%s,%s,%s\n", synset->id, synset->pointers[i].to,
                      synset->pointers[i].type);
    out->synsets++;
    out->words += synset->word_count;
    out->pointers += synset->pointer_count;
}

static FILE *open_in(const char *directory, const char *name, const char *mode)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = len > 0 && (size_t)len < sizeof path ? fopen(path, mode) : NULL;

    if (file == NULL)
        (void)fprintf(stderr, "cairn-wordnet: %s/%s: %s\n", directory, name,
                      strerror(errno));
    return file;
}

/* False: it could not be written whole. */
static bool close_out(FILE *file)
{
    if (file == NULL)
        return false;
    bool good = !ferror(file);
    return fclose(file) == 0 && good;
}

static bool read_file(const char *directory, const char *name, struct outputs *out)
{
    static struct synset synset;
    FILE *file = open_in(directory, name, "re");
    char *line = NULL;
    size_t room = 0;

    if (file == NULL)
        return false;
    while (getline(&line, &room, file) > 0)
        if (synset_read(line, &synset))
            write_synset(out, &synset);
    bool good = !ferror(file);
    free(line);
    (void)fclose(file); /* only read */
    return good;
}

/* Of one part of speech. */
static bool convert(char **argv, const char *name, struct outputs *out)
{
    char data[32];
    char terms[32];

    (void)snprintf(data, sizeof data, "data.%s", name);
    (void)snprintf(terms, sizeof terms, "terms.%s.ndjson", name);
    out->terms = open_in(argv[2], terms, "we");
    bool good = out->terms != NULL && read_file(argv[1], data, out);
    return close_out(out->terms) && good;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"noun", "verb", "adj", "adv"};
    struct outputs out = {0};

    if (argc != 3) {
        (void)fprintf(stderr, "usage: cairn-wordnet DIRECTORY OUT\n");
        return 2;
    }
    out.nodes = open_in(argv[2], "nodes.csv", "we");
    out.edges = open_in(argv[2], "edges.csv", "we");
    bool good = out.nodes != NULL && out.edges != NULL;
    if (good) {
        (void)fprintf(out.nodes, ":ID,:LABEL,name,part_of_speech,domain,definition\n");
        (void)fprintf(out.edges, ":START_ID,:END_ID,:TYPE\n");
    }
    for (size_t i = 0; good && i < sizeof names / sizeof names[0]; i++)
        good = convert(argv, names[i], &out);
    bool closed = close_out(out.nodes);
    closed = close_out(out.edges) && closed;
    (void)printf("%lu synsets, %lu words, %lu relations\n", out.synsets, out.words,
                 out.pointers);
    return good && closed && out.synsets > 0 ? 0 : 1;
}
