#include <math.h>
#include <stdio.h>

#include <utf8proc.h>

#include "services/search/view/view_internal.h"

enum { QUERY_CHARACTERS = 2000 };

void problem_set(struct view_problem *problem, const char *field, const char *message)
{
    /* what is too long is cut */
    (void)snprintf(problem->field, sizeof(problem->field), "%s", field);
    (void)snprintf(problem->message, sizeof(problem->message), "%s", message);
}

static enum sh_err refuse(struct view_problem *problem, const char *field,
                          const char *message)
{
    problem_set(problem, field, message);
    return SH_INVALID;
}

/* Characters without the blanks around them; -1: not UTF-8. */
static long characters(struct sh_bytes text)
{
    const uint8_t *data = text.data;
    long count = 0;
    long trimmed = 0; /* up to the last that is not blank */
    for (size_t pos = 0; pos < text.len;) {
        utf8proc_int32_t code = -1;
        utf8proc_ssize_t n =
            utf8proc_iterate(data + pos, (utf8proc_ssize_t)(text.len - pos), &code);
        if (n < 1)
            return -1;
        pos += (size_t)n;
        bool blank = code <= ' ' || utf8proc_category(code) == UTF8PROC_CATEGORY_ZS;
        count += !blank || count > 0;
        trimmed = blank ? trimmed : count;
    }
    return trimmed;
}

static bool within(double value, double least, double most)
{
    return value >= least && value <= most; /* false for NaN */
}

enum sh_err search_check(const struct search_query *query, struct view_problem *problem)
{
    long count = characters(query->query);
    if (count < 0)
        return refuse(problem, "query", "query is not UTF-8");
    if (count == 0)
        return refuse(problem, "query", "query must not be empty");
    if (count > QUERY_CHARACTERS)
        return refuse(problem, "query", "query must have at most 2000 characters");
    if (query->max_results < 1 || query->max_results > 1000)
        return refuse(problem, "config.max_results", "max_results must be 1 to 1000");
    if (query->offset > 100000)
        return refuse(problem, "config.offset", "offset must be at most 100000");
    if (query->mode > 2)
        return refuse(problem, "config.mode", "mode must be hybrid, vector or text");
    if (query->fusion > 1)
        return refuse(problem, "config.fusion", "fusion must be weighted or rrf");
    if (!within(query->similarity_threshold, -1, 1))
        return refuse(problem, "config.similarity_threshold",
                      "similarity_threshold must be a number from 0 to 1");
    if (!within(query->diversity, 0, 1))
        return refuse(problem, "config.diversity",
                      "diversity must be a number from 0 to 1");
    if (isnan(query->vector_weight) || query->vector_weight > 1)
        return refuse(problem, "config.vector_weight",
                      "vector_weight must be a number from 0 to 1");
    return SH_OK;
}
