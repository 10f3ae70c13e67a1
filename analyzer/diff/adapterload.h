#ifndef ANALYZER_DIFF_ADAPTERLOAD_H_
#define ANALYZER_DIFF_ADAPTERLOAD_H_

#include "analyzer/diff/adapter.h"

struct arena;
struct err;
struct table;

/*
 * adapterload: the adapter's tensors and settings out of the files of
 * --adapter, which are a table by now; adapter_config.json beside them gives
 * r, alpha and whether the scale is alpha / sqrt(r).
 */
int adapterload(const struct table *t, struct arena *arena,
    struct adapter_files *ret, struct err *e);

#endif /* !ANALYZER_DIFF_ADAPTERLOAD_H_ */
