#include "services/search/text/postings_head.h"

#include "shared/mem.h"

enum {
    ALLOCATED = 16 /* memory comes in multiples of this, less a word */
};

/* Once in the body is the most frequent by far: it is written as 0. */
static uint32_t swap_01(uint32_t tf)
{
    return tf < 2 ? 1 - tf : tf;
}

static uint32_t sum(const uint32_t tf[TEXT_FIELDS])
{
    return tf[TEXT_TITLE] + tf[TEXT_HEADING] + tf[TEXT_BODY];
}

static uint32_t tail_start(const struct postings *list)
{
    uint32_t blocks = postings_blocks(list);
    return blocks > 0 && list->blocks ? list->blocks[blocks - 1].end : 0;
}

/* --- writing ---------------------------------------------------------------------- */

static bool is_borrowed(const struct postings *list)
{
    return list->capacity == 0 && list->len > POSTINGS_SMALL;
}

/* Room for a power of two of blocks is what `blocks` always has. */
static enum sh_err own_blocks(struct postings *list, uint32_t room)
{
    uint32_t blocks = postings_blocks(list);
    struct postings_block *own = sh_alloc_array(room, sizeof(*own));
    if (!own)
        return SH_NOMEM;
    if (blocks > 0)
        memcpy(own, list->blocks, blocks * sizeof(*own));
    if (!is_borrowed(list))
        sh_free(list->blocks);
    list->blocks = own;
    return SH_OK;
}

static enum sh_err own(struct postings *list)
{
    struct postings owned = *list;
    uint32_t room = 1;
    while (room < postings_blocks(list))
        room *= 2;
    owned.capacity = list->len;
    owned.data = sh_alloc(list->len);
    if (!owned.data)
        return SH_NOMEM;
    enum sh_err err = postings_blocks(list) > 0 ? own_blocks(list, room) : SH_OK;
    if (err != SH_OK) {
        sh_free(owned.data);
        return err;
    }
    memcpy(owned.data, list->data, list->len);
    owned.blocks = list->blocks;
    *list = owned;
    return SH_OK;
}

static enum sh_err reserve(struct postings *list, size_t more)
{
    if (is_borrowed(list)) {
        enum sh_err err = own(list);
        if (err != SH_OK)
            return err;
    }
    uint32_t capacity = list->capacity ? list->capacity : POSTINGS_SMALL;
    if (more <= capacity - list->len)
        return SH_OK;
    if (list->len > UINT32_MAX / 4 || more > UINT32_MAX / 4)
        return SH_TOOBIG;
    uint32_t wanted = list->len + list->len / 8 + (uint32_t)more + 8;
    wanted = (wanted + ALLOCATED - 1) / ALLOCATED * ALLOCATED - 8;
    uint8_t *data = sh_realloc(list->capacity ? list->data : NULL, wanted);
    if (!data)
        return SH_NOMEM;
    if (!list->capacity) {
        memcpy(data, list->small, list->len);
        list->blocks = NULL;
    }
    list->data = data;
    list->capacity = wanted;
    return SH_OK;
}

static uint8_t *write_block(uint8_t *at, struct postings_cursor *tail, uint32_t last)
{
    uint32_t values[POSTINGS_BLOCK];
    for (int i = 0; i < POSTINGS_BLOCK; i++) {
        values[i] = tail->passages[i] - last;
        last = tail->passages[i] + 1;
    }
    at = pfor_write(at, values);
    for (int i = 0; i < POSTINGS_BLOCK; i++)
        values[i] = swap_01(tail->tf[TEXT_BODY][i]);
    at = pfor_write(at, values);
    at = pfor_write(at, tail->tf[TEXT_HEADING]);
    at = pfor_write(at, tail->tf[TEXT_TITLE]);
    for (uint32_t i = 0; i < POSTINGS_BLOCK; i++) {
        struct sh_bytes positions = postings_positions(tail, i);
        memcpy(at, positions.data, positions.len);
        at += positions.len;
    }
    return at;
}

static struct postings_block bounds_of(const struct postings_cursor *tail,
                                       const uint32_t *bodies)
{
    struct postings_block block = {.least_body = UINT16_MAX};
    for (int i = 0; i < POSTINGS_BLOCK; i++) {
        uint32_t body = bodies[tail->passages[i]];
        if (body < block.least_body)
            block.least_body = (uint16_t)body;
        for (int field = 0; field < TEXT_FIELDS; field++) {
            uint32_t tf = tail->tf[field][i];
            uint8_t most = tf > UINT8_MAX ? UINT8_MAX : (uint8_t)tf;
            if (most > block.most[field])
                block.most[field] = most;
        }
    }
    block.last = tail->passages[POSTINGS_BLOCK - 1];
    return block;
}

