#ifndef FORMATS_LOGS_FIELDMAP_H_
#define FORMATS_LOGS_FIELDMAP_H_

#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;

/*
 * Where the fields of a request stand in a JSON object: by what the caller
 * said, "time=ts,caller=client,input=request.text", and by the names of
 * fieldmap.def for what was not said.  "label=" (nothing behind it) means
 * that there is no such field; "shape=32x32x3" is the shape of every input.
 */
enum fieldmap_row {
#define FIELD(word, column, names) FIELDMAP_##column,
#include "formats/logs/fieldmap.def"
#undef FIELD
	FIELDMAP_ROWS
};

struct fieldmap {
	/* Way to the field; "": there is none; NULL: by common names. */
	const char *path[FIELDMAP_ROWS];
	unsigned given;		/* how many were said */
	const char *shape;	/* of every input, "32x32x3"; or NULL */
	/* Common names of each row, best first; the last has no ${p}. */
	const struct fieldmap_name *names[FIELDMAP_ROWS];
};

struct fieldmap_name {
	const char *p;
	uint8_t n;
	uint8_t first;		/* bytes before its only dot; 0: it has none,
				 * UINT8_MAX: several */
};

/* fieldmap_parse: 0 or ERR_ARG (an unknown word, no '='), ERR_NOMEM. */
int fieldmap_parse(const char *text, struct arena *a, struct fieldmap *ret,
    struct err *e);

#endif /* !FORMATS_LOGS_FIELDMAP_H_ */
