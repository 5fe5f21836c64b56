#include "services/gateway/graphs/portion_queue.h"

static enum sh_err make(const struct portion *portion, struct portion_waiting **out)
{
    struct portion_waiting *whole = sh_alloc(sizeof(*whole));

    if (whole == NULL)
        return SH_NOMEM;
    enum sh_err err = portion_encode(portion, &whole->frame);
    if (err != SH_OK) {
        sh_buffer_free(&whole->frame);
        sh_free(whole);
        return err;
    }
    whole->first_line = portion->first_line;
    whole->last_line = portion->last_line;
    whole->records = portion->node_count + portion->edge_count;
    *out = whole;
    return SH_OK;
}

enum sh_err portion_queue_add(struct portion_queue *queue, struct portion *portion)
{
    struct portion_waiting *whole = NULL;
    enum sh_err err = SH_OK;

    if (!portion_is_empty(portion))
        err = make(portion, &whole);
    portion_clear(portion);
    if (whole == NULL)
        return err;
    if (queue->first == NULL)
        queue->first = whole;
    else
        queue->last->next = whole;
    queue->last = whole;
    return SH_OK;
}

void portion_queue_drop(struct portion_queue *queue)
{
    struct portion_waiting *gone = queue->first;

    queue->first = gone->next;
    sh_buffer_free(&gone->frame);
    sh_free(gone);
}

void portion_queue_clear(struct portion_queue *queue)
{
    while (queue->first != NULL)
        portion_queue_drop(queue);
}