/* The tail, full, becomes a block. */
static enum sh_err seal(struct postings *list, const uint32_t *bodies)
{
    uint32_t blocks = postings_blocks(list);
    uint32_t start = tail_start(list);
    struct postings_cursor tail;
    size_t most = (size_t)4 * PFOR_MOST + (size_t)(list->len - start);
    enum sh_err err = SH_OK;

    uint8_t *bytes = sh_alloc(most);
    if (!bytes)
        return SH_NOMEM;
    postings_open(&tail, list);
    tail.next = blocks;
    /* what was read from a file may be anything */
    if (!postings_read(&tail) || tail.count != POSTINGS_BLOCK ||
        tail.passages[POSTINGS_BLOCK - 1] + 1 != list->last) {
        sh_free(bytes);
        return SH_MALFORMED;
    }
    uint8_t *end =
        write_block(bytes, &tail, blocks > 0 ? list->blocks[blocks - 1].last + 1 : 0);
    struct postings_block block = bounds_of(&tail, bodies);
    if ((blocks & (blocks - 1)) == 0)
        err = own_blocks(list, blocks > 0 ? blocks * 2 : 1);
    if (err == SH_OK)
        err = reserve(list, (size_t)(end - bytes));
    if (err == SH_OK) {
        memcpy(list->data + start, bytes, (size_t)(end - bytes));
        list->len = start + (uint32_t)(end - bytes);
        block.end = list->len;
        list->blocks[blocks] = block;
    }
    sh_free(bytes);
    return err;
}

enum sh_err postings_append(struct postings *list, const struct posting *posting,
                            const uint32_t *bodies)
{
    uint8_t bytes[HEAD_MOST];
    uint8_t *end = head_write(bytes, posting->passage - list->last, posting->tf);
    size_t len = (size_t)(end - bytes);
    enum sh_err err = reserve(list, len + posting->positions.len);
    if (err == SH_OK && list->count > 0 && list->count % POSTINGS_BLOCK == 0) {
        err = seal(list, bodies);
        if (err == SH_OK)
            err = reserve(list, len + posting->positions.len);
    }
    if (err != SH_OK)
        return err;
    uint8_t *at = list->capacity > 0 ? list->data : list->small;
    memcpy(at + list->len, bytes, len);
    if (posting->positions.len > 0)
        memcpy(at + list->len + len, posting->positions.data, posting->positions.len);
    list->len += (uint32_t)(len + posting->positions.len);
    list->last = posting->passage + 1;
    list->count++;
    return SH_OK;
}

void postings_free(struct postings *list)
{
    if (list->capacity) {
        sh_free(list->data);
        sh_free(list->blocks);
    }
    *list = (struct postings){0};
}

size_t postings_bytes(const struct postings *list)
{
    uint32_t room = list->capacity && list->blocks ? 1 : 0;
    while (room > 0 && room < postings_blocks(list))
        room *= 2;
    return list->capacity + room * sizeof(*list->blocks);
}

/* --- reading ---------------------------------------------------------------------- */

void postings_open(struct postings_cursor *cursor, const struct postings *list)
{
    cursor->list = list;
    cursor->next = 0;
    cursor->count = 0;
}

void postings_seek(struct postings_cursor *cursor, uint32_t passage)
{
    const struct postings *list = cursor->list;
    uint32_t blocks = postings_blocks(list);
    uint32_t low = cursor->next;
    uint32_t high = low;
    /* it is seldom far */
    for (uint32_t step = 1; high < blocks && list->blocks[high].last < passage;
         step *= 2) {
        low = high + 1;
        high = blocks - high > step ? high + step : blocks;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list->blocks[middle].last < passage)
            low = middle + 1;
        else
            high = middle;
    }
    cursor->next = low > cursor->next ? low : cursor->next;
}

/* `most`: the last passage, as the list says; what is read never goes beyond it. */
static bool read_packed(struct postings_cursor *cursor, uint32_t last, uint32_t most)
{
    cursor->rest = pfor_read(cursor->rest, cursor->end, cursor->passages);
    if (!cursor->rest)
        return false;
    uint64_t passage = last;
    for (int i = 0; i < POSTINGS_BLOCK; i++) {
        passage += cursor->passages[i];
        cursor->passages[i] = (uint32_t)passage++;
    }
    if (passage != (uint64_t)most + 1)
        return false;
    cursor->count = POSTINGS_BLOCK;
    cursor->counted = false;
    cursor->placed = false;
    return true;
}

