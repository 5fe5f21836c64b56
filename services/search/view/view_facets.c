/* How what matches is spread over the values of its attributes: over just those passages
 * that `total` counts. */
#include <jansson.h>
#include <math.h>

#include "services/search/filter/columns_facets.h"
#include "services/search/filter/dense.h"
#include "services/search/fusion/explain.h"
#include "services/search/view/view_legs.h"

enum { VALUES_USUAL = 10, JSON_MOST = 262144 /* as the message has it */ };

static enum sh_err find_matches(struct search *search, roaring_bitmap_t **out)
{
    uint32_t bits = search->view->slot_count;
    struct bitmap found = {.bits = bits};
    enum sh_err err = SH_OK;
    *out = NULL;
    found.words =
        sh_arena_array(&search->scratch, dense_words(bits) + 1, sizeof(uint64_t));
    if (!found.words)
        return SH_NOMEM;
    if (search->want_text)
        err = text_index_match(search->view->text, &search->text_query, &search->allowed,
                               search->asked->deadline_ms, &search->scratch, &found);
    for (size_t i = 0; search->want_vector && i < search->vector.count; i++) {
        const struct leg_hit *hit = &search->vector.hits[i];
        if ((double)hit->score >= search->query->similarity_threshold)
            bitmap_add(&found, hit->slot);
    }
    return err == SH_OK ? dense_take(&found, out) : err;
}

static json_t *value_json(const struct facet_value *value)
{
    const double exact = 9007199254740992.0; /* integers up to it are */
    if (value->type == METADATA_TEXT)
        return json_stringn(value->text.data, value->text.len);
    if (value->type == METADATA_FLAG)
        return json_boolean(value->number > 0);
    if (fabs(value->number) <= exact && trunc(value->number) == value->number)
        return json_integer((json_int_t)value->number);
    return json_real(value->number);
}

static json_t *facet_json(const struct facet *facet)
{
    json_t *values = json_array();
    for (uint32_t i = 0; i < facet->count; i++)
        json_array_append_new(values, json_pack("{s:o,s:I}", "value",
                                                value_json(&facet->values[i]), "count",
                                                (json_int_t)facet->values[i].count));
    return json_pack("{s:s%,s:I,s:o}", "field", (const char *)facet->field.data,
                     facet->field.len, "distinct", (json_int_t)facet->distinct, "values",
                     values);
}

static enum sh_err print(const struct search *search, const struct facet *facets,
                         size_t count, struct sh_bytes *out)
{
    bool whole = !search->want_vector || search->plan.whole;
    json_t *fields = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(fields, facet_json(&facets[i]));
    enum sh_err err =
        explain_print(json_pack("{s:s,s:o}", "over", whole ? "matches" : "candidates",
                                "fields", fields),
                      search->arena, out);
    return err == SH_OK && out->len > JSON_MOST ? SH_TOOBIG : err;
}

enum sh_err search_facets(struct search *search, struct sh_bytes *json)
{
    const struct search_query *query = search->query;
    struct facets_wanted wanted = {.fields = query->facet_fields,
                                   .field_count = query->facet_fields_count,
                                   .values = query->facet_values,
                                   .deadline_ms = search->asked->deadline_ms};
    roaring_bitmap_t *matches = NULL;
    struct facet *facets = NULL;
    size_t count = 0;
    if (!query->facets)
        return SH_OK;
    if (wanted.values == 0)
        wanted.values = VALUES_USUAL;
    enum sh_err err = find_matches(search, &matches);
    wanted.of = matches;
    if (err == SH_OK)
        err = columns_facets(search->view->columns, &wanted, &search->scratch, &facets,
                             &count);
    if (err == SH_OK)
        err = print(search, facets, count, json);
    if (matches)
        roaring_bitmap_free(matches);
    if (err != SH_TIMEOUT) /* the results stand without them */
        return err;
    legs_tell_deadline(search);
    return SH_OK;
}
