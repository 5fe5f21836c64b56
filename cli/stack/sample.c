#include "cli/stack/sample.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/api/api.h"
#include "cli/stack/wordnet.h"
#include "shared/buffer.h"
#include "shared/bytes.h"

struct load {
    size_t total;
    size_t done;
    size_t chunks;
    size_t failed;
    struct sh_buffer line;
};

/* GATEWAY_URL of the stack in `dir`. */
static bool gateway_url(const char *dir, char *out, size_t size)
{
    char path[PATH_MAX];
    char line[512];
    (void)snprintf(path, sizeof(path), "%s/stack.env", dir);
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "GATEWAY_URL=", 12) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        (void)snprintf(out, size, "%s", line + 12);
        found = true;
    }
    if (file)
        (void)fclose(file);
    return found;
}

/* One argument of cairn-sample a line, from the script that fetches the manuals. */
static bool build_command(const char *dir, const char *bin, struct sh_buffer *command)
{
    char text[PATH_MAX + 64];
    (void)snprintf(text, sizeof(text), "scripts/fetch-sample.sh '%s/sample'", dir);
    FILE *manuals = popen(text, "re");
    size_t count = 0;
    sh_buffer_printf(command, "'%s/cairn-sample'", bin);
    while (manuals && fgets(text, sizeof(text), manuals)) {
        text[strcspn(text, "\n")] = '\0';
        sh_buffer_text(command, " '");
        for (const char *c = text; *c; c++)
            sh_buffer_append(command, *c == '\'' ? "'\\''" : c, *c == '\'' ? 4 : 1);
        sh_buffer_text(command, "'");
        count++;
    }
    if (manuals)
        (void)pclose(manuals);
    sh_buffer_printf(command, " > '%s/sample/sample.ndjson' && ", dir);
    if (count == 0) { /* no archive in reach: the few documents that come with Cairn */
        sh_buffer_clear(command);
        sh_buffer_printf(command, ": > '%s/sample/sample.ndjson' && ", dir);
    }
    sh_buffer_printf(command,
                     "cat examples/university.ndjson >> '%s/sample/sample.ndjson' && "
                     "'%s/cairn' rows examples/exoplanets/planet.json "
                     "examples/exoplanets/planets.csv >> '%s/sample/sample.ndjson'",
                     dir, bin, dir);
    sh_buffer_append(command, "", 1);
    return command->err == SH_OK;
}

static size_t count_lines(FILE *file)
{
    size_t lines = 0;
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        lines += c == '\n';
    rewind(file);
    return lines;
}

static void take_result(struct load *load)
{
    json_t *result = json_loadb(load->line.data, load->line.len, 0, NULL);
    const char *status = json_string_value(json_object_get(result, "status"));
    load->done++;
    if (!status || strcmp(status, "error") == 0) {
        load->failed++;
        (void)printf("\n%.*s\n", (int)load->line.len, load->line.data);
    }
    load->chunks += (size_t)json_integer_value(json_object_get(result, "chunks"));
    json_decref(result);
    (void)printf("\rloading documents: %zu of %zu, %zu passages", load->done, load->total,
                 load->chunks);
    (void)fflush(stdout);
}

static bool on_results(void *arg, struct sh_bytes piece)
{
    struct load *load = arg;
    const char *data = piece.data;
    for (size_t i = 0; i < piece.len; i++) {
        if (data[i] != '\n') {
            sh_buffer_append(&load->line, data + i, 1);
            continue;
        }
        take_result(load);
        sh_buffer_clear(&load->line);
    }
    return true;
}

static size_t on_read(void *arg, char *into, size_t most)
{
    return fread(into, 1, most, arg);
}

static bool on_rewind(void *arg)
{
    return fseek(arg, 0, SEEK_SET) == 0;
}

static bool post(const char *url, FILE *file, struct load *load)
{
    struct api_reply reply = {0};
    struct api_source lines = {on_read, on_rewind, file, -1};
    struct api *api =
        api_new(&(struct api_settings){.program = "cairn-stack", .url = url});
    enum api_end end = API_UNREACHABLE;
    if (api)
        end = api_call(api,
                       &(struct api_request){.method = "POST",
                                             .path = "/api/documents/batch?wait=true",
                                             .type = "application/x-ndjson",
                                             .source = &lines,
                                             .patient = true,
                                             .sink = on_results,
                                             .sink_arg = load},
                       &reply);
    (void)printf("\n");
    if (end != API_ANSWERED || reply.status != 200)
        (void)fprintf(stderr, "loading stopped: %s\n", reply.error);
    bool good = end == API_ANSWERED && reply.status == 200 && load->failed == 0;
    api_reply_free(&reply);
    api_free(&api);
    return good;
}

static void say_what_to_try(const char *url, const char *dir, const char *bin)
{
    static const char *const questions[] = {
        "how are conffiles handled on upgrade",
        "how do I become a Debian maintainer",
        "hot planet around a red dwarf",
    };
    bool usual = strcmp(url, "http://127.0.0.1:8080") == 0;
    (void)printf("\nCairn answers at %s\n\nTry:\n", url);
    if (!usual)
        (void)printf("  export CAIRN_URL=%s\n", url);
    for (size_t i = 0; i < SH_COUNT(questions); i++)
        (void)printf("  %s/cairn search \"%s\"\n", bin, questions[i]);
    (void)printf("  %s/cairn ingest ~/Documents --collection mine\n"
                 "  curl -s %s/api/search -d '{\"query\":\"recover deleted files\"}'\n",
                 bin, url);
    (void)printf("  curl -s %s/api/documents/query -d "
                 "'{\"collection\":\"exoplanets\",\"sort\":\"-mass_mj\"}'\n",
                 url);
    (void)printf(
        "\nIn a browser: %s\nThe API: %s/docs   Settings of scripts: . %s/stack.env\n"
        "Stop: Ctrl-C here, or `make down`\n",
        url, url, dir);
    (void)fflush(stdout);
}

static bool find_stack(const char *dir, char *url, size_t size)
{
    if (gateway_url(dir, url, size))
        return true;
    (void)fprintf(stderr, "no stack is running in %s\n", dir);
    return false;
}

bool sample_load_wordnet(const char *dir, const char *bin)
{
    char url[512];

    return find_stack(dir, url, sizeof(url)) && wordnet_load(url, dir, bin);
}

bool sample_load(const char *dir, const char *bin)
{
    char url[512];
    char path[PATH_MAX + 32];
    if (!find_stack(dir, url, sizeof(url)))
        return false;
    struct sh_buffer command = {0};
    (void)printf("fetching the sample: manuals of Debian\n");
    (void)fflush(stdout);
    bool ok = build_command(dir, bin, &command) && system(command.data) == 0;
    sh_buffer_free(&command);
    (void)snprintf(path, sizeof(path), "%s/sample/sample.ndjson", dir);
    FILE *file = ok ? fopen(path, "re") : NULL;
    if (!file) {
        (void)fprintf(stderr, "the sample could not be made: %s\n", path);
        return false;
    }
    struct load load = {.total = count_lines(file)};
    ok = post(url, file, &load);
    (void)fclose(file);
    sh_buffer_free(&load.line);
    say_what_to_try(url, dir, bin);
    return wordnet_load(url, dir, bin) && ok;
}
