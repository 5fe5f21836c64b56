/* cairn graph import, export. A file is sent as a stream; what becomes of it comes back
 * line by line meanwhile. A large one becomes a job, which is followed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/cairn/download.h"
#include "cli/cairn/follow.h"
#include "cli/cairn/graph/graph.h"
#include "cli/cairn/progress.h"
#include "shared/lines.h"

enum {
    JOB_BYTES = 32 << 20, /* from here on it is a job unless --stream */
    LINE_BYTES = 16 << 20,
};

/* --- the format ------------------------------------------------------------------- */

static const struct {
    const char *ending;
    const char *format;
} endings[] = {{".ndjson", "ndjson"},
               {".jsonl", "ndjson"},
               {".csv", "csv"},
               {".graphml", "graphml"},
               {".xml", "graphml"}};

/* NULL: a message is on stderr. */
static const char *format_of(const struct args *args, const char *name)
{
    const char *given = args_text(args, "format");
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; !given && dot && i < SH_COUNT(endings); i++) {
        if (strcasecmp(dot, endings[i].ending) == 0)
            given = endings[i].format;
    }
    if (!given)
        cli_say("%s: --format must say what it is: ndjson, csv or graphml", name);
    return given;
}

/* --- sending ---------------------------------------------------------------------- */

struct sending {
    struct cli *cli;
    const char *name;
    FILE *file;
    uint64_t size; /* 0: not known */
    uint64_t sent;
    uint64_t failed;
    struct sh_lines lines;
    struct progress progress;
    json_t *sum; /* the last line, NULL: it has not come */
};

static void show(struct sending *self, bool now)
{
    uint64_t total = self->size / 1000;
    uint64_t done = self->sent / 1000;
    progress_show(
        &self->progress,
        &(struct progress_figures){
            .what = "kB", .done = done, .failed = 0, .total = total, .bytes = self->sent},
        now);
}

static size_t on_read(void *arg, char *into, size_t most)
{
    struct sending *self = arg;
    size_t len = fread(into, 1, most, self->file);
    if (ferror(self->file))
        return API_BROKEN;
    self->sent += len;
    show(self, false);
    return len;
}

/* What was stored already is unchanged the second time. */
static bool on_rewind(void *arg)
{
    struct sending *self = arg;
    self->sent = 0;
    return fseeko(self->file, 0, SEEK_SET) == 0;
}

static void tell_fault(struct sending *self, const json_t *line)
{
    const json_t *error = json_object_get(line, "error");
    const char *why = json_string_value(json_object_get(error, "error"));
    json_int_t number = json_integer_value(json_object_get(line, "line"));
    self->failed++;
    progress_clear(&self->progress);
    cli_say("%s:%" JSON_INTEGER_FORMAT ": %s", self->name, number, why ? why : "refused");
}

static void take_line(struct sending *self, struct sh_bytes text)
{
    json_t *line = json_loadb(text.data, text.len, 0, NULL);
    const char *status = json_string_value(json_object_get(line, "status"));
    if (!status) {
        json_decref(line);
        return;
    }
    if (args_given(&self->cli->args, "json"))
        (void)cli_print_json(line);
    if (strcmp(status, "error") == 0)
        tell_fault(self, line);
    if (strcmp(status, "done") == 0 || strcmp(status, "broken") == 0) {
        json_decref(self->sum);
        self->sum = json_incref(line);
    }
    json_decref(line);
}

/* False: more than a line may have, or than memory has. */
static bool take_lines(struct sending *self)
{
    struct sh_line line;
    while (sh_lines_next(&self->lines, &line)) {
        if (line.too_long)
            return false;
        if (line.text.len > 0)
            take_line(self, line.text);
    }
    return true;
}

static bool on_piece(void *arg, struct sh_bytes piece)
{
    struct sending *self = arg;
    return sh_lines_feed(&self->lines, piece) == SH_OK && take_lines(self);
}

/* --- how it went ------------------------------------------------------------------ */

