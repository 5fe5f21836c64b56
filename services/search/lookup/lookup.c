#include "services/search/lookup/lookup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/glossary/terms.h"
#include "services/search/query/record_call.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum { CONNECTIONS = 4, ANSWER_MAX = 512 << 10, STORE_MS = 5000, HEADER_MAX = 1200 };

static struct sh_family lookups_total = {
    .kind = SH_COUNTER,
    .name = "external_api_requests_total",
    .help = "Questions to outside services, by service and what became of them.",
    .labels = {"service", "status"},
};

struct looking { /* one call */
    struct lookup *lookup;
    struct sh_rpc_call *call;
    struct glossary_lookup asked;
    enum lookup_source source;
    struct sh_http_call *http;
    struct sh_buffer question;
    struct sh_buffer answers;
};

struct lookup {
    const struct search_config *config;
    struct sh_pg *pg; /* NULL: closing */
    struct sh_http_client *http;
    size_t users; /* calls; the last one frees it when it was closed */
    char authorization[LOOKUP_SOURCES][HEADER_MAX];
};

/* source, question, seconds that an answer is good for → answer, when it came */
static const struct sh_pg_statement lookup_find = {
    "lookup_find",
    "SELECT answer, extract(epoch FROM fetched_at) FROM glossary_lookups WHERE source = "
    "$1::text AND question = sha256(convert_to($2::text, 'UTF8')) AND fetched_at > now() "
    "- make_interval(secs => $3::float8)"};
/* the same, answer; old ones go */
static const struct sh_pg_statement lookup_keep = {
    "lookup_keep",
    "WITH old AS (DELETE FROM glossary_lookups WHERE fetched_at <= now() - "
    "make_interval(secs => $3::float8) AND (source, question) <> ($1::text, "
    "sha256(convert_to($2::text, 'UTF8')))) INSERT INTO glossary_lookups (source, "
    "question, answer) VALUES ($1::text, sha256(convert_to($2::text, 'UTF8')), "
    "$4::jsonb) ON CONFLICT (source, question) DO UPDATE SET answer = EXCLUDED.answer, "
    "fetched_at = now()"};

/* --- the end ---------------------------------------------------------------------- */

static void destroy(struct looking *self)
{
    struct lookup *lookup = self->lookup;

    if (--lookup->users == 0 && lookup->pg == NULL)
        sh_free(lookup);
    sh_buffer_free(&self->question);
    sh_buffer_free(&self->answers);
    sh_free(self);
}

static void answer(struct looking *self, struct sh_bytes answers, double fetched_at)
{
    const struct glossary_looked looked = {
        .answers = answers, .cached = fetched_at > 0, .fetched_at = fetched_at};

    sh_rpc_reply(self->call, glossary_looked_desc(), &looked);
    destroy(self);
}

/* Told as an answer: an error of a call is this service's own, and what it says is not
 * shown to clients. */
static void fail(struct looking *self, enum sh_err err, const char *why)
{
    char text[160];
    struct glossary_looked looked = {0};

    sh_count(&lookups_total, lookup_names[self->source], "failed");
    sh_warning(sh_rpc_call_trace(self->call), "%s: %s", lookup_names[self->source], why);
    (void)snprintf(text, sizeof(text), "{\"error\":\"%s: %s\",\"late\":%s}",
                   lookup_names[self->source], why, err == SH_TIMEOUT ? "true" : "false");
    looked.answers = sh_bytes_of(text);
    sh_rpc_reply(self->call, glossary_looked_desc(), &looked);
    destroy(self);
}

/* --- the service is asked --------------------------------------------------------- */

static void on_kept(void *arg, const struct sh_pg_reply *reply)
{
    struct looking *self = arg;

    if (reply->err != SH_OK) /* then it is asked again */
        sh_warning(sh_rpc_call_trace(self->call), "an answer is not kept: %s",
                   reply->message);
    answer(self, sh_buffer_bytes(&self->answers), 0);
}

static void keep(struct looking *self)
{
    char seconds[24];

    (void)snprintf(seconds, sizeof(seconds), "%" PRIu32,
                   self->lookup->config->lookup_ttl_s);
    struct sh_pg_param params[] = {terms_text(sh_bytes_of(lookup_names[self->source])),
                                   terms_text(sh_buffer_bytes(&self->question)),
                                   terms_text(sh_bytes_of(seconds)),
                                   terms_text(sh_buffer_bytes(&self->answers))};
    struct sh_pg_step step = {&lookup_keep, params, SH_COUNT(params), false};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + STORE_MS};
    if (self->lookup->pg == NULL ||
        sh_pg_run(self->lookup->pg, &call, on_kept, self) != SH_OK)
        answer(self, sh_buffer_bytes(&self->answers), 0);
}

static void on_answer(void *arg, enum sh_err err, const struct sh_http_incoming *incoming)
{
    struct looking *self = arg;
    char why[64];

    self->http = NULL;
    if (err != SH_OK) {
        fail(self, err == SH_TIMEOUT || err == SH_CANCELED ? err : SH_UPSTREAM,
             err == SH_TIMEOUT ? "it did not answer in time" : "it cannot be asked");
        return;
    }
    if (incoming->status != 200) {
        (void)snprintf(why, sizeof(why), "it answered with status %d", incoming->status);
        fail(self, SH_UPSTREAM, why);
        return;
    }
    if (!lookup_answers(self->source, &self->asked, incoming->body, &self->answers)) {
        fail(self, SH_UPSTREAM, "its answer is not understood");
        return;
    }
    sh_count(&lookups_total, lookup_names[self->source], "ok");
    keep(self);
}

