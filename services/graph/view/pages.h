/* pages: an array of which every version has its own view: a page that a version changes
 * is copied first, so readers of earlier ones see theirs for as long as they like. */
#ifndef GRAPH_PAGES_H
#define GRAPH_PAGES_H

#include "services/graph/view/retired.h"

enum { PAGE_BITS = 7, PAGE_ITEMS = 1 << PAGE_BITS };

struct page {
    uint64_t version; /* that made it */
    _Alignas(8) unsigned char items[];
};

struct pages { /* a value of the version; what it points to is shared */
    struct page **page;
    uint32_t page_count;
    uint32_t page_room;
    uint32_t item;    /* bytes */
    uint64_t version; /* that made `page` */
};

/* What a change makes and replaces. */
struct change_memory {
    uint64_t version;
    struct retired made;
    struct retired replaced;
};

/* NULL: there is no such item. */
static inline const void *pages_at(const struct pages *pages, uint32_t index)
{
    uint32_t page = index >> PAGE_BITS;
    if (page >= pages->page_count)
        return NULL;
    return pages->page[page]->items + (size_t)(index & (PAGE_ITEMS - 1)) * pages->item;
}

/* It will be read soon. Always inline, as whatever calls it and does nothing else: gcc
 * takes a function that only asks for memory for one that does nothing, and leaves it
 * out. */
__attribute__((always_inline)) static inline void pages_expect(const struct pages *pages,
                                                               uint32_t index)
{
    const void *item = pages_at(pages, index);
    if (item != NULL)
        __builtin_prefetch(item);
}

/* The item, to be changed by this version; new ones are zero. NULL: out of memory. */
void *pages_edit(struct pages *pages, uint32_t index, struct change_memory *memory);
/* Releases the pages of the last version; not what items point to. */
void pages_free(struct pages *pages);

#endif