static int judge_sum(struct sending *self)
{
    const char *status = json_string_value(json_object_get(self->sum, "status"));
    const char *why = json_string_value(json_object_get(self->sum, "error"));
    if (!status) {
        cli_say("%s: the answer broke off; the same again goes on", self->name);
        return CLI_FAILED;
    }
    if (!args_given(&self->cli->args, "json")) {
        static const struct table_column columns[] = {
            {"FILE", "file", true},          {"CREATED", "created", false},
            {"REPLACED", "replaced", false}, {"UNCHANGED", "unchanged", false},
            {"FAILED", "failed", false},     {0}};
        json_object_set_new(self->sum, "file", json_string(self->name));
        json_t *rows = json_pack("[O]", self->sum);
        table_print(columns, rows);
        json_decref(rows);
    }
    if (strcmp(status, "broken") == 0) {
        cli_say("%s cannot be read any further: %s", self->name, why ? why : "");
        return CLI_FAILED;
    }
    bool good = json_integer_value(json_object_get(self->sum, "failed")) == 0;
    return good ? CLI_OK : CLI_FAILED;
}

static int send_file(struct sending *self, const char *format, bool job)
{
    struct sh_buffer path = {0};
    int code = CLI_FAILED;
    struct api_source source = {.read = on_read,
                                .rewind = self->file == stdin ? NULL : on_rewind,
                                .arg = self,
                                .size = -1};
    sh_buffer_text(&path, "/api/graph/import");
    api_query(&path, "format", format);
    api_query(&path, "job", job ? "true" : NULL);
    api_query_file(&path, job ? self->name : NULL);
    sh_buffer_append(&path, "", 1);
    progress_start(&self->progress, true);
    if (path.err == SH_OK)
        code =
            cli_ask(self->cli, &(struct api_request){.method = "POST",
                                                     .path = path.data,
                                                     .type = "application/octet-stream",
                                                     .source = &source,
                                                     .patient = true,
                                                     .sink = job ? NULL : on_piece,
                                                     .sink_arg = self});
    progress_clear(&self->progress);
    sh_buffer_free(&path);
    return code;
}

static int send_stream(struct sending *self, const char *format)
{
    sh_lines_open(&self->lines, LINE_BYTES);
    int code = send_file(self, format, false);
    sh_lines_end(&self->lines);
    (void)take_lines(self);
    sh_lines_close(&self->lines);
    if (code == CLI_OK)
        code = judge_sum(self);
    json_decref(self->sum);
    return code;
}

static int send_job(struct sending *self, const char *format)
{
    int code = send_file(self, format, true);
    return code == CLI_OK ? follow_begun(self->cli) : code;
}

static bool is_job(const struct sending *self)
{
    const struct args *args = &self->cli->args;
    return args_given(args, "job") || args_given(args, "no-wait") ||
           (self->size >= JOB_BYTES && !args_given(args, "stream"));
}

static int import_file(struct cli *cli, const char *name)
{
    struct sending self = {.cli = cli, .name = name};
    struct stat stat = {0};
    const char *format = format_of(&cli->args, name);
    if (!format)
        return CLI_USAGE;
    self.file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    if (!self.file || fstat(fileno(self.file), &stat) != 0) {
        cli_say("%s: %s", name, strerror(errno));
        return CLI_FAILED;
    }
    self.size = S_ISREG(stat.st_mode) ? (uint64_t)stat.st_size : 0;
    int code = is_job(&self) ? send_job(&self, format) : send_stream(&self, format);
    if (self.file != stdin)
        (void)fclose(self.file); /* only read */
    return code;
}

/* Nothing is sent when one of them is none. */
int graph_run_import(struct cli *cli)
{
    int worst = CLI_OK;
    for (int i = 0; i < cli->args.word_count; i++) {
        if (!format_of(&cli->args, cli->args.words[i]))
            return CLI_USAGE;
    }
    for (int i = 0; i < cli->args.word_count; i++) {
        int code = import_file(cli, cli->args.words[i]);
        worst = code > worst ? code : worst;
        if (code == CLI_INTERRUPTED || code == CLI_REFUSED)
            break;
    }
    return worst;
}

int graph_run_export(struct cli *cli)
{
    static const char *const names[] = {"format", "label", NULL};
    struct sh_buffer path = {0};
    int code = CLI_FAILED;
    sh_buffer_text(&path, "/api/graph/export");
    graph_params(&cli->args, names, &path);
    sh_buffer_append(&path, "", 1);
    if (path.err == SH_OK)
        code = download_text(cli, path.data);
    sh_buffer_free(&path);
    return code;
}
