#include "collector/source.h"

static const struct source_kind kinds[] = {
#define SOURCE(option, class, help) {option, class, help},
#include "collector/sources.def"
#undef SOURCE
};

size_t
source_count(void)
{
	return sizeof(kinds) / sizeof(kinds[0]);
}

const struct source_kind *
source_at(size_t i)
{
	return i < source_count() ? &kinds[i] : NULL;
}
