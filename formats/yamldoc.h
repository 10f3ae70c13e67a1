#ifndef FORMATS_YAMLDOC_H_
#define FORMATS_YAMLDOC_H_

#include <stddef.h>

struct arena;
struct doc;
struct doc_fault;
struct err;

/* yamldoc_read: doc_yaml of doc.h; the file that knows libyaml. */
int yamldoc_read(const void *p, size_t n, struct arena *a,
    const struct doc **ret, struct doc_fault *at, struct err *e);

#endif /* !FORMATS_YAMLDOC_H_ */
