#include "services/gateway/history/survey.h"

#include "services/gateway/health/census.h"
#include "services/gateway/history/said.h"

enum { FIRST_MS = 1000, ANSWER_MS = 2000 };
_Static_assert(ANSWER_MS < HISTORY_STEP_S * 1000, "one asking ends before the next");

struct survey {
    struct edge *edge;
    struct history *history;
    struct census *census; /* under way; NULL: none */
    uv_timer_t timer;
};

static void on_census(void *arg, const struct census_answer *census)
{
    struct survey *self = arg;
    double said[SAID_COUNT];

    self->census = NULL;
    said_read(census, said);
    history_say(self->history, said);
}

void survey_ask(struct survey *survey)
{
    static const struct census_answer nobody;
    double said[SAID_COUNT];

    if (survey->census != NULL) /* the loop stood still for that long */
        return;
    if (census_ask(survey->edge, ANSWER_MS, on_census, survey, &survey->census) == SH_OK)
        return;
    said_read(&nobody, said);
    history_say(survey->history, said);
}

static void on_timer(uv_timer_t *timer)
{
    survey_ask(timer->data);
}

enum sh_err survey_open(struct edge *edge, struct history *history, struct survey **out)
{
    struct survey *self = sh_alloc(sizeof *self);

    if (self == NULL)
        return SH_NOMEM;
    self->edge = edge;
    self->history = history;
    self->timer.data = self;
    /* neither can fail: the loop is open and the callback is set */
    (void)uv_timer_init(edge->loop, &self->timer);
    (void)uv_timer_start(&self->timer, on_timer, FIRST_MS,
                         HISTORY_STEP_S * UINT64_C(1000));
    *out = self;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void survey_close(struct survey **survey)
{
    struct survey *self = *survey;

    *survey = NULL;
    if (self == NULL)
        return;
    census_cancel(&self->census);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}
