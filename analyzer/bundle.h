#ifndef ANALYZER_BUNDLE_H_
#define ANALYZER_BUNDLE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytesrc;
struct err;
struct wire;
struct wire_end;

/*
 * A sealed bundle as an object of a scan: its members are handed to the
 * parent as ranges, each with the digest that the bundle's own manifests
 * state, so that whoever reads a member also checks it.  Runs inside the
 * worker.  What the walk finds wrong is a finding, never a refusal.
 */
bool bundle_is(const uint8_t *head, size_t n);

/*
 * bundle_examine: the MEMBER frames of every member in order; *end gets
 * format and completeness.
 */
int bundle_examine(const struct bytesrc *src, struct wire *w, uint32_t object,
    struct wire_end *end, struct err *e);

#endif /* !ANALYZER_BUNDLE_H_ */
