/* The answer of a search as API.md shapes it. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"

const char *const search_modes[] = {"hybrid", "vector", "text", NULL};

static void write_texts(struct sh_buffer *out, const struct sh_bytes *texts, size_t count)
{
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        json_text(out, texts[i]);
    }
    sh_buffer_text(out, "]");
}

static void write_hit(struct sh_buffer *out, const struct search_hit *hit,
                      const struct search_state *state)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "chunk_id", hit->chunk_id);
    json_member_text(out, "document_id", hit->document_id);
    json_member_text(out, "document_title", hit->document_title);
    json_member_text(out, "section_title", hit->section_title);
    json_member_text(out, "text", hit->text);
    if (state->highlight)
        json_member_text(out, "highlight", hit->highlight);
    json_member(out, "page_number");
    if (hit->page_number > 0)
        json_u64(out, hit->page_number);
    else
        sh_buffer_text(out, "null");
    json_member(out, "has_file");
    sh_buffer_text(out, hit->has_file ? "true" : "false");
    json_member(out, "metadata");
    json_raw(out, hit->metadata, "{}");
    json_member(out, "similarity");
    json_number(out, hit->similarity, 6);
    json_member(out, "text_score");
    json_number(out, hit->text_score, 6);
    json_member(out, "combined_score");
    json_number(out, hit->combined_score, 6);
    if (hit->merged_count > 0) {
        json_member(out, "merged");
        write_texts(out, hit->merged, hit->merged_count);
    }
    if (state->explain) {
        json_member(out, "explanation");
        json_raw(out, hit->explanation, "{}");
    }
    sh_buffer_text(out, "}");
}

static void write_expanded(struct sh_buffer *out, const struct search_results *results)
{
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < results->expanded_count; i++) {
        const struct search_expansion *item = &results->expanded[i];
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        json_member_text(out, "term", item->term);
        json_member(out, "added");
        write_texts(out, item->added, item->added_count);
        json_member_text(out, "kind", item->kind);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
}

static void write_hits(struct sh_buffer *out, const struct search_results *results,
                       const struct search_state *state)
{
    sh_buffer_text(out, "{\"results\":[");
    for (size_t i = 0; i < results->hits_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        write_hit(out, &results->hits[i], state);
    }
    sh_buffer_text(out, "]");
}

void search_write_head(struct sh_buffer *out, const struct search_results *results,
                       const struct search_state *state)
{
    write_hits(out, results, state);
    json_member(out, "count");
    json_u64(out, results->hits_count);
    json_member(out, "total");
    json_u64(out, results->total);
}

void search_write_tail(struct sh_buffer *out, const struct search_results *results,
                       const struct search_state *state)
{
    json_member_text(out, "mode", sh_bytes_of(search_modes[results->mode]));
    json_member(out, "degraded");
    write_texts(out, results->degraded, results->degraded_count);
    json_member_text(out, "generation", results->fingerprint);
    json_member(out, "expanded");
    write_expanded(out, results);
    if (results->facets.len > 0) {
        json_member(out, "facets");
        json_raw(out, results->facets, "{}");
    }
    if (state->explain) {
        json_member(out, "plan");
        json_raw(out, results->plan, "{}");
    }
    sh_buffer_text(out, "}");
}

/* `value` / 10^digits. printf takes ten times as long, in each answer. */
static void write_fixed(struct sh_buffer *out, uint64_t value, size_t digits)
{
    char text[24];
    size_t at = sizeof text, written = 0;

    while (written <= digits || value > 0) {
        if (written == digits)
            text[--at] = '.';
        text[--at] = (char)('0' + value % 10);
        value /= 10;
        written++;
    }
    sh_buffer_append(out, text + at, sizeof text - at);
}

/* What is new in every answer. */
static void write_own(struct sh_buffer *out, struct exchange *x, bool from_cache)
{
    const struct search_state *state = x->state;

    json_member_text(out, "query", state->query);
    json_member(out, "response_time");
    write_fixed(out, sh_now_us() - x->started_us, 6);
    sh_buffer_text(out, from_cache ? ",\"from_cache\":true" : ",\"from_cache\":false");
    json_member_text(out, "request_id",
                     sh_bytes_of(sh_http_trace(x->request)->request_id));
    json_member(out, "user_id");
    if (x->caller.user_id.len > 0)
        json_text(out, x->caller.user_id);
    else
        sh_buffer_text(out, "null");
    json_member(out, "timestamp");
    write_fixed(out, (uint64_t)(sh_wall_time() * 1000), 3);
}

static void answer(struct exchange *x, uint32_t count)
{
    x->audit.results = count;
    x->audit.counted = true;
    exchange_answer(x, 200);
}

void search_answer_parts(struct exchange *x, const struct kept *kept, bool from_cache)
{
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_append(out, kept->head.data, kept->head.len);
    write_own(out, x, from_cache);
    sh_buffer_append(out, kept->tail.data, kept->tail.len);
    answer(x, kept->results);
}

void search_answer(struct exchange *x, const struct search_results *results)
{
    const struct search_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    search_write_head(out, results, state);
    write_own(out, x, false);
    search_write_tail(out, results, state);
    answer(x, (uint32_t)results->hits_count);
}
