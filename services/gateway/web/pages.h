/* pages: the web pages beside the API. A path that is a file of theirs is that file; one
 * that belongs to a page is index.html, whose script shows the page; all others are the
 * API's to answer. */
#ifndef GATEWAY_WEB_PAGES_H
#define GATEWAY_WEB_PAGES_H

#include "services/gateway/web/files.h"

struct exchange;

struct web_choice {
    const struct web_file *file; /* NULL: none of the pages' */
    int status;
};

/* For a path that no route has. `files` NULL: there are no pages. 404 with a file: what a
 * browser is shown where there is nothing. */
struct web_choice web_choose(const struct web_files *files, struct sh_bytes method,
                             struct sh_bytes path, struct sh_bytes accept);
/* Whether an Accept-Encoding line takes gzip. */
bool web_takes_gzip(struct sh_bytes line);

/* Answers x->page. */
void web_answer(struct exchange *x);

#endif
