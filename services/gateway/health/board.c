#include "services/gateway/health/board.h"

#include <pthread.h>

#include "shared/mem.h"

struct board {
    pthread_mutex_t lock;
    struct board_set *now;
};

enum sh_err board_create(struct board **out)
{
    struct board *board = sh_alloc(sizeof *board);

    *out = NULL;
    if (board == NULL)
        return SH_NOMEM;
    pthread_mutex_init(&board->lock, NULL);
    *out = board;
    return SH_OK;
}

static void free_set(struct board_set *set)
{
    for (int i = 0; i < PAGE_COUNT; i++)
        sh_buffer_free(&set->pages[i].body);
    sh_free(set);
}

void board_free(struct board **board)
{
    if (*board == NULL)
        return;
    if ((*board)->now != NULL)
        free_set((*board)->now);
    pthread_mutex_destroy(&(*board)->lock);
    sh_free(*board);
    *board = NULL;
}

struct board_set *board_set_new(void)
{
    struct board_set *set = sh_alloc(sizeof *set);
    if (set != NULL)
        set->references = 1;
    return set;
}

void board_publish(struct board *board, struct board_set *set)
{
    pthread_mutex_lock(&board->lock);
    struct board_set *old = board->now;
    board->now = set;
    pthread_mutex_unlock(&board->lock);
    if (old != NULL)
        board_drop(board, old);
}

struct board_set *board_take(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    struct board_set *set = board->now;
    if (set != NULL)
        set->references++;
    pthread_mutex_unlock(&board->lock);
    return set;
}

void board_drop(struct board *board, struct board_set *set)
{
    pthread_mutex_lock(&board->lock);
    bool last = --set->references == 0;
    pthread_mutex_unlock(&board->lock);
    if (last)
        free_set(set);
}
