#include "services/graph/feed/held.h"

enum sh_err held_new(const char *names, struct held_graph **out)
{
    struct held_graph *held = sh_alloc(sizeof(*held));
    enum sh_err err = held ? graph_create(&held->graph) : SH_NOMEM;
    if (err == SH_OK)
        err = finder_create(names, &held->finder);
    if (err == SH_OK)
        err = value_finder_create(&held->values);
    if (err != SH_OK) {
        if (held != NULL) {
            finder_free(&held->finder);
            graph_free(&held->graph);
        }
        sh_free(held);
        return err;
    }
    held->users = 1;
    *out = held;
    return SH_OK;
}

void held_release(struct held_graph *held)
{
    if (held == NULL || --held->users > 0)
        return;
    finder_free(&held->finder);
    value_finder_free(&held->values);
    graph_free(&held->graph);
    sh_free(held);
}
