#include "cli/cairn/ingest/report.h"

#include <stdio.h>
#include <string.h>

static const char *const names[INGEST_OUTCOMES] = {
    [INGEST_STORED] = "stored",   [INGEST_UNCHANGED] = "unchanged",
    [INGEST_SKIPPED] = "skipped", [INGEST_PLANNED] = "planned",
    [INGEST_FAILED] = "failed",
};

void report_start(struct report *self, bool json, bool quiet)
{
    *self = (struct report){.json = json};
    (void)pthread_mutex_init(&self->mutex, NULL);
    progress_start(&self->progress, !quiet);
}

static uint64_t over(const struct report *self)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < INGEST_OUTCOMES; i++)
        sum += self->count[i];
    return sum;
}

static void draw(struct report *self)
{
    progress_show(
        &self->progress,
        &(struct progress_figures){.what = "files",
                                   .done = over(self) - self->count[INGEST_FAILED],
                                   .failed = self->count[INGEST_FAILED],
                                   .total = self->total,
                                   .bytes = self->bytes},
        over(self) == self->total);
}

/* --- a line of JSON --------------------------------------------------------------- */

static void add_text(json_t *line, const char *name, const char *text)
{
    if (text[0])
        json_object_set_new(line, name, json_string(text));
}

static void add_number(json_t *line, const char *name, uint64_t number)
{
    if (number > 0)
        json_object_set_new(line, name, json_integer((json_int_t)number));
}

/* A path need not be UTF-8; JSON must be. */
static json_t *path_text(const char *path)
{
    json_t *text = json_string(path);
    struct sh_buffer clean = {0};
    if (text)
        return text;
    text_clean(&clean, sh_bytes_of(path), TEXT_ONE_LINE);
    text = json_stringn(clean.data, clean.len);
    sh_buffer_free(&clean);
    return text;
}

static void print_line(const char *shown, const struct ingest_result *result)
{
    json_t *line = json_pack("{s:o, s:s}", "path", path_text(shown), "status",
                             names[result->outcome]);
    if (!line)
        return;
    add_text(line, "document_id", result->document);
    add_text(line, "job_id", result->job);
    add_number(line, "chunks", result->chunks);
    add_number(line, "done", result->done);
    add_number(line, "failed", result->failed);
    add_text(line, "code", result->code);
    add_text(line, "error", result->error);
    if (result->errors)
        json_object_set(line, "errors", result->errors);
    (void)cli_print_json(line);
    (void)fflush(stdout);
    json_decref(line);
}

/* --- for people ------------------------------------------------------------------- */

static void say_failure(const char *shown, const struct ingest_result *result)
{
    size_t i = 0;
    json_t *error = NULL;
    cli_say("%s: %s", shown, result->error);
    json_array_foreach(result->errors, i, error)
    {
        struct sh_buffer item = {0};
        table_value(&item, error, "item");
        const char *why = json_string_value(json_object_get(error, "error"));
        cli_say("%s: %.*s: %s", shown, (int)item.len, item.data ? item.data : "",
                why ? why : "failed");
        sh_buffer_free(&item);
    }
}

static void say_what_is_planned(const struct report *self, const char *shown,
                                const struct ingest_result *result)
{
    struct sh_buffer clean = {0};
    if (self->json || result->outcome != INGEST_PLANNED)
        return;
    text_clean(&clean, sh_bytes_of(shown), TEXT_ONE_LINE);
    (void)printf("%.*s\n", (int)clean.len, clean.data);
    sh_buffer_free(&clean);
}

/* --- telling ---------------------------------------------------------------------- */

void report_file(struct report *self, const struct walk_file *file,
                 struct ingest_result *result)
{
    (void)pthread_mutex_lock(&self->mutex);
    if (result->halt != 0) { /* not of the file: it is neither done nor failed */
        self->halt = result->halt;
        (void)snprintf(self->halt_error, sizeof(self->halt_error), "%s", result->error);
    } else {
        progress_clear(&self->progress);
        self->count[result->outcome]++;
        self->chunks += result->chunks;
        self->refused += strcmp(result->code, "forbidden") == 0;
        if (result->outcome == INGEST_STORED || result->outcome == INGEST_UNCHANGED)
            self->bytes += file->size;
        if (result->outcome == INGEST_FAILED)
            say_failure(file->shown, result);
        say_what_is_planned(self, file->shown, result);
        if (self->json)
            print_line(file->shown, result);
        draw(self);
    }
    (void)pthread_mutex_unlock(&self->mutex);
    json_decref(result->errors);
    result->errors = NULL;
}

void report_fault(struct report *self, const char *shown, const char *why)
{
    struct ingest_result result = {.outcome = INGEST_FAILED};
    (void)snprintf(result.error, sizeof(result.error), "%s", why);
    (void)pthread_mutex_lock(&self->mutex);
    self->faults++;
    progress_clear(&self->progress);
    say_failure(shown, &result);
    if (self->json)
        print_line(shown, &result);
    (void)pthread_mutex_unlock(&self->mutex);
}

static uint64_t number(const json_t *job, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(job, name));
    return value > 0 ? (uint64_t)value : 0;
}

/* With one file alone its lines are what is to be seen. */
void report_job(struct report *self, const json_t *job)
{
    (void)pthread_mutex_lock(&self->mutex);
    if (self->total == 1)
        progress_show(&self->progress,
                      &(struct progress_figures){.what = "lines",
                                                 .done = number(job, "done"),
                                                 .failed = number(job, "failed"),
                                                 .total = number(job, "total")},
                      false);
    else
        draw(self);
    (void)pthread_mutex_unlock(&self->mutex);
}

int report_halted(struct report *self)
{
    (void)pthread_mutex_lock(&self->mutex);
    int halt = cli_stop ? CLI_INTERRUPTED : self->halt;
    (void)pthread_mutex_unlock(&self->mutex);
    return halt;
}

/* --- the end ---------------------------------------------------------------------- */

static void say_sum(const struct report *self, size_t others)
{
    struct sh_buffer line = {0};
    for (size_t i = 0; i < INGEST_OUTCOMES; i++) {
        uint64_t count = self->count[i] + (i == INGEST_FAILED ? self->faults : 0);
        if (count > 0)
            sh_buffer_printf(&line, "%s%llu %s", line.len > 0 ? ", " : "",
                             (unsigned long long)count, names[i]);
    }
    if (self->chunks > 0)
        sh_buffer_printf(&line, "; %llu passages", (unsigned long long)self->chunks);
    if (self->total == 0 && line.len == 0)
        sh_buffer_text(&line, "no files to ingest");
    if (others > 0)
        sh_buffer_printf(&line, "%s%zu files of other formats left out (--include)",
                         line.len > 0 ? "; " : "", others);
    if (line.len > 0)
        cli_say("%.*s", (int)line.len, line.data);
    sh_buffer_free(&line);
}

int report_end(struct report *self, size_t others)
{
    int halt = report_halted(self);
    uint64_t failed = self->count[INGEST_FAILED] + self->faults;
    progress_clear(&self->progress);
    say_sum(self, others);
    (void)pthread_mutex_destroy(&self->mutex);
    if (halt == CLI_INTERRUPTED)
        cli_say("interrupted: the same command goes on from here");
    else if (halt != 0)
        cli_say("%s", self->halt_error);
    if (halt != 0)
        return halt;
    if (failed > 0 && self->refused == failed && over(self) == failed)
        return CLI_REFUSED;
    return failed > 0 ? CLI_FAILED : CLI_OK;
}
