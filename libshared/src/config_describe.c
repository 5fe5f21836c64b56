#include "libshared/src/config_value.h"

/* Text in a cell of a table. */
static void cell(struct sh_buffer *out, struct sh_bytes text)
{
    const char *at = text.data;
    for (size_t i = 0; i < text.len; i++) {
        if (at[i] == '|')
            sh_buffer_text(out, "\\");
        sh_buffer_append(out, at + i, 1);
    }
}

static void add_note(struct sh_buffer *out, const char *note)
{
    if (out->len > 0)
        sh_buffer_text(out, ", ");
    sh_buffer_text(out, note);
}

/* "secret, read again on SIGHUP, also POSTGRES_PASSWORD" */
static void notes(const struct sh_setting *row, struct sh_buffer *out)
{
    const char *aliases = sh_config_aliases(row);
    struct sh_bytes name = sh_config_item(aliases, 0);
    sh_buffer_clear(out);
    if (row->flags & SH_REQUIRED)
        add_note(out, "required");
    if (row->flags & SH_SECRET)
        add_note(out, "secret");
    if (row->flags & SH_RELOAD)
        add_note(out, "read again on SIGHUP");
    for (size_t n = 1; name.data; n++) {
        add_note(out, "also ");
        sh_buffer_append(out, name.data, name.len);
        name = sh_config_item(aliases, n);
    }
}

static void range(const struct sh_setting *row, struct sh_buffer *out)
{
    sh_buffer_clear(out);
    sh_config_show_range(row, out);
}

static void markdown_row(const struct sh_setting *row, struct sh_buffer *scratch,
                         struct sh_buffer *out)
{
    sh_buffer_printf(out, "| `%s` | ", row->name);
    if (row->fallback[0] != '\0')
        sh_buffer_printf(out, "`%s`", row->fallback);
    sh_buffer_text(out, " | ");
    range(row, scratch);
    cell(out, sh_buffer_bytes(scratch));
    sh_buffer_text(out, " | ");
    notes(row, scratch);
    cell(out, sh_buffer_bytes(scratch));
    sh_buffer_text(out, " | ");
    cell(out, sh_bytes_of(row->help));
    sh_buffer_text(out, " |\n");
}

static void plain_row(const struct sh_setting *row, struct sh_buffer *scratch,
                      struct sh_buffer *out)
{
    sh_buffer_printf(out, "  %s=%s\n      %s\n      (", row->name, row->fallback,
                     row->help);
    range(row, scratch);
    sh_buffer_append(out, scratch->data, scratch->len);
    notes(row, scratch);
    if (scratch->len > 0)
        sh_buffer_text(out, "; ");
    sh_buffer_append(out, scratch->data, scratch->len);
    sh_buffer_text(out, ")\n");
}

void sh_config_describe(const struct sh_settings *groups, size_t count, bool markdown,
                        struct sh_buffer *out)
{
    struct sh_buffer scratch = {0};
    for (size_t i = 0; i < count; i++) {
        if (markdown)
            sh_buffer_printf(
                out,
                "### %s\n\n| Variable | Default | Values | Notes | Meaning |\n"
                "|---|---|---|---|---|\n",
                groups[i].title);
        else
            sh_buffer_printf(out, "%s:\n", groups[i].title);
        for (size_t j = 0; j < groups[i].count; j++) {
            if (markdown)
                markdown_row(&groups[i].rows[j], &scratch, out);
            else
                plain_row(&groups[i].rows[j], &scratch, out);
        }
        sh_buffer_text(out, "\n");
    }
    if (scratch.err != SH_OK)
        out->err = scratch.err;
    sh_buffer_free(&scratch);
}
