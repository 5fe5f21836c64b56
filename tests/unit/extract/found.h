/* found: what a reader gives, gathered for tests: each section on a line
 * "page|heading|text", blank lines of the text shown as "¶" and line feeds as "/". */
#ifndef TESTS_EXTRACT_FOUND_H
#define TESTS_EXTRACT_FOUND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "services/search/extract/child/readers.h"
#include "shared/mem.h"

struct found {
    struct out out;
    struct sh_buffer sections;
    uint32_t count;
};

static inline bool found_section(void *arg, const struct section *section)
{
    struct found *found = arg;
    const char *text = section->text.data;

    found->count++;
    sh_buffer_printf(&found->sections, "%u|%.*s|", section->page_number,
                     (int)section->title.len, (const char *)section->title.data);
    for (size_t i = 0; i < section->text.len; i++) {
        if (text[i] != '\n')
            sh_buffer_append(&found->sections, text + i, 1);
        else if (i + 1 < section->text.len && text[i + 1] == '\n' && ++i)
            sh_buffer_text(&found->sections, "¶");
        else
            sh_buffer_text(&found->sections, "/");
    }
    sh_buffer_text(&found->sections, "\n");
    return true;
}

/* Zeroes end what is compared as a text. */
static inline void found_end(struct found *found)
{
    sh_buffer_append(&found->sections, "", 1);
    sh_buffer_append(&found->out.title, "", 1);
    sh_buffer_append(&found->out.language, "", 1);
    sh_buffer_append(&found->out.created, "", 1);
}

static inline struct extract_limits found_limits(void)
{
    return (struct extract_limits){
        .pages = 100, .characters = 1000000, .nesting = 100, .ratio = 100};
}

static inline void found_read_within(struct found *found, struct sh_bytes file,
                                     const char *name, struct extract_limits limits)
{
    *found = (struct found){.out = {.limits = limits, .emit = found_section}};
    found->out.arg = found;
    read_file(file, sh_bytes_of(name), (struct sh_bytes){0}, &found->out);
    found_end(found);
}

static inline void found_read(struct found *found, struct sh_bytes file, const char *name)
{
    found_read_within(found, file, name, found_limits());
}

static inline void found_free(struct found *found)
{
    out_free(&found->out);
    sh_buffer_free(&found->sections);
}

/* The file reads as these sections. */
static inline void expect(struct sh_bytes file, const char *name, const char *sections)
{
    struct found found;

    found_read(&found, file, name);
    if (found.out.code != NULL)
        fail_msg("%s: refused, %s: %s", name, found.out.code, found.out.message);
    assert_string_equal(found.sections.data, sections);
    found_free(&found);
}

/* The file is refused with this code. */
static inline void expect_refused(struct sh_bytes file, const char *name,
                                  const char *code)
{
    struct found found;

    found_read(&found, file, name);
    if (found.out.code == NULL)
        fail_msg("%s: taken as %s: %s", name, found.out.type, found.sections.data);
    assert_string_equal(found.out.code, code);
    assert_true(found.out.message[0] != '\0');
    found_free(&found);
}

/* A file of the tree; the caller frees. */
static inline struct sh_buffer found_file(const char *path)
{
    struct sh_buffer bytes = {0};
    FILE *file = fopen(path, "rb");
    char part[4096];
    size_t got;

    if (file == NULL)
        fail_msg("%s is not there: run from the root of the tree", path);
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        sh_buffer_append(&bytes, part, got);
    (void)fclose(file);
    return bytes;
}

#endif
