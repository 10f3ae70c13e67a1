#ifndef COLLECTOR_SOURCE_H_
#define COLLECTOR_SOURCE_H_

#include <stddef.h>

#include "custody/bag.h"

/*
 * Kinds of sources: a row of sources.def is an option of collect and the
 * class that its objects get (the folder below data/, and "class" in
 * files.jsonl).
 */
struct source_kind {
	const char *option;	/* "weights" */
	enum bag_class class;
	const char *help;
};

size_t source_count(void);
const struct source_kind *source_at(size_t i);

#endif /* !COLLECTOR_SOURCE_H_ */
