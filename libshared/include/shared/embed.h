/* embed: files of the source tree as bytes of the program. */
#ifndef SHARED_EMBED_H
#define SHARED_EMBED_H

/* At file scope: declares `name_begin` and `name_end`, the bytes of the file at `path`
 * from the tree's root. A NUL follows them. Name the file as a prerequisite of the object
 * in module.mk: the compiler's list of what it read does not have it. */
#define SH_EMBED(name, path)                                                             \
    __asm__(".pushsection .rodata\n" #name "_begin:\n.incbin \"" path "\"\n" #name       \
            "_end:\n.byte 0\n.popsection\n");                                            \
    extern const char name##_begin[] __attribute__((visibility("hidden")));              \
    extern const char name##_end[] __attribute__((visibility("hidden")))

#endif
