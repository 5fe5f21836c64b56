#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/ingest/ingest.h"
#include "cli/cairn/ingest/source.h"

enum { ID_DIGITS = 32 };

void ingest_id(const struct ingest_plan *plan, const char *path,
               char into[static LEDGER_ID])
{
    struct sh_buffer key = {0};
    char digest[DIGEST_TEXT] = "";
    size_t base = plan->base ? strlen(plan->base) : 0;
    bool below = base > 0 && strncmp(path, plan->base, base) == 0 && path[base] == '/';
    sh_buffer_text(&key, plan->collection ? plan->collection : "");
    sh_buffer_append(&key, "", 1);
    sh_buffer_text(&key, below ? path + base + 1 : path);
    (void)digest_text(key.data, key.len, digest);
    (void)snprintf(into, LEDGER_ID, "file-%.*s", ID_DIGITS, digest);
    sh_buffer_free(&key);
}

/* --- what is known ---------------------------------------------------------------- */

bool send_is_known(const struct sender *sender, const struct walk_file *file,
                   const char *id, struct ledger_entry *entry)
{
    char sha256[DIGEST_TEXT];
    *entry = (struct ledger_entry){0};
    if (!sender->ledger || !sender->trusting || !ledger_find(sender->ledger, id, entry) ||
        strcmp(entry->as, sender->plan->as) != 0 || entry->pending || !entry->sha256[0] ||
        entry->size != file->size)
        return false;
    if (entry->mtime_ns == file->mtime_ns)
        return true;
    /* touched, or changed to the same length */
    if (!digest_file(file->path, sha256) || strcmp(sha256, entry->sha256) != 0)
        return false;
    entry->mtime_ns = file->mtime_ns;
    (void)ledger_add(sender->ledger, id, file->shown, entry);
    return true;
}

/* Writing down what was done must not undo it; it then is done once more. */
static void remember(const struct sender *sender, const char *id,
                     const struct walk_file *file, const struct source *source,
                     struct ledger_entry *entry)
{
    (void)snprintf(entry->as, sizeof(entry->as), "%s", sender->plan->as);
    entry->size = source->size;
    entry->mtime_ns = source->mtime_ns;
    if (sender->ledger && !ledger_add(sender->ledger, id, file->shown, entry))
        cli_say("%s was stored, but that could not be written down", file->shown);
}

/* --- how a request ended ---------------------------------------------------------- */

static void fail(struct ingest_result *result, const char *error)
{
    result->outcome = INGEST_FAILED;
    (void)snprintf(result->error, sizeof(result->error), "%s", error);
}

/* False: it failed, and `result` says how. */
static bool judge(enum api_end end, const struct api_reply *reply,
                  struct ingest_result *result)
{
    if (end == API_ANSWERED && reply->status / 100 == 2)
        return true;
    fail(result, end == API_UNREADABLE ? "the file could not be read" : reply->error);
    (void)snprintf(result->code, sizeof(result->code), "%s", reply->code);
    if (end == API_STOPPED)
        result->halt = CLI_INTERRUPTED;
    else if (end == API_UNREACHABLE || reply->status == 401)
        result->halt = CLI_REFUSED;
    return false;
}

static void take_text(const json_t *answer, const char *name, char *into, size_t size)
{
    const char *text = json_string_value(json_object_get(answer, name));
    (void)snprintf(into, size, "%s", text ? text : "");
}

static uint64_t take_number(const json_t *answer, const char *name)
{
    json_int_t number = json_integer_value(json_object_get(answer, name));
    return number > 0 ? (uint64_t)number : 0;
}

/* --- one document: a form --------------------------------------------------------- */

struct form {
    const struct sender *sender;
    const struct walk_file *file;
    struct source *source;
    const char *id;
};

static bool add_field(curl_mime *mime, const char *name, const char *value)
{
    curl_mimepart *part = value && *value ? curl_mime_addpart(mime) : NULL;
    if (!value || !*value)
        return true;
    return part && curl_mime_name(part, name) == CURLE_OK &&
           curl_mime_data(part, value, CURL_ZERO_TERMINATED) == CURLE_OK;
}

