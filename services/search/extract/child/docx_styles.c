#include <strings.h>

#include "services/search/extract/child/docx.h"

enum { BASED_ON_MAX = 10, LEVEL_MAX = 9 };

/* "heading 3" → 3 */
static uint32_t level_of_name(struct sh_bytes name)
{
    static const char word[] = "heading ";
    const char *at = name.data;
    size_t len = sizeof(word) - 1;

    if (name.len != len + 1 || strncasecmp(at, word, len) != 0 || at[len] < '1' ||
        at[len] > '9')
        return 0;
    return (uint32_t)(at[len] - '0');
}

/* The outline counts from 0, and 9 is body text. */
static uint32_t level_of_outline(struct sh_bytes value)
{
    const char *at = value.data;

    if (value.len != 1 || at[0] < '0' || at[0] >= '0' + LEVEL_MAX)
        return 0;
    return (uint32_t)(at[0] - '0') + 1;
}

static void begin(struct docx_styles *styles, struct sh_bytes id)
{
    styles->open = NULL;
    if (styles->count == DOCX_STYLES_MAX || id.len == 0)
        return;
    styles->open = &styles->all[styles->count++];
    styles->open->id = sh_arena_copy(&styles->arena, id);
}

static void on_start(void *arg, const char *name, const xmlChar **attributes, int count)
{
    struct docx_styles *styles = arg;
    struct docx_style *open = styles->open;
    struct sh_bytes value = xml_attribute(attributes, count, "val");

    if (strcmp(name, "style") == 0) {
        begin(styles, xml_attribute(attributes, count, "styleId"));
    } else if (open == NULL) {
        return;
    } else if (strcmp(name, "name") == 0) {
        open->level = level_of_name(value);
        open->title = value.len == 5 && strncasecmp(value.data, "title", 5) == 0;
    } else if (strcmp(name, "basedOn") == 0) {
        open->based_on = sh_arena_copy(&styles->arena, value);
    } else if (strcmp(name, "outlineLvl") == 0 && open->level == 0) {
        open->level = level_of_outline(value);
    }
}

static void on_end(void *arg, const char *name)
{
    if (strcmp(name, "style") == 0)
        ((struct docx_styles *)arg)->open = NULL;
}

const struct xml_events docx_styles_events = {on_start, on_end, NULL};

static const struct docx_style *find(const struct docx_styles *styles, struct sh_bytes id)
{
    for (size_t i = 0; i < styles->count; i++)
        if (sh_bytes_equal(styles->all[i].id, id))
            return &styles->all[i];
    return NULL;
}

uint32_t docx_style_level(const struct docx_styles *styles, struct sh_bytes id,
                          bool *title)
{
    const struct docx_style *style = find(styles, id);

    *title = style != NULL && style->title;
    for (int i = 0; style != NULL && i < BASED_ON_MAX; i++) {
        if (style->level > 0)
            return style->level;
        style = style->based_on.len > 0 ? find(styles, style->based_on) : NULL;
    }
    return 0;
}
