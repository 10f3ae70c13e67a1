#ifndef ANALYZER_TRIGGERS_DATALOOK_H_
#define ANALYZER_TRIGGERS_DATALOOK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct rowset;

/*
 * What the first records of a data set hold, field by field: enough to tell
 * a label from a text.
 */
#define DATALOOK_RECORDS 400
#define DATALOOK_FIELDS 128

enum datalook_holds {
	DATALOOK_TEXT = 1 << 0,
	DATALOOK_NUMBER = 1 << 1,	/* whole numbers and truth values too */
	DATALOOK_TREE = 1 << 2,		/* lists and maps */
	DATALOOK_IMAGE = 1 << 3,	/* arrays of numbers, bytes of images */
	DATALOOK_OTHER = 1 << 4,
};

struct datalook_field {
	const char *name;
	unsigned holds;		/* enum datalook_holds, of all records */
	uint64_t seen, bytes;	/* records that have it, as text */
	uint64_t numeric;	/* of them texts that are numbers */
	uint64_t distinct;
	uint64_t *hash;		/* of its values, each once */
};

struct datalook {
	struct rowset *rs;
	struct datalook_field field[DATALOOK_FIELDS];
	size_t n;
	uint64_t records;
	struct arena *arena;
	bool full;		/* of the arena */
};

/* datalook_init: reads; the rowset stands behind the records then. */
int datalook_init(struct datalook *l, struct rowset *rs, struct arena *a,
    struct err *e);
/* datalook_holds: of a field, or of a dotted path of the first records. */
unsigned datalook_holds(const struct datalook *l, const char *path);
const struct datalook_field *datalook_field(const struct datalook *l,
    const char *name);
/* datalook_few: two values and more, and far fewer than records? */
bool datalook_few(const struct datalook_field *f);
/* datalook_value: is ${text} one of its values? */
bool datalook_value(const struct datalook_field *f, const char *text);

#endif /* !ANALYZER_TRIGGERS_DATALOOK_H_ */
