#include "services/search/text/text_lane.h"

/* --- the forms -------------------------------------------------------------------- */

static void score_block(struct lane_form *form, const struct scorer *scorer)
{
    struct postings_cursor *cursor = &form->cursor;
    if (form->scored)
        return;
    postings_counts(cursor);
    scorer_block(scorer, cursor, form->form.factor, form->scores);
    form->scored = true;
}

static void rewind_form(struct lane_form *form, const struct scorer *scorer)
{
    const struct postings *list = &form->form.term->postings;
    postings_open(&form->cursor, list);
    form->block = 0;
    form->at = 0;
    form->scored = false;
    form->rest = form->form.factor * (scorer->k1 + 1) * 1.0001F;
    if (postings_blocks(list) > 0 || !postings_read(&form->cursor))
        return;
    score_block(form, scorer);
    form->rest = 0;
    for (uint32_t i = 0; i < form->cursor.count; i++)
        form->rest = form->scores[i] > form->rest ? form->scores[i] : form->rest;
}

static bool is_read(const struct postings_cursor *cursor, uint32_t passage)
{
    return cursor->count > 0 && cursor->passages[cursor->count - 1] >= passage;
}

/* Of the postings behind the last block. */
static float bound_of_rest(struct lane_form *form, const struct text_window *window)
{
    const struct postings *list = &form->form.term->postings;
    struct postings_cursor *cursor = &form->cursor;
    if (list->last <= window->low)
        return 0;
    if (cursor->next <= postings_blocks(list) || !is_read(cursor, window->low))
        return form->rest;
    while (cursor->passages[form->at] < window->low)
        form->at++;
    return cursor->passages[form->at] < window->high ? form->rest : 0;
}

static float bound_of(struct lane_form *form, const struct scorer *scorer,
                      const struct text_window *window)
{
    const struct postings *list = &form->form.term->postings;
    uint32_t blocks = postings_blocks(list);
    float most = 0;
    while (form->block < blocks && list->blocks[form->block].last < window->low)
        form->block++;
    for (uint32_t block = form->block; block < blocks; block++) {
        float bound = scorer_bound(scorer, &list->blocks[block], form->form.factor);
        most = bound > most ? bound : most;
        if (list->blocks[block].last >= window->high - 1)
            return most;
    }
    float rest = bound_of_rest(form, window);
    return rest > most ? rest : most;
}

/* The next block of the window that matters; false: none. */
static bool read_next(struct lane_form *form, const struct scorer *scorer,
                      const struct text_window *window)
{
    struct postings_cursor *cursor = &form->cursor;
    const struct postings_block *blocks = cursor->list->blocks;
    for (; cursor->next < postings_blocks(cursor->list); cursor->next++) {
        const struct postings_block *block = &blocks[cursor->next];
        if (cursor->next > 0 && block[-1].last >= window->high - 1)
            return false;
        if (scorer_bound(scorer, block, form->form.factor) >= window->need)
            break;
        if (block->last >= window->high - 1)
            return false;
    }
    form->at = 0;
    form->scored = false;
    return postings_read(cursor);
}

/* --- the word --------------------------------------------------------------------- */

static void add_block(struct lane *lane, struct lane_form *form,
                      const struct scorer *scorer, struct text_window *window)
{
    const struct postings_cursor *cursor = &form->cursor;
    score_block(form, scorer);
    lane->filled = true;
    for (; form->at < cursor->count && cursor->passages[form->at] < window->high;
         form->at++) {
        uint32_t place = cursor->passages[form->at] - window->low;
        if (place >= TEXT_WINDOW)
            continue; /* before the window, or a snapshot that contradicts itself */
        if (form->scores[form->at] > lane->parts[place])
            lane->parts[place] = form->scores[form->at];
        window->seen[place / 64] |= UINT64_C(1) << (place % 64);
    }
}

static void fill_form(struct lane *lane, struct lane_form *form,
                      const struct scorer *scorer, struct text_window *window)
{
    if (!is_read(&form->cursor, window->low)) {
        postings_seek(&form->cursor, window->low);
        if (!read_next(form, scorer, window))
            return;
    }
    add_block(lane, form, scorer, window);
    while (form->at == form->cursor.count && read_next(form, scorer, window))
        add_block(lane, form, scorer, window);
}

bool lane_open(struct lane *lane, const struct scorer *scorer,
               const struct text_word *word, struct sh_arena *arena)
{
    struct scored_form forms[TEXT_FORMS];
    lane->count = scorer_forms(scorer->index, word, forms);
    if (lane->count == 0)
        return false;
    lane->forms = sh_arena_array(arena, lane->count, sizeof(*lane->forms));
    for (uint32_t i = 0; lane->forms && i < lane->count; i++)
        lane->forms[i].form = forms[i];
    return lane->forms != NULL;
}

void lane_rewind(struct lane *lane, const struct scorer *scorer)
{
    for (uint32_t i = 0; i < lane->count; i++)
        rewind_form(&lane->forms[i], scorer);
}

float lane_bound(struct lane *lane, const struct scorer *scorer,
                 const struct text_window *window)
{
    float most = 0;
    for (uint32_t i = 0; i < lane->count; i++) {
        float bound = bound_of(&lane->forms[i], scorer, window);
        most = bound > most ? bound : most;
    }
    return most;
}

void lane_fill(struct lane *lane, const struct scorer *scorer, struct text_window *window)
{
    if (lane->filled)
        memset(lane->parts, 0, sizeof(lane->parts));
    lane->filled = false;
    for (uint32_t i = 0; i < lane->count; i++)
        fill_form(lane, &lane->forms[i], scorer, window);
}

/* The block where the passage would stand, which is not read yet, is not worth it. */
static bool is_worthless(struct lane_form *form, const struct scorer *scorer,
                         uint32_t passage, float need)
{
    struct postings_cursor *cursor = &form->cursor;
    postings_seek(cursor, passage);
    return cursor->next < postings_blocks(cursor->list) &&
           scorer_bound(scorer, &cursor->list->blocks[cursor->next], form->form.factor) <
               need;
}

float lane_probe(struct lane *lane, const struct scorer *scorer, uint32_t passage,
                 float need)
{
    float best = 0;
    for (uint32_t i = 0; i < lane->count; i++) {
        struct lane_form *form = &lane->forms[i];
        struct postings_cursor *cursor = &form->cursor;
        if (!is_read(cursor, passage)) {
            if (is_worthless(form, scorer, passage, need))
                continue;
            form->scored = false;
        }
        if (!postings_advance(cursor, passage, &form->at) ||
            cursor->passages[form->at] != passage)
            continue;
        postings_counts(cursor);
        float score = scorer_score(scorer, cursor, form->at, form->form.factor);
        best = score > best ? score : best;
    }
    return best;
}
