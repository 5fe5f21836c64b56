/* Any bytes as a Word file: an archive as they are, and as the document's part of a good
 * one, where the fuzzer gets past the packing. Read to the end or refused. */
#include <stdlib.h>
#include <zip.h>

#include "services/search/extract/child/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool on_section(void *arg, const struct section *section)
{
    uint64_t *bytes = arg;

    *bytes += section->text.len + section->title.len;
    return true;
}

static void read_all(struct sh_bytes file)
{
    uint64_t bytes = 0;
    struct out out = {
        .limits = {.pages = 100, .characters = 100000, .nesting = 64, .ratio = 50},
        .emit = on_section,
        .arg = &bytes};

    read_docx(file, &out);
    if (out.code == NULL)
        out_end(&out);
    if (bytes > (size_t)100000 * 8) /* text of four bytes a character, headings beside */
        abort();
    out_free(&out);
}

static void add(zip_t *zip, const char *name, const void *data, size_t len)
{
    zip_source_t *source = zip_source_buffer(zip, data, len, 0);

    if (source == NULL || zip_file_add(zip, name, source, 0) < 0 ||
        zip_set_file_compression(zip, (zip_uint64_t)zip_get_num_entries(zip, 0) - 1,
                                 ZIP_CM_STORE, 0) != 0)
        abort();
}

/* The bytes are what its document says. */
static void read_inside(const uint8_t *data, size_t size)
{
    static const char types[] = "<Types/>";
    static const char styles[] =
        "<s><style styleId=\"H\"><name val=\"heading 1\"/></style>"
        "</s>";
    zip_error_t problem;
    zip_stat_t about;
    char *bytes;

    zip_error_init(&problem);
    zip_source_t *into = zip_source_buffer_create(NULL, 0, 0, &problem);
    zip_t *zip = zip_open_from_source(into, ZIP_TRUNCATE, &problem);
    if (zip == NULL)
        abort();
    zip_source_keep(into);
    add(zip, "[Content_Types].xml", types, sizeof(types) - 1);
    add(zip, "word/document.xml", data, size);
    add(zip, "word/styles.xml", styles, sizeof(styles) - 1);
    add(zip, "docProps/core.xml", data, size);
    if (zip_close(zip) != 0 || zip_source_stat(into, &about) != 0 ||
        zip_source_open(into) != 0)
        abort();
    bytes = malloc(about.size);
    if (bytes == NULL || zip_source_read(into, bytes, about.size) < 0)
        abort();
    read_all((struct sh_bytes){bytes, about.size});
    free(bytes);
    zip_source_close(into);
    zip_source_free(into);
    zip_error_fini(&problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    read_all((struct sh_bytes){data, size});
    read_inside(data, size);
    return 0;
}
