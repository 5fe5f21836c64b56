/* manual: finds the headings of a manual in text form, in the two shapes that Debian's
 * manuals have: underlined (Sphinx, reStructuredText) and numbered (DocBook). */
#ifndef SAMPLE_MANUAL_H
#define SAMPLE_MANUAL_H

#include <stdbool.h>
#include <stddef.h>

struct manual_line {
    char *text; /* no line end */
    size_t len;
};

struct manual {
    struct manual_line *lines;
    size_t count;
};

/* Read a file, gzip or plain; invalid UTF-8 becomes U+FFFD. False: it cannot be read. */
bool manual_read(const char *path, struct manual *out);
void manual_free(struct manual *manual);

/* The level of the heading at line `at`: 1 is the highest, 0 none. *span is how many
 * lines it takes. Levels of underlined headings come from the order in which their marks
 * are first seen, which `marks` remembers: start with "". */
struct manual_marks {
    char seen[16][2]; /* mark, and whether there is a line above too */
    size_t count;
};
unsigned manual_heading(const struct manual *manual, size_t at,
                        struct manual_marks *marks, size_t *span, const char **title);

/* Whether a title starts with a number: "9.2. Files", "Chapter 9. Tips". */
bool manual_is_numbered(const char *title);

#endif
