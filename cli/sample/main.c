/* cairn-sample: manuals in text form (gzip or plain) to documents, one JSON object a
 * line, as POST /api/documents/batch takes them. A document is a chapter; its sections
 * are the headings below. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/sample/manual.h"
#include "shared/buffer.h"
#include "shared/bytes.h"

enum { DEPTH = 6 };

struct writer {
    const char *source; /* "debian-policy": names the documents */
    const char *manual_title;
    unsigned top;  /* heading level that starts a document */
    bool numbered; /* chapters bear numbers: what does not is front matter */
    unsigned number;
    json_t *document;
    json_t *sections;
    char path[DEPTH][256]; /* titles above the section */
    struct sh_buffer text;
};

static void check(int rc)
{
    if (rc != 0) {
        (void)fprintf(stderr, "cairn-sample: out of memory\n");
        exit(EXIT_FAILURE);
    }
}

static void end_section(struct writer *w)
{
    while (w->text.len > 0 && w->text.data[w->text.len - 1] == '\n')
        w->text.len--;
    if (w->document && w->text.len > 0) {
        struct sh_buffer title = {0};
        for (size_t i = 1; i < DEPTH; i++) {
            if (w->path[i][0])
                sh_buffer_printf(&title, "%s%s", title.len > 0 ? " > " : "", w->path[i]);
        }
        json_t *section =
            json_pack("{s:s%, s:s%}", "title", title.len > 0 ? title.data : "", title.len,
                      "text", w->text.data, w->text.len);
        check(json_array_append_new(w->sections, section));
        sh_buffer_free(&title);
    }
    sh_buffer_clear(&w->text);
}

static void end_document(struct writer *w)
{
    end_section(w);
    if (w->document && json_array_size(w->sections) > 0) {
        check(json_dumpf(w->document, stdout, JSON_COMPACT));
        (void)putchar('\n');
    }
    json_decref(w->document);
    w->document = NULL;
}

static void start_document(struct writer *w, const char *title)
{
    end_document(w);
    char id[128];
    char full[600];
    (void)snprintf(id, sizeof(id), "%s-%u", w->source, ++w->number);
    (void)snprintf(full, sizeof(full), "%s: %s", w->manual_title, title);
    w->sections = json_array();
    w->document = json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:o}", "id", id, "title", full,
                            "collection", "manuals", "metadata", "source", w->source,
                            "language", "en", "sections", w->sections);
    check(w->document ? 0 : -1);
}

static void heading(struct writer *w, unsigned level, const char *title)
{
    if (level <= w->top && w->numbered && !manual_is_numbered(title)) {
        end_document(w);
        return;
    }
    unsigned depth = level > w->top ? level - w->top : 0;
    if (depth >= DEPTH)
        depth = DEPTH - 1;
    if (depth == 0)
        start_document(w, title);
    else
        end_section(w);
    (void)snprintf(w->path[depth], sizeof(w->path[depth]), "%s", title);
    for (size_t i = depth + 1; i < DEPTH; i++)
        w->path[i][0] = '\0';
}

static bool has_numbers(const struct manual *manual, unsigned top)
{
    struct manual_marks marks = {0};
    for (size_t i = 0; i < manual->count; i++) {
        size_t span = 1;
        const char *title = NULL;
        unsigned level = manual_heading(manual, i, &marks, &span, &title);
        if (level > 0 && level <= top && manual_is_numbered(title))
            return true;
    }
    return false;
}

/* "debian-policy=Debian Policy Manual:2=PATH" */
static bool convert(char *spec)
{
    char *title = strchr(spec, '=');
    char *level = title ? strchr(title, ':') : NULL;
    char *path = level ? strchr(level, '=') : NULL;
    struct manual manual;
    if (!path)
        return false;
    *title++ = *level++ = *path++ = '\0';
    if (!manual_read(path, &manual))
        return false;

    struct writer w = {
        .source = spec, .manual_title = title, .top = (unsigned)strtoul(level, NULL, 10)};
    w.numbered = has_numbers(&manual, w.top);
    struct manual_marks marks = {0};
    for (size_t i = 0; i < manual.count;) {
        size_t span = 1;
        const char *text = NULL;
        unsigned found = manual_heading(&manual, i, &marks, &span, &text);
        if (found > 0)
            heading(&w, found, text);
        else
            sh_buffer_printf(&w.text, "%s\n", manual.lines[i].text);
        i += span;
    }
    end_document(&w);
    sh_buffer_free(&w.text);
    manual_free(&manual);
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: cairn-sample SOURCE=TITLE:LEVEL=FILE…\n"
                              "LEVEL is the heading level that starts a document.\n");
        return EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++) {
        char *copy = strdup(argv[i]);
        bool ok = copy && convert(copy);
        free(copy);
        if (!ok) {
            (void)fprintf(stderr, "cairn-sample: cannot read %s\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
