/* sanitized: whether this is built with a sanitizer, which maps terabytes of address
 * space and takes several times the memory: limits of memory are others then. */
#ifndef EXTRACT_SANITIZED_H
#define EXTRACT_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EXTRACT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EXTRACT_SANITIZED 1
#endif
#endif
#ifndef EXTRACT_SANITIZED
#define EXTRACT_SANITIZED 0
#endif

#endif
