#ifndef ANALYZER_DIFF_CALLTABLE_H_
#define ANALYZER_DIFF_CALLTABLE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/finding.h"
#include "formats/format.h"

struct arena;
struct doc;
struct err;

/*
 * The calls that loading one file would make, grouped: those of one callee
 * with arguments of the same kinds, in one pickle of the file.  Groups are in
 * order of label, callee and signature; all memory is the arena's.
 *
 * Arguments are looked at when they can say something: text, names, numbers.
 * Those with bytes, tensors or containers are data, which differs whenever a
 * model was trained again; they count by their signature alone.
 */
#define CALLTABLE_ARGS 64	/* different ones of a group that are kept */
#define CALLTABLE_GROUPS 65536

struct callargs {
	struct callargs *next;
	const char *p;
	uint32_t n;
	uint64_t count;
};

struct callgroup {
	const char *label;	/* which pickle: "data.pkl", "" the file */
	uint32_t label_len;
	const char *callee;	/* or the name of a global */
	uint32_t callee_len;
	bool global;		/* named, whether it is called or not */
	bool speaking;		/* its arguments are looked at */
	bool dormant;		/* nothing is known to load it */
	char sig[CALL_SIG + 2];	/* of a global: the opcode */
	uint64_t first;		/* the place of the first one in its pickle */
	uint64_t count;
	uint64_t sum;		/* over all arguments, in any order */
	struct callargs *args, *last;
	unsigned nargs;
	enum finding_id rule;	/* a scan's; FINDING_COUNT: it has none */
};

struct calltable {
	struct callgroup **v;
	size_t n;
	bool cut;		/* something was not read to its end */
};

/* calltable_read: ${d} may be NULL: no calls.  0, or negative. */
int calltable_read(struct calltable *ret, const struct doc *d,
    struct arena *a, struct err *e);

/* calltable_compare: by label, callee and whether it is a call. */
int calltable_compare(const struct callgroup *x, const struct callgroup *y);

#endif /* !ANALYZER_DIFF_CALLTABLE_H_ */
