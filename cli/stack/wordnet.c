#include "cli/stack/wordnet.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/api/api.h"
#include "shared/buffer.h"
#include "shared/bytes.h"

enum { SAY_EVERY = 5 }; /* seconds between two lines of progress */

#define DEBIANS "/usr/share/wordnet"
#define LAST    "r00516492" /* something of the last lines of the last file */

/* One file after the other, as one body, an empty line between them. */
struct files {
    FILE *file[2];
    size_t count;
    size_t at;
    unsigned long long sent;
    unsigned long long total;
    const char *what;
    time_t said;
};

static void say_progress(struct files *self)
{
    time_t now = time(NULL);

    if (now - self->said < SAY_EVERY)
        return;
    self->said = now;
    (void)printf("WordNet, the %s: %llu of %llu MB sent\n", self->what,
                 self->sent / 1000000, self->total / 1000000);
    (void)fflush(stdout);
}

static size_t on_read(void *arg, char *into, size_t most)
{
    struct files *self = arg;
    size_t len = 0;

    if (self->at < self->count)
        len = fread(into, 1, most, self->file[self->at]);
    if (len == 0 && self->at + 1 < self->count) {
        self->at++;
        *into = '\n';
        len = 1;
    }
    self->sent += len;
    say_progress(self);
    return len;
}

static bool on_rewind(void *arg)
{
    struct files *self = arg;

    self->at = 0;
    self->sent = 0;
    for (size_t i = 0; i < self->count; i++)
        if (fseek(self->file[i], 0, SEEK_SET) != 0)
            return false;
    return true;
}

static bool add_file(struct files *self, const char *dir, const char *name)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/sample/%s", dir, name);
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    (void)fseek(file, 0, SEEK_END); /* a file of ours */
    self->total += (unsigned long long)ftell(file);
    rewind(file);
    self->file[self->count++] = file;
    return true;
}

static void close_files(struct files *self)
{
    for (size_t i = 0; i < self->count; i++)
        (void)fclose(self->file[i]); /* only read */
}

/* The answer has a line for each portion; the last one is the sum. */
static bool keep_last_line(void *arg, struct sh_bytes piece)
{
    struct sh_buffer *line = arg;
    const char *data = piece.data;

    for (size_t i = 0; i < piece.len; i++) {
        if (line->len > 0 && line->data[line->len - 1] == '\n')
            sh_buffer_clear(line);
        sh_buffer_append(line, data + i, 1);
    }
    return true;
}

/* Nothing of it may have failed. */
static bool say_sum(const struct sh_buffer *line)
{
    json_t *sum = json_loadb(line->data, line->len, JSON_DISABLE_EOF_CHECK, NULL);
    const json_t *failed = json_object_get(sum, "failed");
    bool good = json_is_integer(failed) && json_integer_value(failed) == 0;

    (void)printf("WordNet, the graph: %s%.*s", good ? "stored " : "not stored whole ",
                 (int)line->len, line->data ? line->data : "");
    json_decref(sum);
    return good;
}

static bool post_files(struct api *api, struct files *files, const char *path,
                       const char *type, struct sh_buffer *sum, struct api_reply *reply)
{
    struct api_source source = {on_read, on_rewind, files, -1};
    enum api_end end =
        api_call(api,
                 &(struct api_request){.method = "POST",
                                       .path = path,
                                       .type = type,
                                       .source = &source,
                                       .patient = true,
                                       .sink = sum != NULL ? keep_last_line : NULL,
                                       .sink_arg = sum},
                 reply);
    bool good = end == API_ANSWERED && reply->status / 100 == 2;

    if (!good)
        (void)fprintf(stderr, "WordNet, the %s: %s\n", files->what, reply->error);
    return good;
}

static bool there(struct api *api, const char *path)
{
    struct api_reply reply = {0};
    bool found =
        api_call(api, &(struct api_request){.path = path}, &reply) == API_ANSWERED &&
        reply.status == 200;

    api_reply_free(&reply);
    return found;
}

static bool load_graph(struct api *api, const char *dir)
{
    struct files files = {.what = "graph"};
    struct api_reply reply = {0};
    struct sh_buffer sum = {0};
    bool good = add_file(&files, dir, "nodes.csv") &&
                add_file(&files, dir, "edges.csv") &&
                post_files(api, &files, "/api/graph/import?format=csv", "text/csv", &sum,
                           &reply) &&
                say_sum(&sum);

    sh_buffer_free(&sum);
    close_files(&files);
    api_reply_free(&reply);
    return good;
}

/* The answer names the job that goes on with it. */
static void say_job(struct api_reply *reply)
{
    json_t *job = api_json(reply);
    const char *id = json_string_value(json_object_get(job, "job_id"));

    if (id != NULL)
        (void)printf("WordNet, the glossary: `cairn jobs watch %s` shows how far it is\n",
                     id);
    json_decref(job);
}

/* In parts, as a file that is uploaded may not be longer than MAX_FILE_SIZE_MB. */
static bool load_terms(struct api *api, const char *dir, const char *name)
{
    struct files files = {.what = "glossary"};
    struct api_reply reply = {0};
    bool good = add_file(&files, dir, name) &&
                post_files(api, &files, "/api/glossary/import?format=json",
                           "application/x-ndjson", NULL, &reply);

    if (good)
        say_job(&reply);
    close_files(&files);
    api_reply_free(&reply);
    return good;
}

static bool load_glossary(struct api *api, const char *dir)
{
    static const char *const names[] = {"terms.noun.ndjson", "terms.verb.ndjson",
                                        "terms.adj.ndjson", "terms.adv.ndjson"};
    bool good = true;

    for (size_t i = 0; good && i < SH_COUNT(names); i++)
        good = load_terms(api, dir, names[i]);
    return good;
}

static bool convert(const char *source, const char *dir, const char *bin)
{
    char command[4 * PATH_MAX];

    (void)snprintf(
        command, sizeof command,
        "mkdir -p '%s/sample' && '%s/cairn-wordnet' '%s' '%s/sample' > /dev/null", dir,
        bin, source, dir);
    return system(command) == 0;
}

static bool is_installed(const char *source)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/data.noun", source);

    return len > 0 && (size_t)len < sizeof path && access(path, R_OK) == 0;
}

bool wordnet_load(const char *url, const char *dir, const char *bin)
{
    struct api *api =
        api_new(&(struct api_settings){.program = "cairn-stack", .url = url});
    const char *other = getenv("WORDNET_DIR");
    const char *source = other != NULL ? other : DEBIANS;
    bool good = api != NULL;

    if (good && !is_installed(source))
        (void)printf("WordNet is not loaded: it comes with the package wordnet-base\n");
    else if (good && there(api, "/api/glossary/" LAST "-1")) /* the graph went before */
        (void)printf("WordNet is there already\n");
    else if (good) {
        (void)printf("\nloading WordNet in the background: a graph and a glossary\n");
        good =
            convert(source, dir, bin) && load_graph(api, dir) && load_glossary(api, dir);
    }
    api_free(&api);
    return good;
}
