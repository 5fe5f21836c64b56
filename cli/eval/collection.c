#include "cli/eval/collection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"

typedef bool line_fn(char *line, json_t *into);

static bool read_query(char *line, json_t *into)
{
    const char *id = NULL;
    const char *text = NULL;
    json_t *query = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    bool read = query && json_unpack(query, "{s:s,s:s}", "id", &id, "text", &text) == 0 &&
                json_object_set_new(into, id, json_string(text)) == 0;
    json_decref(query);
    return read;
}

static bool read_judgement(char *line, json_t *into)
{
    char *rest = NULL;
    const char *query = strtok_r(line, "\t", &rest);
    const char *document = strtok_r(NULL, "\t", &rest);
    const char *number = strtok_r(NULL, "\t\r", &rest);
    char *end = NULL;
    if (!query || !document || !number)
        return false;
    errno = 0;
    long grade = strtol(number, &end, 10);
    if (*end || errno != 0 || grade < -100 || grade > 100)
        return false;
    if (grade <= 0)
        return true;
    json_t *grades = json_object_get(into, query);
    if (!grades) {
        grades = json_object();
        if (json_object_set_new(into, query, grades) != 0)
            return false;
    }
    return json_object_set_new(grades, document, json_integer(grade)) == 0;
}

static json_t *read_lines(const char *directory, const char *name, line_fn *take)
{
    char path[4096];
    char *line = NULL;
    size_t room = 0;
    size_t number = 0;
    json_t *into = json_object();
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    bool good = file != NULL;
    if (!good)
        (void)fprintf(stderr, "cairn-eval: %s: %s\n", path, strerror(errno));
    for (ssize_t len = 0; good && (len = getline(&line, &room, file)) >= 0;) {
        number++;
        if (len > 0 && line[len - 1] == '\n')
            line[len - 1] = '\0';
        good = line[0] == '\0' || take(line, into);
        if (!good)
            (void)fprintf(stderr, "cairn-eval: %s:%zu: cannot be read\n", path, number);
    }
    free(line); /* getline's */
    if (file)
        (void)fclose(file);
    if (good)
        return into;
    json_decref(into);
    return NULL;
}

static int descending(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

static bool judge(struct judged_query *query)
{
    const char *document = NULL;
    json_t *grade = NULL;
    query->best = sh_alloc_array(json_object_size(query->grades), sizeof(*query->best));
    if (!query->best)
        return false;
    json_object_foreach(query->grades, document, grade) query->best[query->count++] =
        (int)json_integer_value(grade);
    qsort(query->best, query->count, sizeof(*query->best), descending);
    return true;
}

static bool join(struct collection *self)
{
    const char *id = NULL;
    json_t *text = NULL;
    bool good = true;
    self->queries =
        sh_alloc_array(json_object_size(self->texts) + 1, sizeof(*self->queries));
    if (!self->queries)
        return false;
    json_object_foreach(self->texts, id, text)
    {
        json_t *grades = json_object_get(self->qrels, id);
        struct judged_query *query = &self->queries[self->count];
        if (!grades || !good)
            continue;
        *query = (struct judged_query){id, json_string_value(text), grades, NULL, 0};
        good = judge(query);
        self->count += good;
    }
    return good;
}

bool collection_read(const char *directory, struct collection *into)
{
    *into = (struct collection){0};
    into->texts = read_lines(directory, "queries.jsonl", read_query);
    if (into->texts)
        into->qrels = read_lines(directory, "qrels.tsv", read_judgement);
    bool good = into->qrels && join(into);
    if (good && into->count == 0)
        (void)fprintf(stderr, "cairn-eval: %s: no judged queries\n", directory);
    if (good && into->count > 0)
        return true;
    collection_free(into);
    return false;
}

void collection_free(struct collection *self)
{
    for (size_t i = 0; i < self->count; i++)
        sh_free(self->queries[i].best);
    sh_free(self->queries);
    json_decref(self->texts);
    json_decref(self->qrels);
    *self = (struct collection){0};
}
