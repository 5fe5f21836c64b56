/* PDF by poppler: pages with their numbers, and the outline for headings. */
#include <poppler.h>

#include "services/search/extract/child/readers.h"
#include "shared/mem.h"

enum { OUTLINE_MAX = 10000 };

struct book {
    struct out *out;
    PopplerDocument *document;
    int pages;
    char **headings; /* of each page from 1: the last entry of the outline on it */
    int entries;
};

/* --- the outline ------------------------------------------------------------------ */

static int page_of(const struct book *book, const PopplerAction *action)
{
    const PopplerDest *goal = action->goto_dest.dest;
    PopplerDest *found = NULL;
    int page = 0;

    if (goal != NULL && goal->type == POPPLER_DEST_NAMED && goal->named_dest != NULL)
        goal = found = poppler_document_find_dest(book->document, goal->named_dest);
    if (goal != NULL)
        page = goal->page_num;
    if (found != NULL)
        poppler_dest_free(found);
    return page >= 1 && page <= book->pages ? page : 0;
}

static void note(struct book *book, const PopplerAction *action)
{
    int page;

    if (action->type != POPPLER_ACTION_GOTO_DEST || action->any.title == NULL)
        return;
    page = page_of(book, action);
    if (page == 0 || book->headings[page] != NULL) /* the first one on a page */
        return;
    book->headings[page] = g_strdup(action->any.title);
}

static void walk(struct book *book, PopplerIndexIter *at, uint32_t depth)
{
    do {
        PopplerAction *action = poppler_index_iter_get_action(at);
        PopplerIndexIter *child;

        if (action != NULL) {
            note(book, action);
            poppler_action_free(action);
        }
        if (++book->entries > OUTLINE_MAX || depth >= book->out->limits.nesting)
            return;
        child = poppler_index_iter_get_child(at);
        if (child != NULL) {
            walk(book, child, depth + 1);
            poppler_index_iter_free(child);
        }
    } while (poppler_index_iter_next(at));
}

static void read_outline(struct book *book)
{
    PopplerIndexIter *at = poppler_index_iter_new(book->document);

    if (at == NULL)
        return;
    walk(book, at, 0);
    poppler_index_iter_free(at);
}

/* --- the pages -------------------------------------------------------------------- */

static bool is_lower(const char *at)
{
    return (*at >= 'a' && *at <= 'z') || (unsigned char)*at >= 0x80;
}

/* A word that is parted at the end of a line becomes whole. */
static void add_lines(struct out *out, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        const char *rest = text + len + (text[len] == '\n');
        bool parted = text[len] == '\n' && len >= 2 && text[len - 1] == '-' &&
                      is_lower(text + len - 2) && is_lower(rest);
        out_text(out, (struct sh_bytes){text, parted ? len - 1 : len});
        if (!parted && text[len] == '\n')
            out_text(out, sh_bytes_of("\n"));
        text = rest;
    }
}

static void read_page(struct book *book, int number)
{
    PopplerPage *page = poppler_document_get_page(book->document, number - 1);
    char *text;

    if (page == NULL) {
        out_refuse(book->out, OUT_DAMAGED, "its page %d cannot be read", number);
        return;
    }
    text = poppler_page_get_text(page);
    if (book->headings[number] != NULL)
        out_heading(book->out, sh_bytes_of(book->headings[number]));
    out_page(book->out, (uint32_t)number);
    if (text != NULL)
        add_lines(book->out, text);
    g_free(text);
    g_object_unref(page);
}

static void read_about(struct book *book)
{
    struct out *out = book->out;
    char *title = poppler_document_get_title(book->document);
    GDateTime *made = poppler_document_get_creation_date_time(book->document);
    GDateTime *utc = made == NULL ? NULL : g_date_time_to_utc(made);
    char *text = utc == NULL ? NULL : g_date_time_format(utc, "%Y-%m-%dT%H:%M:%SZ");

    out_set(out, &out->title, sh_bytes_of(title), 2048);
    out_set(out, &out->created, sh_bytes_of(text), 64);
    g_free(title);
    g_free(text);
    if (utc != NULL)
        g_date_time_unref(utc);
    if (made != NULL)
        g_date_time_unref(made);
}

static void read_book(struct book *book)
{
    book->headings = sh_alloc_array((size_t)book->pages + 1, sizeof(*book->headings));
    if (book->headings == NULL) {
        out_refuse(book->out, OUT_LIMIT, "there is not memory enough to read it");
        return;
    }
    book->out->pages = (uint32_t)book->pages;
    read_about(book);
    read_outline(book);
    for (int page = 1; page <= book->pages && book->out->code == NULL; page++)
        read_page(book, page);
    for (int page = 1; page <= book->pages; page++)
        g_free(book->headings[page]);
    sh_free(book->headings);
}

static PopplerDocument *open_book(struct sh_bytes file, struct out *out)
{
    GError *problem = NULL;
    GBytes *bytes = g_bytes_new_static(file.data, file.len);
    PopplerDocument *document = poppler_document_new_from_bytes(bytes, NULL, &problem);

    g_bytes_unref(bytes);
    if (document == NULL &&
        g_error_matches(problem, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED))
        out_refuse(out, OUT_ENCRYPTED, "it is locked by a password");
    else if (document == NULL)
        out_refuse(out, OUT_DAMAGED, "it is damaged or not whole");
    g_clear_error(&problem);
    return document;
}

void read_pdf(struct sh_bytes file, struct out *out)
{
    struct book book = {.out = out, .document = open_book(file, out)};

    if (book.document == NULL)
        return;
    book.pages = poppler_document_get_n_pages(book.document);
    if (book.pages < 1)
        out_refuse(out, OUT_DAMAGED, "it has no pages");
    else if ((uint32_t)book.pages > out->limits.pages)
        out_refuse(out, OUT_LIMIT, "it has more than %u pages", out->limits.pages);
    else
        read_book(&book);
    g_object_unref(book.document);
}
