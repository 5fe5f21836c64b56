#include "cli/stack/sample.h"

#include <curl/curl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

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
                     "cat examples/university.ndjson >> '%s/sample/sample.ndjson'", dir);
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

static size_t on_results(char *data, size_t size, size_t count, void *arg)
{
    struct load *load = arg;
    for (size_t i = 0; i < size * count; i++) {
        if (data[i] != '\n') {
            sh_buffer_append(&load->line, data + i, 1);
            continue;
        }
        take_result(load);
        sh_buffer_clear(&load->line);
    }
    return size * count;
}

static bool post(const char *url, FILE *file, struct load *load)
{
    char target[600];
    (void)snprintf(target, sizeof(target), "%s/api/documents/batch?wait=true", url);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/x-ndjson");
    (void)curl_easy_setopt(curl, CURLOPT_URL, target);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_READDATA, file);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_results);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, load);
    CURLcode rc = curl_easy_perform(curl);
    long status = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    (void)printf("\n");
    if (rc != CURLE_OK)
        (void)fprintf(stderr, "loading stopped: %s\n", curl_easy_strerror(rc));
    return rc == CURLE_OK && status == 200 && load->failed == 0;
}

static void say_what_to_try(const char *url, const char *dir)
{
    static const char *const questions[] = {
        "how are conffiles handled on upgrade",
        "how do I become a Debian maintainer",
        "recover deleted files from a damaged disk",
    };
    (void)printf("\nCairn answers at %s\n\nTry:\n", url);
    for (size_t i = 0; i < SH_COUNT(questions); i++)
        (void)printf("  curl -s %s/api/search -d '{\"query\":\"%s\"}'\n", url,
                     questions[i]);
    (void)printf("\nThe API: %s/docs   Settings of scripts: . %s/stack.env\n"
                 "Stop: Ctrl-C here, or `make down`\n",
                 url, dir);
    (void)fflush(stdout);
}

bool sample_load(const char *dir, const char *bin)
{
    char url[512];
    char path[PATH_MAX + 32];
    if (!gateway_url(dir, url, sizeof(url))) {
        (void)fprintf(stderr, "no stack is running in %s\n", dir);
        return false;
    }
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
    say_what_to_try(url, dir);
    return ok;
}
