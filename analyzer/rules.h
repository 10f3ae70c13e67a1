#ifndef ANALYZER_RULES_H_
#define ANALYZER_RULES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/finding.h"

struct buf;

/*
 * Rules: from a format's events to findings.  Pure; run inside the worker.
 * Each fills *ret and returns true when the event deserves a finding.  Texts
 * in *ret point into the event, or into ${args}, where rule_call renders
 * arguments when it needs them (emptied first; LIMIT_RENDER is its maximum).
 */
bool rule_call(const struct ev_call *c, struct buf *args,
    struct finding *ret);
bool rule_global(const struct ev_global *g, const char *dotted, size_t n,
    struct finding *ret);
void rule_anomaly(const struct ev_anomaly *a, struct finding *ret);

/*
 * rule_callee(c, n): how much of c->callee names what is called, without a
 * method that the unpickler calls by itself ("x.Y.__setstate__" is "x.Y").
 */
size_t rule_callee(const struct ev_call *c);

/* rule_detail_*: append to a finding; beyond FINDING_DETAILS a BUG. */
void rule_detail_text(struct finding *f, const char *key, const void *p,
    size_t n);
void rule_detail_num(struct finding *f, const char *key, uint64_t v);

#endif /* !ANALYZER_RULES_H_ */
