#include "services/search/chunk/units.h"

#include <utf8proc.h>

#include "services/search/chunk/tokens.h"

enum { GREAT_GAP = 1024 };

/* The unit that is being read: from its first run that is not blank. */
struct reader {
    struct sh_bytes text;
    uint32_t most;
    struct sh_arena *arena;
    struct units *units;
    struct unit open;  /* start == end: none */
    uint32_t end;      /* of the unit before */
    bool paragraph;    /* the next unit begins one */
    bool ended;        /* a sentence end was read, blanks or closing marks may follow */
    bool ended_spaced; /* and stood apart from the word before it, as in old plain text */
    bool after_blank;  /* the run before this one was blank */
    uint32_t blank_run; /* line ends seen since the last visible run */
};

static enum sh_err push(struct units *units, struct sh_arena *arena, struct unit unit)
{
    if (units->count == units->capacity) {
        size_t capacity = units->capacity ? units->capacity * 2 : 32;
        struct unit *items = sh_arena_array(arena, capacity, sizeof(*items));
        if (!items)
            return SH_NOMEM;
        if (units->count > 0)
            memcpy(items, units->items, units->count * sizeof(*items));
        units->items = items;
        units->capacity = capacity;
    }
    units->items[units->count++] = unit;
    return SH_OK;
}

static enum sh_err finish(struct reader *reader)
{
    struct unit unit = reader->open;
    reader->ended = false;
    if (unit.start == unit.end)
        return SH_OK;
    unit.tokens = unit.tokens > 0 ? unit.tokens : 1;
    unit.paragraph = reader->paragraph;
    unit.apart = unit.start - reader->end > GREAT_GAP;
    reader->paragraph = false;
    reader->end = unit.end;
    reader->open = (struct unit){0};
    return push(reader->units, reader->arena, unit);
}

static bool ends_sentence(int32_t code)
{
    return code == '.' || code == '!' || code == '?' || code == 0x2026;
}

static bool ends_at_once(int32_t code)
{
    return code == 0x3002 || code == 0xff01 || code == 0xff1f || code == 0xff61;
}

static bool closes(int32_t code)
{
    if (code == '"' || code == '\'' || code == ')' || code == ']')
        return true;
    utf8proc_category_t category = utf8proc_category(code);
    return category == UTF8PROC_CATEGORY_PE || category == UTF8PROC_CATEGORY_PF;
}

static bool is_bullet(const struct run *run)
{
    return run->first == '-' || run->first == '*' || run->first == '+' ||
           run->first == 0x2022 || run->first == 0x2013 || run->first == 0x25aa;
}

/* Does `run`, the first visible one after blanks or a sentence end, begin a unit? */
static bool begins_unit(const struct reader *reader, const struct run *run)
{
    if (reader->blank_run >= 2)
        return true;
    if (reader->blank_run == 1 && is_bullet(run))
        return true;
    if (!reader->ended || !reader->after_blank)
        return false;
    return reader->ended_spaced || utf8proc_category(run->first) != UTF8PROC_CATEGORY_LL;
}

static void note_end(struct reader *reader, const struct run *run)
{
    if (run->kind == RUN_MARK && ends_sentence(run->first)) {
        reader->ended_spaced = reader->after_blank;
        reader->ended = true;
    } else if (run->kind != RUN_MARK || !closes(run->first)) {
        reader->ended = false;
    }
}

static enum sh_err visible(struct reader *reader, const struct run *run)
{
    enum sh_err err = SH_OK;
    if (begins_unit(reader, run)) {
        err = finish(reader);
        reader->paragraph = reader->paragraph || reader->blank_run >= 2;
    }
    uint32_t held = reader->open.tokens;
    if (err == SH_OK && held > 0 && held + run->tokens > reader->most)
        err = finish(reader); /* over-long: goes on as another unit */
    if (err != SH_OK)
        return err;
    if (reader->open.start == reader->open.end)
        reader->open.start = run->start;
    reader->open.end = run->end;
    reader->open.tokens += run->tokens;
    note_end(reader, run);
    reader->after_blank = false;
    reader->blank_run = 0;
    if (run->kind == RUN_MARK && ends_at_once(run->first))
        err = finish(reader);
    return err;
}

/* Blanks cost tokens too, so that a text of nothing else stays in bounds. */
static enum sh_err blank(struct reader *reader, const struct run *run)
{
    reader->after_blank = true;
    reader->blank_run += run->lines;
    if (reader->open.start == reader->open.end)
        return SH_OK;
    reader->open.tokens += run->tokens;
    return reader->open.tokens > reader->most ? finish(reader) : SH_OK;
}

enum sh_err units_split(struct sh_bytes text, uint32_t most, struct sh_arena *arena,
                        struct units *units)
{
    struct reader reader = {
        .text = text, .most = most, .arena = arena, .units = units, .paragraph = true};
    enum sh_err err = SH_OK;

    *units = (struct units){0};
    if (text.len > INT32_MAX)
        return SH_TOOBIG;
    for (uint32_t pos = 0; err == SH_OK && pos < text.len;) {
        struct run run = run_next(text, pos);
        err = run.kind == RUN_BLANK ? blank(&reader, &run) : visible(&reader, &run);
        pos = run.end;
    }
    return err == SH_OK ? finish(&reader) : err;
}
