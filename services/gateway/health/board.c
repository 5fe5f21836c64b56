#include "services/gateway/health/board.h"

#include <pthread.h>

#include "shared/mem.h"

struct board {
    pthread_mutex_t lock;
    struct board_set *now;
    uv_async_t *wake;
    uint64_t asked;
    uint64_t answered;
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

void board_listen(struct board *board, uv_async_t *wake)
{
    pthread_mutex_lock(&board->lock);
    board->wake = wake;
    pthread_mutex_unlock(&board->lock);
}

uint64_t board_ask(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    uint64_t ticket = ++board->asked;
    if (board->wake != NULL) /* fails for a handle that closes, and none does here */
        (void)uv_async_send(board->wake);
    pthread_mutex_unlock(&board->lock);
    return ticket;
}

uint64_t board_asked(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    uint64_t ticket = board->asked;
    pthread_mutex_unlock(&board->lock);
    return ticket;
}

void board_answered(struct board *board, uint64_t ticket)
{
    pthread_mutex_lock(&board->lock);
    board->answered = ticket;
    pthread_mutex_unlock(&board->lock);
}

bool board_is_answered(struct board *board, uint64_t ticket)
{
    pthread_mutex_lock(&board->lock);
    bool answered = board->answered >= ticket;
    pthread_mutex_unlock(&board->lock);
    return answered;
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
