#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "collector/source.h"

static const struct source_kind kinds[] = {
#define SOURCE(option, class, kind, arg, help) \
	{option, class, kind, arg, help},
#include "collector/sources.def"
#undef SOURCE
};

static const char *const systems[SOURCE_SYSTEMS] = {
    [SOURCE_FILES] = "files",
#define SYSTEM(id, word, help) [SOURCE_##id] = word,
#include "collector/systems.def"
#undef SYSTEM
    [SOURCE_PROCESS] = "process",
    [SOURCE_PROCESS_OF] = "process-of",
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

const char *
source_system_name(enum source_system s)
{
	return s < SOURCE_SYSTEMS ? systems[s] : "files";
}

/* Does something have this name, whatever it is? */
static bool
is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
is_row(enum source_system s)
{
	return s > SOURCE_FILES && s < SOURCE_PROCESS;
}

bool
source_split(const char *given, enum source_system *ret, const char **rest)
{
	const char *colon = strchr(given, ':');
	size_t n;

	if (colon == NULL || is_there(given)) {
		*ret = SOURCE_FILES;
		*rest = given;
		return true;
	}
	n = (size_t)(colon - given);
	for (unsigned i = 0; i < SOURCE_SYSTEMS; i++)
		if (is_row((enum source_system)i) &&
		    strlen(systems[i]) == n &&
		    memcmp(systems[i], given, n) == 0) {
			*ret = (enum source_system)i;
			*rest = colon + 1;
			return true;
		}
	return false;
}

bool
source_is_url(const char *s)
{
	return strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) ==
	    0;
}

bool
source_url_ok(const char *s)
{
	const char *host;

	if (!source_is_url(s) || strpbrk(s, "?#@") != NULL)
		return false;
	for (host = s; *host != '\0'; host++)
		if (*host <= ' ' || *host > '~')
			return false;
	host = strstr(s, "://") + 3;
	return *host != '\0' && *host != '/';
}

size_t
source_slice(const char *given)
{
	size_t n = strlen(given);
	char path[LIMIT_PATH];

	if (n >= sizeof(path) || is_there(given))
		return n;
	memcpy(path, given, n + 1);
	for (size_t i = n; i-- > 1;)
		if (path[i] == ':') {
			path[i] = '\0';
			if (is_there(path))
				return i;
			path[i] = ':';
		}
	return n;
}

void
source_systems(struct buf *b)
{
	for (unsigned i = 0; i < SOURCE_SYSTEMS; i++)
		if (is_row((enum source_system)i))
			buf_printf(b, "%s%s:", b->len > 0 ? ", " : "",
			    systems[i]);
}