static void ask(struct looking *self)
{
    struct lookup *lookup = self->lookup;
    const struct search_config *config = lookup->config;
    const char *headers[] = {"Content-Type: application/json", "Accept: application/json",
                             NULL, NULL};
    uint64_t left_ms = sh_left_ms(sh_rpc_call_deadline_ms(self->call));
    struct sh_http_outgoing outgoing = {
        .method = "POST",
        .url = self->source == LOOKUP_DEEPL ? config->deepl_url : config->iate_url,
        .headers = headers,
        .body = sh_buffer_bytes(&self->question),
        .timeout_ms =
            left_ms < config->lookup_timeout_ms ? left_ms : config->lookup_timeout_ms,
        .max_body = ANSWER_MAX};
    enum sh_err err;

    outgoing.connect_timeout_ms = outgoing.timeout_ms;
    if (lookup->authorization[self->source][0] != '\0')
        headers[2] = lookup->authorization[self->source];
    err =
        lookup->pg == NULL || outgoing.timeout_ms == 0
            ? SH_TIMEOUT
            : sh_http_client_send(lookup->http, &outgoing, on_answer, self, &self->http);
    if (err != SH_OK)
        fail(self, err, "it cannot be asked now");
}

/* --- the question ----------------------------------------------------------------- */

static void on_found(void *arg, const struct sh_pg_reply *reply)
{
    struct looking *self = arg;

    if (reply->err == SH_OK && PQntuples(reply->results[0]) > 0) {
        sh_count(&lookups_total, lookup_names[self->source], "kept");
        answer(self, sh_pg_text(reply->results[0], 0, 0),
               strtod(PQgetvalue(reply->results[0], 0, 1), NULL));
    } else {
        ask(self); /* without the record, too */
    }
}

static void find(struct looking *self)
{
    char seconds[24];

    (void)snprintf(seconds, sizeof(seconds), "%" PRIu32,
                   self->lookup->config->lookup_ttl_s);
    struct sh_pg_param params[] = {terms_text(sh_bytes_of(lookup_names[self->source])),
                                   terms_text(sh_buffer_bytes(&self->question)),
                                   terms_text(sh_bytes_of(seconds))};
    struct sh_pg_step step = {&lookup_find, params, SH_COUNT(params), false};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = record_deadline(self->call, STORE_MS)};

    if (sh_pg_run(self->lookup->pg, &call, on_found, self) != SH_OK)
        ask(self);
}

static bool is_on(const struct search_config *config, enum lookup_source source)
{
    return source == LOOKUP_DEEPL ? config->deepl_api_key[0] != '\0'
                                  : config->iate_url[0] != '\0';
}

/* False: answered. */
static bool read_source(struct lookup *self, struct sh_rpc_call *call,
                        struct sh_bytes name, enum lookup_source *out)
{
    for (int i = 0; i < LOOKUP_SOURCES; i++) {
        *out = (enum lookup_source)i;
        if (sh_bytes_is(name, lookup_names[i]) && is_on(self->config, *out))
            return true;
        if (sh_bytes_is(name, lookup_names[i])) {
            sh_rpc_fail(call, SH_CONFLICT, "lookup_off", "source",
                        "%s is not configured here", lookup_names[i]);
            return false;
        }
    }
    sh_rpc_fail(call, SH_INVALID, NULL, "source", "source must be deepl or iate");
    return false;
}

void lookup_handle(void *arg, struct sh_rpc_call *call)
{
    struct lookup *lookup = arg;
    struct glossary_lookup asked;
    enum lookup_source source;
    struct looking *self;

    if (sh_rpc_call_decode(call, glossary_lookup_desc(), &asked) != SH_OK ||
        !read_source(lookup, call, asked.source, &source))
        return;
    self = lookup->pg != NULL ? sh_alloc(sizeof(*self)) : NULL;
    if (self == NULL) {
        record_no_memory(call);
        return;
    }
    *self = (struct looking){
        .lookup = lookup, .call = call, .asked = asked, .source = source};
    lookup->users++;
    lookup_request(source, &asked, &self->question);
    if (self->question.err != SH_OK)
        fail(self, self->question.err, "the question is no text");
    else
        find(self);
}

/* --- life ------------------------------------------------------------------------- */

/* What a header may hold. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

enum sh_err lookup_create(uv_loop_t *loop, const struct search_config *config,
                          struct sh_pg *pg, struct lookup **out)
{
    struct lookup *self = sh_alloc(sizeof(*self));
    enum sh_err err = self != NULL ? SH_OK : SH_NOMEM;

    *out = self;
    if (err == SH_OK &&
        (!is_plain(config->deepl_api_key) || !is_plain(config->iate_api_key)))
        err = SH_INVALID;
    if (err == SH_OK)
        err = sh_http_client_create(loop, CONNECTIONS, &self->http);
    if (err != SH_OK) {
        sh_free(self);
        *out = NULL;
        return err;
    }
    self->config = config;
    self->pg = pg;
    if (config->deepl_api_key[0] != '\0')
        (void)snprintf(self->authorization[LOOKUP_DEEPL], HEADER_MAX,
                       "Authorization: DeepL-Auth-Key %s", config->deepl_api_key);
    if (config->iate_api_key[0] != '\0')
        (void)snprintf(self->authorization[LOOKUP_IATE], HEADER_MAX,
                       "Authorization: Bearer %s", config->iate_api_key);
    return SH_OK;
}

void lookup_close(struct lookup **self_in)
{
    struct lookup *self = *self_in;

    *self_in = NULL;
    if (self == NULL)
        return;
    self->users++; /* answers come while the client is closed */
    self->pg = NULL;
    sh_http_client_close(&self->http);
    if (--self->users == 0)
        sh_free(self);
}
