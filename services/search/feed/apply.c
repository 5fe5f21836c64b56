#include "services/search/feed/apply.h"

#include "services/search/store/statements.h"
#include "shared/log.h"
#include "shared/pg_array.h"

/* --- rows ------------------------------------------------------------------------- */

static struct sh_bytes text_at(const PGresult *page, int row, enum page_column column)
{
    return sh_pg_text(page, row, (int)column);
}

static uint32_t int_at(const PGresult *page, int row, enum page_column column)
{
    if (PQgetisnull(page, row, (int)column) || PQgetlength(page, row, (int)column) != 4)
        return 0;
    return sh_pg_array_get_u32(PQgetvalue(page, row, (int)column));
}

/* Copied: libpq does not align its values. NULL when there is none of this dimension. */
static const float *vector_at(const PGresult *page, int row, uint32_t dimension,
                              struct sh_arena *arena)
{
    size_t bytes = dimension * sizeof(float);
    float *vector;

    if (dimension == 0 || PQgetisnull(page, row, PAGE_VECTOR) ||
        (size_t)PQgetlength(page, row, PAGE_VECTOR) != bytes)
        return NULL;
    vector = sh_arena_alloc(arena, bytes);
    if (vector != NULL)
        memcpy(vector, PQgetvalue(page, row, PAGE_VECTOR), bytes);
    return vector;
}

static int end_of_document(const PGresult *page, int row)
{
    const char *id = PQgetvalue(page, row, PAGE_ID);
    int end = row + 1;

    while (end < PQntuples(page) && strcmp(PQgetvalue(page, end, PAGE_ID), id) == 0)
        end++;
    return end;
}

static enum sh_err read_chunks(const PGresult *page, int row, int end, uint32_t dimension,
                               struct sh_arena *arena, struct view_document *document)
{
    struct view_chunk *chunks;

    if (PQgetisnull(page, row, PAGE_CHUNK_ID))
        return SH_OK;
    chunks = sh_arena_array(arena, (size_t)(end - row), sizeof(*chunks));
    if (chunks == NULL)
        return SH_NOMEM;
    document->chunks = chunks;
    document->chunk_count = (size_t)(end - row);
    for (; row < end; row++, chunks++) {
        chunks->chunk_id = text_at(page, row, PAGE_CHUNK_ID);
        chunks->section_title = text_at(page, row, PAGE_SECTION_TITLE);
        chunks->text = text_at(page, row, PAGE_TEXT);
        chunks->page_number = int_at(page, row, PAGE_NUMBER);
        chunks->ordinal = int_at(page, row, PAGE_ORDINAL);
        chunks->vector = vector_at(page, row, dimension, arena);
    }
    return SH_OK;
}

static void drop_vectors(struct view_document *document, struct view_chunk *chunks)
{
    for (size_t i = 0; i < document->chunk_count; i++)
        chunks[i].vector = NULL;
    document->chunks = chunks;
}

/* A document that the view refuses with its vectors is better without them than gone. */
static enum sh_err put(struct view *view, struct view_document *document,
                       struct sh_arena *arena, struct apply_outcome *outcome)
{
    enum sh_err err = view_put(view, document);
    struct view_chunk *chunks;

    if (err == SH_OK || err == SH_NOMEM || err == SH_IO)
        return err;
    chunks = sh_arena_array(arena, document->chunk_count + 1, sizeof(*chunks));
    if (chunks == NULL)
        return SH_NOMEM;
    if (document->chunk_count > 0)
        memcpy(chunks, document->chunks, document->chunk_count * sizeof(*chunks));
    drop_vectors(document, chunks);
    err = view_put(view, document);
    if (err != SH_OK && err != SH_NOMEM) {
        outcome->refused++;
        sh_error(NULL, "document %.*s cannot be searched: %s", (int)document->id.len,
                 (const char *)document->id.data, sh_err_text(err));
        return SH_OK;
    }
    return err;
}

static enum sh_err apply_document(struct view *view, uint32_t dimension,
                                  const PGresult *page, int row, int end,
                                  struct apply_outcome *outcome)
{
    struct sh_arena arena = {0};
    struct view_document document = {
        .id = text_at(page, row, PAGE_ID),
        .title = text_at(page, row, PAGE_TITLE),
        .collection = text_at(page, row, PAGE_COLLECTION),
        .department = text_at(page, row, PAGE_DEPARTMENT),
        .campus = text_at(page, row, PAGE_CAMPUS),
        .priority = int_at(page, row, PAGE_PRIORITY),
        .clearance_level = int_at(page, row, PAGE_CLEARANCE),
        .metadata = text_at(page, row, PAGE_METADATA),
        .has_file = *PQgetvalue(page, row, PAGE_HAS_FILE) == 1,
    };
    enum sh_err err = read_chunks(page, row, end, dimension, &arena, &document);

    if (err == SH_OK)
        err = put(view, &document, &arena, outcome);
    if (document.title.len > 0 && document.title.len < sizeof(outcome->sample)) {
        memcpy(outcome->sample, document.title.data, document.title.len);
        outcome->sample[document.title.len] = '\0';
    }
    sh_arena_free(&arena);
    return err;
}

/* --- pages ------------------------------------------------------------------------ */

bool apply_is_last(const PGresult *page, bool of_all, char after[257])
{
    int rows = PQntuples(page);

    if (rows == 0)
        return true;
    const char *id = PQgetvalue(page, rows - 1, PAGE_ID);
    int first = rows - 1; /* of the last document: it has the column */
    while (first > 0 && strcmp(PQgetvalue(page, first - 1, PAGE_ID), id) == 0)
        first--;
    memccpy(after, id, '\0', 256);
    /* Of what is loaded as a whole, it only spans one page's candidates. */
    return !of_all && strcmp(PQgetvalue(page, first, PAGE_LAST), id) == 0;
}

enum sh_err apply_page(struct view *view, uint32_t dimension, const PGresult *page,
                       struct changed_ids *changed, bool unseen,
                       struct apply_outcome *outcome)
{
    int rows = PQntuples(page);
    enum sh_err err = SH_OK;

    *outcome = (struct apply_outcome){0};
    if (unseen)
        view_load_begin(view);
    for (int row = 0, end; row < rows && err == SH_OK; row = end) {
        const char *id = PQgetvalue(page, row, PAGE_ID);
        end = end_of_document(page, row);
        err = apply_document(view, dimension, page, row, end, outcome);
        if (changed != NULL)
            changed_mark(changed, id);
        outcome->documents++;
    }
    enum sh_err loaded = unseen ? view_load_end(view) : SH_OK;
    return err != SH_OK ? err : loaded;
}

void apply_removals(struct view *view, const struct changed_ids *changed)
{
    for (size_t i = 0; i < changed->count; i++)
        if (!changed->found[i])
            (void)!view_remove(view,
                               sh_bytes_of(changed->ids[i])); /* or never was there */
}
