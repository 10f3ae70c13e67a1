#ifndef ANALYZER_SRCDIGEST_H_
#define ANALYZER_SRCDIGEST_H_

#include <stddef.h>
#include <stdint.h>

struct bytesrc;
struct err;

/* srcdigest: the SHA-256 of a source, by the worker that examines it. */
int srcdigest(const struct bytesrc *src, uint8_t ret[32], struct err *e);

/*
 * srcdigest_any: as reg_tree.digest (formats/reg/reg.h), ${a} an enum
 * reg_algorithm: what other people's registries name.
 */
int srcdigest_any(unsigned a, const void *prefix, size_t n,
    const struct bytesrc *src, uint8_t out[64], struct err *e);

#endif /* !ANALYZER_SRCDIGEST_H_ */