static bool read_tail(struct postings_cursor *cursor, uint32_t last, uint32_t count)
{
    const uint8_t *at = cursor->rest;
    const uint8_t *end = cursor->end;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t head = 0;
        uint32_t tf[TEXT_FIELDS] = {[TEXT_BODY] = 1};
        at = head_get(at, end, &head);
        if ((head & 3) == HEAD_BODY)
            at = varint_get(at, end, &tf[TEXT_BODY]);
        for (int field = 0; (head & 3) == HEAD_MIXED && field < TEXT_FIELDS; field++)
            at = varint_get(at, end, &tf[field]);
        cursor->passages[i] = last + (uint32_t)(head >> 2);
        if (cursor->passages[i] < last)
            return false;
        last = cursor->passages[i] + 1;
        cursor->places[i] = at;
        for (int field = 0; field < TEXT_FIELDS; field++)
            cursor->tf[field][i] = tf[field];
        at = varint_skip(at, end, sum(tf));
    }
    if (last > cursor->list->last)
        return false;
    cursor->count = count;
    cursor->counted = true;
    cursor->placed = true;
    return count > 0;
}

bool postings_read(struct postings_cursor *cursor)
{
    const struct postings *list = cursor->list;
    uint32_t blocks = postings_blocks(list);
    uint32_t block = cursor->next;
    const uint8_t *data = postings_data(list);

    cursor->count = 0;
    if (block > blocks || list->count == 0)
        return false;
    cursor->next++;
    uint32_t last = block > 0 ? list->blocks[block - 1].last + 1 : 0;
    cursor->rest = data + (block > 0 ? list->blocks[block - 1].end : 0);
    cursor->end = data + (block < blocks ? list->blocks[block].end : list->len);
    if (block < blocks)
        return read_packed(cursor, last, list->blocks[block].last);
    return read_tail(cursor, last, list->count - blocks * POSTINGS_BLOCK);
}

bool postings_advance(struct postings_cursor *cursor, uint32_t passage, uint32_t *at)
{
    if (cursor->count == 0 || cursor->passages[cursor->count - 1] < passage) {
        postings_seek(cursor, passage);
        *at = 0;
        if (!postings_read(cursor))
            return false;
    }
    while (*at < cursor->count && cursor->passages[*at] < passage)
        ++*at;
    return *at < cursor->count;
}

static void zero_counts(struct postings_cursor *cursor)
{
    memset(cursor->tf, 0, sizeof(cursor->tf));
    cursor->rest = cursor->end;
}

void postings_counts(struct postings_cursor *cursor)
{
    static const enum text_field order[] = {TEXT_BODY, TEXT_HEADING, TEXT_TITLE};
    if (cursor->counted)
        return;
    cursor->counted = true;
    for (int i = 0; i < TEXT_FIELDS; i++) {
        cursor->rest = pfor_read(cursor->rest, cursor->end, cursor->tf[order[i]]);
        if (!cursor->rest) {
            zero_counts(cursor);
            return;
        }
    }
    for (int i = 0; i < POSTINGS_BLOCK; i++)
        cursor->tf[TEXT_BODY][i] = swap_01(cursor->tf[TEXT_BODY][i]);
}

static uint32_t occurrences(const struct postings_cursor *cursor, uint32_t at)
{
    return cursor->tf[TEXT_TITLE][at] + cursor->tf[TEXT_HEADING][at] +
           cursor->tf[TEXT_BODY][at];
}

struct sh_bytes postings_positions(struct postings_cursor *cursor, uint32_t at)
{
    postings_counts(cursor);
    if (!cursor->placed) {
        const uint8_t *place = cursor->rest;
        for (uint32_t i = 0; i < cursor->count; i++) {
            cursor->places[i] = place;
            place = varint_skip(place, cursor->end, occurrences(cursor, i));
        }
        cursor->placed = true;
    }
    const uint8_t *start = cursor->places[at];
    bool packed = cursor->next <= postings_blocks(cursor->list);
    const uint8_t *end = packed && at + 1 < cursor->count
                             ? cursor->places[at + 1]
                             : varint_skip(start, cursor->end, occurrences(cursor, at));
    return (struct sh_bytes){start, (size_t)(end - start)};
}