static size_t on_read(char *into, size_t size, size_t count, void *arg)
{
    return source_read(arg, into, size * count);
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
    return offset == 0 && origin == SEEK_SET && source_rewind(arg)
               ? CURL_SEEKFUNC_OK
               : CURL_SEEKFUNC_CANTSEEK;
}

static bool add_file(curl_mime *mime, const struct form *form)
{
    const char *slash = strrchr(form->file->path, '/');
    curl_mimepart *part = curl_mime_addpart(mime);
    return part && curl_mime_name(part, "file") == CURLE_OK &&
           curl_mime_filename(part, slash ? slash + 1 : form->file->path) == CURLE_OK &&
           curl_mime_type(part, "application/octet-stream") == CURLE_OK &&
           curl_mime_data_cb(part, (curl_off_t)form->source->size, on_read, on_seek, NULL,
                             form->source) == CURLE_OK;
}

/* The fields come first: who reads the form knows them when the file begins. */
static curl_mime *make_form(CURL *curl, void *arg)
{
    const struct form *form = arg;
    const struct ingest_plan *plan = form->sender->plan;
    curl_mime *mime = source_rewind(form->source) ? curl_mime_init(curl) : NULL;
    char *metadata = json_object_size(plan->metadata) > 0
                         ? json_dumps(plan->metadata, JSON_COMPACT)
                         : NULL;
    if (mime && !(add_field(mime, "id", plan->by_content ? NULL : form->id) &&
                  add_field(mime, "collection", plan->collection) &&
                  add_field(mime, "metadata", metadata) && add_file(mime, form))) {
        curl_mime_free(mime);
        mime = NULL;
    }
    free(metadata); /* jansson's */
    return mime;
}

static void send_document(struct sender *sender, const struct walk_file *file,
                          const char *id, struct source *source,
                          struct ingest_result *result)
{
    struct form form = {sender, file, source, id};
    struct ledger_entry entry = {0};
    enum api_end end = api_call(sender->api,
                                &(struct api_request){.method = "POST",
                                                      .path = "/api/documents",
                                                      .form = make_form,
                                                      .form_arg = &form,
                                                      .repeatable = true,
                                                      .patient = true},
                                &sender->reply);
    if (!judge(end, &sender->reply, result))
        return;
    json_t *answer = api_json(&sender->reply);
    bool same = json_is_true(json_object_get(answer, "unchanged"));
    result->outcome = same ? INGEST_UNCHANGED : INGEST_STORED;
    take_text(answer, "document_id", result->document, sizeof(result->document));
    result->chunks = take_number(answer, "chunks");
    json_decref(answer);
    (void)snprintf(entry.document, sizeof(entry.document), "%s", result->document);
    if (source_end(source, entry.sha256))
        remember(sender, id, file, source, &entry);
}

/* --- documents by line: a job ----------------------------------------------------- */

/* The job that an earlier run began for the same bytes is not begun again. */
static bool is_under_way(const struct sender *sender, const struct walk_file *file,
                         const char *id, struct ledger_entry *known)
{
    return sender->ledger && sender->trusting && ledger_find(sender->ledger, id, known) &&
           known->pending && strcmp(known->as, sender->plan->as) == 0 &&
           known->size == file->size && known->mtime_ns == file->mtime_ns;
}

static bool begin_job(struct sender *sender, const struct walk_file *file,
                      struct source *source, struct ingest_result *result)
{
    struct sh_buffer path = {0};
    struct api_source lines = {
        .read = source_read, .rewind = source_rewind, .arg = source, .size = -1};
    sh_buffer_text(&path, "/api/documents/batch");
    api_query_file(&path, file->path);
    sh_buffer_append(&path, "", 1);
    if (path.err != SH_OK) {
        sh_buffer_free(&path);
        fail(result, sh_err_text(SH_NOMEM));
        return false;
    }
    enum api_end end = api_call(sender->api,
                                &(struct api_request){.method = "POST",
                                                      .path = path.data,
                                                      .type = "application/x-ndjson",
                                                      .source = &lines,
                                                      .repeatable = true,
                                                      .patient = true},
                                &sender->reply);
    sh_buffer_free(&path);
    if (!judge(end, &sender->reply, result))
        return false;
    json_t *answer = api_json(&sender->reply);
    take_text(answer, "job_id", result->job, sizeof(result->job));
    json_decref(answer);
    if (!result->job[0])
        fail(result, "the server began no job");
    return result->job[0] != '\0';
}

