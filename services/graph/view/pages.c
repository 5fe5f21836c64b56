#include "services/graph/view/pages.h"

static void *make(struct change_memory *memory, size_t size)
{
    void *made = sh_alloc(size);
    if (made != NULL && retired_add(&memory->made, made, sh_free) != SH_OK) {
        sh_free(made);
        made = NULL;
    }
    return made;
}

/* The list of pages becomes this version's own, with room for `count`. */
static bool own_list(struct pages *pages, uint32_t count, struct change_memory *memory)
{
    if (pages->version == memory->version && count <= pages->page_room)
        return true;
    uint32_t room = pages->page_room == 0 ? 16 : pages->page_room;
    while (room < count)
        room *= 2;
    struct page **list = make(memory, room * sizeof(struct page *));
    if (list == NULL)
        return false;
    if (pages->page_count > 0)
        memcpy(list, pages->page, pages->page_count * sizeof(struct page *));
    if (pages->page != NULL &&
        retired_add(&memory->replaced, pages->page, sh_free) != SH_OK)
        return false;
    pages->page = list;
    pages->page_room = room;
    pages->version = memory->version;
    return true;
}

static struct page *own_page(struct pages *pages, uint32_t number,
                             struct change_memory *memory)
{
    struct page *old = number < pages->page_count ? pages->page[number] : NULL;
    size_t size = sizeof(*old) + (size_t)PAGE_ITEMS * pages->item;
    if (old != NULL && old->version == memory->version)
        return old;
    struct page *page = make(memory, size);
    if (page == NULL)
        return NULL;
    if (old != NULL) {
        memcpy(page, old, size);
        if (retired_add(&memory->replaced, old, sh_free) != SH_OK)
            return NULL;
    }
    page->version = memory->version;
    pages->page[number] = page;
    return page;
}

void *pages_edit(struct pages *pages, uint32_t index, struct change_memory *memory)
{
    uint32_t number = index >> PAGE_BITS;
    if (!own_list(pages, number + 1, memory))
        return NULL;
    while (pages->page_count <= number) {
        if (own_page(pages, pages->page_count, memory) == NULL)
            return NULL;
        pages->page_count++;
    }
    struct page *page = own_page(pages, number, memory);
    if (page == NULL)
        return NULL;
    return page->items + (size_t)(index & (PAGE_ITEMS - 1)) * pages->item;
}

void pages_free(struct pages *pages)
{
    for (uint32_t i = 0; i < pages->page_count; i++)
        sh_free(pages->page[i]);
    sh_free(pages->page);
    *pages = (struct pages){.item = pages->item};
}
