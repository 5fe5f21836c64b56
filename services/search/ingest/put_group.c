#include "services/search/ingest/put_internal.h"

enum { GROUP_BYTES = 1 << 20 };

static const struct {
    size_t at_once; /* while as many are under way, those that come wait for company */
    void (*start)(struct put_group *group);
} stages[PUT_STAGES] = {[PUT_LOOKING_UP] = {1, put_group_look_up},
                        [PUT_EMBEDDING] = {2, put_group_embed},
                        [PUT_STORING] = {2, put_group_store}};

/* --- who goes together ------------------------------------------------------------ */

static bool is_of(const struct put_group *group, const struct put *put)
{
    for (size_t i = 0; i < group->count; i++) {
        struct sh_bytes id = group->puts[i]->doc.id;
        if (id.len == put->doc.id.len && memcmp(id.data, put->doc.id.data, id.len) == 0)
            return true;
    }
    return false;
}

static bool goes_with(const struct put_group *group, const struct put *put)
{
    const struct put *first = group->puts[0];

    return group->count == 0 ||
           (group->count < PUT_GROUP_MOST && !first->alone && !put->alone &&
            group->bytes + put->order.payload.len <= GROUP_BYTES &&
            strcmp(first->model.fingerprint, put->model.fingerprint) == 0 &&
            !is_of(group, put));
}

static void join(struct put_group *group, struct put *put)
{
    if (group->count == 0 || put->deadline_ms < group->deadline_ms)
        group->deadline_ms = put->deadline_ms;
    group->puts[group->count++] = put;
    group->bytes += put->order.payload.len;
}

static struct put_group *new_group(struct put *first, enum put_stage_name stage)
{
    struct put_group *group = sh_alloc(sizeof(*group));

    if (group == NULL) {
        put_fail(first, SH_NOMEM, sh_err_text(SH_NOMEM));
        return NULL;
    }
    group->putter = first->putter;
    group->stage = stage;
    join(group, first);
    put_hold(group->putter);
    return group;
}

/* --- the stage's queue ------------------------------------------------------------ */

static struct put *pop(struct put_stage *stage)
{
    struct put *put = stage->first;

    stage->first = put->next;
    if (stage->first == NULL)
        stage->end = &stage->first;
    put->next = NULL;
    return put;
}

static void push(struct put_stage *stage, struct put *put)
{
    put->next = NULL;
    *stage->end = put;
    stage->end = &put->next;
}

/* Those that do not go with the first keep their order. */
static void fill(struct put_group *group, struct put_stage *stage)
{
    struct put_stage left = {.end = &left.first};

    while (stage->first != NULL) {
        struct put *put = pop(stage);
        if (goes_with(group, put))
            join(group, put);
        else
            push(&left, put);
    }
    if (left.first != NULL) {
        stage->first = left.first;
        stage->end = left.end;
    }
}

static void start_groups(struct putter *putter, enum put_stage_name name)
{
    struct put_stage *stage = &putter->stages[name];

    put_hold(putter);
    while (stage->first != NULL && stage->under_way < stages[name].at_once) {
        struct put *first = pop(stage);
        if (put_given_up(first))
            continue;
        struct put_group *group = new_group(first, name);
        if (group == NULL)
            continue;
        fill(group, stage);
        group->counted = true;
        stage->under_way++;
        stages[name].start(group);
    }
    put_unhold(putter);
}

void put_gather(struct put *put, enum put_stage_name stage)
{
    struct putter *putter = put->putter;
    struct put_group *group;

    if (put->order.quiet) {
        push(&putter->stages[stage], put);
        start_groups(putter, stage);
    } else if ((group = new_group(put, stage)) != NULL) {
        stages[stage].start(group);
    }
}

void put_group_end(struct put_group *group)
{
    struct putter *putter = group->putter;
    enum put_stage_name stage = group->stage;

    if (group->counted)
        putter->stages[stage].under_way--;
    sh_free(group->texts);
    sh_free(group->have);
    sh_free(group->vectors);
    write_free(&group->write);
    sh_free(group);
    start_groups(putter, stage);
    put_unhold(putter);
}

void put_group_fail(struct put_group *group, enum sh_err err, const char *message)
{
    for (size_t i = 0; i < group->count; i++)
        put_fail(group->puts[i], err, message);
    put_group_end(group);
}