static void take_job(const json_t *job, struct ingest_result *result)
{
    const char *state = json_string_value(json_object_get(job, "state"));
    json_t *errors = json_object_get(job, "errors");
    result->done = take_number(job, "done");
    result->failed = take_number(job, "failed");
    result->errors = json_array_size(errors) > 0 ? json_incref(errors) : NULL;
    if (!state || strcmp(state, "done") != 0)
        (void)snprintf(result->error, sizeof(result->error), "the job is %s",
                       state ? state : "gone");
    else if (result->failed > 0)
        (void)snprintf(result->error, sizeof(result->error), "%llu of its lines failed",
                       (unsigned long long)result->failed);
    result->outcome = result->error[0] ? INGEST_FAILED : INGEST_STORED;
}

/* False: the server does not know the job any more. */
static bool follow_job(struct sender *sender, struct ingest_result *result)
{
    json_t *job = NULL;
    enum api_end end = watch_job(sender->api, result->job, sender->update, sender->arg,
                                 &sender->reply, &job);
    if (end == API_ANSWERED && sender->reply.status == 404)
        return false;
    if (judge(end, &sender->reply, result) && job)
        take_job(job, result);
    json_decref(job);
    return true;
}

/* The job of an earlier run was cancelled, or could do nothing: it is begun anew. */
static bool was_given_up(struct ingest_result *result)
{
    if (result->halt != 0 || result->outcome == INGEST_STORED || result->failed > 0)
        return false;
    json_decref(result->errors);
    *result = (struct ingest_result){.outcome = INGEST_FAILED};
    return true;
}

static void send_lines(struct sender *sender, const struct walk_file *file,
                       const char *id, struct source *source,
                       struct ingest_result *result)
{
    struct ledger_entry entry = {0};
    bool known = is_under_way(sender, file, id, &entry);
    (void)snprintf(result->job, sizeof(result->job), "%s", known ? entry.job : "");
    if (known)
        known = follow_job(sender, result) && !was_given_up(result);
    if (!known) {
        entry = (struct ledger_entry){.pending = true};
        if (!begin_job(sender, file, source, result))
            return;
        (void)snprintf(entry.job, sizeof(entry.job), "%s", result->job);
        if (!source_end(source, entry.sha256))
            entry.sha256[0] = '\0';
        remember(sender, id, file, source, &entry);
        if (!follow_job(sender, result))
            fail(result, "the server lost the job");
    }
    if (result->halt != 0) /* the job goes on, and so will the next run */
        return;
    if (result->outcome != INGEST_STORED)
        entry.sha256[0] = '\0'; /* to be sent again */
    entry.pending = false;
    remember(sender, id, file, source, &entry);
}

void send_file(struct sender *sender, const struct walk_file *file,
               struct ingest_result *result)
{
    struct source source;
    struct ledger_entry known;
    char id[LEDGER_ID];
    *result = (struct ingest_result){.outcome = INGEST_FAILED};
    ingest_id(sender->plan, file->path, id);
    if (send_is_known(sender, file, id, &known)) {
        result->outcome = INGEST_SKIPPED;
        (void)snprintf(result->document, sizeof(result->document), "%s", known.document);
        (void)snprintf(result->job, sizeof(result->job), "%s", known.job);
        return;
    }
    const struct source_lines lines = {id, sender->plan->defaults};
    if (!source_open(&source, file->path, file->lines ? &lines : NULL))
        fail(result, strerror(errno));
    else if (file->lines)
        send_lines(sender, file, id, &source, result);
    else
        send_document(sender, file, id, &source, result);
    source_close(&source);
}
