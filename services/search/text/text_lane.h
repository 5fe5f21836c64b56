/* text_lane: a word of a query on its way through the passages, window by window, for the
 * files of the text index only. */
#ifndef SEARCH_TEXT_LANE_H
#define SEARCH_TEXT_LANE_H

#include "services/search/text/text_score.h"

enum { TEXT_WINDOW = 2048 };

struct text_window {
    uint32_t low;
    uint32_t high; /* the first passage behind it */
    float need;    /* what a posting must score to matter */
    uint64_t seen[TEXT_WINDOW / 64];
};

struct lane_form {
    struct scored_form form;
    struct postings_cursor cursor;
    uint32_t block; /* the first that reaches into the window or behind it */
    uint32_t at;    /* in the block that was read */
    float rest;     /* no posting behind the blocks scores more */
    bool scored;    /* the block that was read */
    float scores[POSTINGS_BLOCK];
};

struct lane {
    struct lane_form *forms; /* the best counts, not their sum */
    uint32_t count;
    float bound;    /* in the window */
    float here;     /* of the passage at hand */
    bool essential; /* in the window */
    bool filled;    /* parts are not all zero */
    float parts[TEXT_WINDOW];
};

/* False: no passage holds the word, or (lane->count > 0) out of memory. */
bool lane_open(struct lane *lane, const struct scorer *scorer,
               const struct text_word *word, struct sh_arena *arena);
/* Back to the first window. */
void lane_rewind(struct lane *lane, const struct scorer *scorer);
/* No passage of the window has more of this word. */
float lane_bound(struct lane *lane, const struct scorer *scorer,
                 const struct text_window *window);
/* Sets lane->parts, and in window->seen where they are: those that matter, and perhaps
 * others. */
void lane_fill(struct lane *lane, const struct scorer *scorer,
               struct text_window *window);
/* What the passage has, which is behind those that were asked before; 0 also where it
 * must be less than `need`. */
float lane_probe(struct lane *lane, const struct scorer *scorer, uint32_t passage,
                 float need);

#endif
