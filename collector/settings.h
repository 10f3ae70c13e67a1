#ifndef COLLECTOR_SETTINGS_H_
#define COLLECTOR_SETTINGS_H_

#include <stdbool.h>
#include <stddef.h>

struct collect_source;

/*
 * How a source is to be taken: the "options" of a source in a plan, and flags
 * with the same names.  A row of settings.def has the sources that it is for
 * and its values, the first of them the default.
 */
enum settings_of {
	SETTINGS_OF_PROCESSES = 1 << 0,
	SETTINGS_OF_LOGS = 1 << 1,
	SETTINGS_OF_DATA = 1 << 2,
	SETTINGS_OF_REGISTRIES = 1 << 3,
	SETTINGS_OF_WEIGHTS = 1 << 4,
};

struct settings_row {
	const char *name;
	unsigned of;		/* enum settings_of */
	const char *values;	/* separated by blanks */
	const char *help;
};

size_t settings_count(void);
const struct settings_row *settings_at(size_t i);
const struct settings_row *settings_find(const char *name);
bool settings_takes(const struct settings_row *row, const char *value);

/* settings_of: which of the above a source is. */
unsigned settings_of(const struct collect_source *s);

/* settings_is: is the setting's value, or its default, this one? */
bool settings_is(const struct collect_source *s, const char *name,
    const char *value);

#endif /* !COLLECTOR_SETTINGS_H_ */
