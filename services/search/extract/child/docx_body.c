#include "services/search/extract/child/docx.h"

/* What Word shows only otherwise (older forms of a drawing) or no more (moved away). */
static bool is_skipped(const char *name)
{
    return strcmp(name, "Fallback") == 0 || strcmp(name, "moveFrom") == 0;
}

/* --- paragraphs ------------------------------------------------------------------- */

static void end_paragraph(struct docx_body *body)
{
    struct out *out = body->out;
    struct sh_bytes text = sh_buffer_bytes(&body->paragraph);

    if (body->paragraph.err != SH_OK) {
        out_refuse(out, OUT_LIMIT, "there is not memory enough to read it");
    } else if (body->tables > 0) {
        out_text(out, text);
        if (text.len > 0)
            out_text(out, sh_bytes_of(" "));
    } else if (out_trim(text).len == 0) {
        out_paragraph(out);
    } else if (body->level > 0) {
        out_heading(out, text);
    } else {
        if (body->title)
            out_set(out, &out->title, text, 2048);
        out_text(out, text);
        out_paragraph(out);
    }
    sh_buffer_clear(&body->paragraph);
    body->level = 0;
    body->title = false;
}

/* A paragraph may hold a text box, and that paragraphs: what came before stands alone. */
static void begin_paragraph(struct docx_body *body)
{
    if (body->paragraph.len > 0)
        end_paragraph(body);
}

static void add(struct docx_body *body, struct sh_bytes text)
{
    if (body->paragraph.len + text.len > body->out->limits.characters * 4)
        out_refuse(body->out, OUT_LIMIT, "it has more than %llu characters",
                   (unsigned long long)body->out->limits.characters);
    else
        sh_buffer_append(&body->paragraph, text.data, text.len);
}

/* --- elements --------------------------------------------------------------------- */

static void start_of_table(struct docx_body *body, const char *name)
{
    if (strcmp(name, "tbl") == 0) {
        body->tables++;
        out_paragraph(body->out);
    } else if (strcmp(name, "tr") == 0) {
        body->cell = false;
        out_line(body->out);
    } else if (strcmp(name, "tc") == 0) {
        if (body->cell)
            out_text(body->out, sh_bytes_of("| "));
        body->cell = true;
    }
}

static void on_start(void *arg, const char *name, const xmlChar **attributes, int count)
{
    struct docx_body *body = arg;
    struct sh_bytes value = xml_attribute(attributes, count, "val");

    body->skipped += is_skipped(name);
    if (body->skipped > 0)
        return;
    if (strcmp(name, "t") == 0) {
        body->in_text = true;
    } else if (strcmp(name, "p") == 0) {
        begin_paragraph(body);
    } else if (strcmp(name, "pStyle") == 0) {
        body->level = docx_style_level(body->styles, value, &body->title);
    } else if (strcmp(name, "outlineLvl") == 0 && value.len == 1) {
        char digit = *(const char *)value.data;
        body->level = digit >= '0' && digit <= '8' ? (uint32_t)(digit - '0') + 1 : 0;
    } else if (strcmp(name, "tab") == 0) {
        if (body->paragraph.len > 0) /* else it is a tab stop of the style */
            add(body, sh_bytes_of("\t"));
    } else if (strcmp(name, "br") == 0 || strcmp(name, "cr") == 0) {
        add(body, sh_bytes_of("\n"));
    } else if (strcmp(name, "noBreakHyphen") == 0) {
        add(body, sh_bytes_of("-"));
    } else {
        start_of_table(body, name);
    }
}

static void on_end(void *arg, const char *name)
{
    struct docx_body *body = arg;

    if (is_skipped(name)) {
        body->skipped -= body->skipped > 0;
        return;
    }
    if (body->skipped > 0)
        return;
    if (strcmp(name, "t") == 0) {
        body->in_text = false;
    } else if (strcmp(name, "p") == 0 || strcmp(name, "body") == 0) {
        end_paragraph(body);
    } else if (strcmp(name, "tbl") == 0) {
        body->tables -= body->tables > 0;
        out_paragraph(body->out);
    }
}

static void on_text(void *arg, struct sh_bytes text)
{
    struct docx_body *body = arg;

    if (body->in_text && body->skipped == 0)
        add(body, text);
}

const struct xml_events docx_body_events = {on_start, on_end, on_text};
