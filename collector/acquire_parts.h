#ifndef COLLECTOR_ACQUIRE_PARTS_H_
#define COLLECTOR_ACQUIRE_PARTS_H_

#include "collector/acquire.h"

/* Shared by acquire.c and acquire_names.c, and by nobody else. */
bool acquire_is_there(const struct acquire_params *p, const char *name);
int acquire_never_replaced(const char *name, struct err *e);
/* Everything that could fail behind the publication, asked before it. */
int acquire_check_names(const struct acquire_params *p, const char *journal,
    struct err *e);
/* The bundle's digest, beside it. */
int acquire_sidecar(const struct acquire_params *p, const struct acquired *a,
    struct err *e);

#endif /* !COLLECTOR_ACQUIRE_PARTS_H_ */
