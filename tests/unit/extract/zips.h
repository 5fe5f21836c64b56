/* zips: archives made for tests. */
#ifndef TESTS_EXTRACT_ZIPS_H
#define TESTS_EXTRACT_ZIPS_H

#include <zip.h>

#include "tests/unit/extract/found.h"

struct part {
    const char *name;
    struct sh_bytes bytes;
};

#define ROOT_PARTS                                                                       \
    {"[Content_Types].xml", sh_bytes_of("<Types/>")},                                    \
    {                                                                                    \
        "_rels/.rels",                                                                   \
            sh_bytes_of("<Relationships><Relationship Id=\"r\" "                         \
                        "Type=\"http://schemas.openxmlformats.org/officeDocument/"       \
                        "2006/relationships/officeDocument\" "                           \
                        "Target=\"/word/document.xml\"/></Relationships>")               \
    }

/* An archive of the parts in this order, deflated; the caller frees. */
static inline struct sh_buffer zip_of(const struct part *parts, size_t count)
{
    struct sh_buffer bytes = {0};
    zip_error_t problem;
    zip_stat_t about;
    zip_error_init(&problem);
    zip_source_t *into = zip_source_buffer_create(NULL, 0, 0, &problem);
    assert_non_null(into);
    zip_t *zip = zip_open_from_source(into, ZIP_TRUNCATE, &problem);
    assert_non_null(zip);
    zip_source_keep(into);
    for (size_t i = 0; i < count; i++) {
        zip_source_t *from =
            zip_source_buffer(zip, parts[i].bytes.data, parts[i].bytes.len, 0);
        assert_true(zip_file_add(zip, parts[i].name, from, ZIP_FL_ENC_UTF_8) >= 0);
    }
    assert_int_equal(zip_close(zip), 0);
    zip_stat_init(&about);
    assert_int_equal(zip_source_stat(into, &about), 0);
    assert_int_equal(zip_source_open(into), 0);
    char *room = sh_buffer_reserve(&bytes, about.size);
    assert_non_null(room);
    assert_int_equal(zip_source_read(into, room, about.size), about.size);
    bytes.len = about.size;
    zip_source_close(into);
    zip_source_free(into);
    zip_error_fini(&problem);
    return bytes;
}

/* A document of this body, with styles if there are any. */
static inline struct sh_buffer docx_of(const char *body, const char *styles)
{
    struct sh_buffer xml = {0};
    sh_buffer_printf(&xml,
                     "<w:document xmlns:w=\"w\" xmlns:mc=\"mc\"><w:body>%s</w:body>"
                     "</w:document>",
                     body);
    const struct part parts[] = {
        ROOT_PARTS,
        {"word/document.xml", sh_buffer_bytes(&xml)},
        {"word/styles.xml", sh_bytes_of(styles == NULL ? "<styles/>" : styles)}};
    struct sh_buffer bytes = zip_of(parts, SH_COUNT(parts));
    sh_buffer_free(&xml);
    return bytes;
}

#endif
