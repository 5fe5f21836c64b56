#include "shared/config.h"

#include "libshared/src/config_source.h"
#include "libshared/src/config_value.h"

/* Texts that were loaded, for the life of the process. */
static struct sh_arena kept;

struct loader {
    struct sh_config_source source;
    struct sh_buffer *faults;
    enum sh_err err; /* the first that counts: SH_NOMEM over SH_INVALID */
};

static void note(struct loader *loader, enum sh_err err)
{
    if (err != SH_OK && loader->err != SH_NOMEM)
        loader->err = err;
}

/* What the row is set to now, or its default. */
static enum sh_err evaluate(struct loader *loader, const struct sh_setting *row,
                            union sh_config_value *value)
{
    const char *name;
    const char *text;
    enum sh_err err =
        sh_config_source_find(&loader->source, row, &name, &text, loader->faults);
    if (err != SH_OK)
        return err;
    if (!text && row->flags & SH_REQUIRED) {
        sh_buffer_printf(loader->faults, "%s: must be set\n", row->name);
        return SH_INVALID;
    }
    if (!text && sh_config_is_text(row) && row->fallback[0] == '\0') {
        value->text = ""; /* "not set" needs to meet no bound */
        return SH_OK;
    }
    return sh_config_parse(row, name, text ? text : row->fallback, &loader->source.arena,
                           value, loader->faults);
}

/* Texts move from the loader's arena to where they stay. */
static enum sh_err store(const struct sh_setting *row, union sh_config_value value,
                         void *into)
{
    if (sh_config_is_text(row)) {
        value.text = sh_arena_strndup(&kept, value.text, strlen(value.text));
        if (!value.text)
            return SH_NOMEM;
    }
    sh_config_put(row, value, into);
    return SH_OK;
}

static enum sh_err open_loader(struct loader *loader, struct sh_buffer *faults)
{
    *loader = (struct loader){.faults = faults};
    note(loader, sh_config_source_open(&loader->source, faults));
    return loader->err;
}

static enum sh_err close_loader(struct loader *loader)
{
    sh_config_source_close(&loader->source);
    note(loader, loader->faults->err);
    return loader->err;
}

/* --- load ------------------------------------------------------------------------- */

static void load_row(struct loader *loader, const struct sh_settings *group,
                     const struct sh_setting *row)
{
    union sh_config_value value = {0};
    enum sh_err err = evaluate(loader, row, &value);
    if (err == SH_OK)
        err = store(row, value, group->into);
    note(loader, err);
}

enum sh_err sh_config_load(const struct sh_settings *groups, size_t count,
                           struct sh_buffer *faults)
{
    struct loader loader;
    (void)open_loader(&loader, faults); /* go on: all faults are told together */
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < groups[i].count; j++)
            load_row(&loader, &groups[i], &groups[i].rows[j]);
    }
    return close_loader(&loader);
}

/* --- reload ----------------------------------------------------------------------- */

static void reload_row(struct loader *loader, const struct sh_settings *group,
                       const struct sh_setting *row, bool apply)
{
    union sh_config_value value = {0};
    enum sh_err err = evaluate(loader, row, &value);
    if (err != SH_OK || !apply) {
        note(loader, err);
        return;
    }
    if (sh_config_same(row, value, sh_config_get(row, group->into)))
        return;
    if (row->flags & SH_RELOAD)
        note(loader, store(row, value, group->into));
    else
        sh_buffer_printf(loader->faults, "%s: changed, needs a restart\n", row->name);
}

static void reload_all(struct loader *loader, const struct sh_settings *groups,
                       size_t count, bool apply)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < groups[i].count; j++)
            reload_row(loader, &groups[i], &groups[i].rows[j], apply);
    }
}

/* Twice over, so that one bad value leaves all of them as they were. */
enum sh_err sh_config_reload(const struct sh_settings *groups, size_t count,
                             struct sh_buffer *notes)
{
    struct loader loader;
    if (open_loader(&loader, notes) == SH_OK)
        reload_all(&loader, groups, count, false);
    if (loader.err == SH_OK)
        reload_all(&loader, groups, count, true);
    return close_loader(&loader);
}

/* --- print ------------------------------------------------------------------------ */

static bool is_default(const struct sh_setting *row, union sh_config_value value)
{
    struct sh_arena arena = {0};
    struct sh_buffer faults = {0};
    union sh_config_value fallback = {0};
    bool same = false;

    if (sh_config_is_text(row) && row->fallback[0] == '\0')
        same = !value.text || value.text[0] == '\0';
    else if (sh_config_parse(row, row->name, row->fallback, &arena, &fallback, &faults) ==
             SH_OK)
        same = sh_config_same(row, value, fallback);
    sh_buffer_free(&faults);
    sh_arena_free(&arena);
    return same;
}

static void print(const struct sh_settings *groups, size_t count, bool changed_only,
                  struct sh_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < groups[i].count; j++) {
            const struct sh_setting *row = &groups[i].rows[j];
            union sh_config_value value = sh_config_get(row, groups[i].into);
            if (changed_only && is_default(row, value))
                continue;
            sh_buffer_printf(out, "%s=", row->name);
            sh_config_show(row, value, out);
            sh_buffer_text(out, "\n");
        }
    }
}

void sh_config_print(const struct sh_settings *groups, size_t count,
                     struct sh_buffer *out)
{
    print(groups, count, false, out);
}

void sh_config_print_changed(const struct sh_settings *groups, size_t count,
                             struct sh_buffer *out)
{
    print(groups, count, true, out);
}
