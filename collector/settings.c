#include <string.h>

#include "base/bug.h"
#include "collector/collect.h"
#include "collector/settings.h"

static const struct settings_row rows[] = {
#define SETTING(name, of, values, help) \
	{name, SETTINGS_OF_##of, values, help},
#include "collector/settings.def"
#undef SETTING
};

size_t
settings_count(void)
{
	return sizeof(rows) / sizeof(rows[0]);
}

const struct settings_row *
settings_at(size_t i)
{
	return i < settings_count() ? &rows[i] : NULL;
}

const struct settings_row *
settings_find(const char *name)
{
	for (size_t i = 0; i < settings_count(); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

bool
settings_takes(const struct settings_row *row, const char *value)
{
	size_t n = strlen(value), len;

	for (const char *p = row->values; *p != '\0'; p += len) {
		p += strspn(p, " ");
		len = strcspn(p, " ");
		if (len == n && memcmp(p, value, n) == 0)
			return n > 0;
	}
	return false;
}

unsigned
settings_of(const struct collect_source *s)
{
	if (s->kind == SOURCE_PROCESS || s->kind == SOURCE_PROCESS_OF)
		return SETTINGS_OF_PROCESSES;
	switch (s->class) {
	case BAG_API_LOGS:
		return SETTINGS_OF_LOGS;
	case BAG_TRAINING:
		return SETTINGS_OF_DATA;
	case BAG_REGISTRY:
		return SETTINGS_OF_REGISTRIES;
	case BAG_WEIGHTS:
		return SETTINGS_OF_WEIGHTS;
	case BAG_HOST:
	case BAG_OTHER:
	case BAG_CLASSES:
	default:
		return 0;
	}
}

bool
settings_is(const struct collect_source *s, const char *name,
    const char *value)
{
	const struct settings_row *row = settings_find(name);
	size_t n = strlen(value);

	BUG_ON(row == NULL);
	for (size_t i = 0; i < s->nsettings; i++)
		if (strcmp(s->settings[i].name, name) == 0)
			return strcmp(s->settings[i].value, value) == 0;
	return strcspn(row->values, " ") == n &&
	    memcmp(row->values, value, n) == 0;
}
