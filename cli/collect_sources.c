#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/collect_args.h"
#include "collector/settings.h"
#include "collector/source.h"
#include "collector/value.h"

/* Flags that name sources, to sources. */
static int
bad(struct err *e, const char *given, const char *why)
{
	char shown[128];

	return err_set(e, ERR_ARG, "'%s': %s", text_z(shown, sizeof(shown),
	    given, strlen(given)), why);
}

int
collect_args_defaults(const struct collect_args *a,
    struct collect_source *ret, struct err *e)
{
	struct collect_window *w = &ret->window;

	*ret = (struct collect_source){0};
	w->has_since = a->since != NULL;
	w->has_until = a->until != NULL;
	if (a->since != NULL && !value_time(a->since, strlen(a->since),
	    &w->since_ns))
		return bad(e, a->since, "--since is a time like "
		    "2026-11-24T10:45:00Z, or a date");
	if (a->until != NULL && !value_time(a->until, strlen(a->until),
	    &w->until_ns))
		return bad(e, a->until, "--until is a time like "
		    "2026-11-24T10:45:00Z, or a date");
	if (a->since != NULL && a->until != NULL && w->since_ns >=
	    w->until_ns)
		return bad(e, a->until, "--until is not later than --since");
	if (a->max_bytes != NULL && (!value_size(a->max_bytes,
	    strlen(a->max_bytes), &ret->max_bytes) || ret->max_bytes == 0))
		return bad(e, a->max_bytes,
		    "--max-bytes is a number, or one with K, M, G or T");
	return 0;
}

/* Flags with the names of settings. */
static int
take_settings(struct collect_args *a, struct err *e)
{
	a->nsettings = 0;
	if (a->environ != NULL) {
		if (!settings_takes(settings_find("environ"), a->environ))
			return bad(e, a->environ,
			    "--environ is names or values");
		a->settings[a->nsettings++] =
		    (struct collect_setting){"environ", a->environ};
	}
	if (a->copy_libraries)
		a->settings[a->nsettings++] =
		    (struct collect_setting){"copy-libraries", "yes"};
	return 0;
}

static int
take_process(struct collect_args *a, struct collect_source *s,
    struct err *e)
{
	uint64_t pid;

	if (s->kind == SOURCE_PROCESS && (!value_number(s->path,
	    strlen(s->path), INT32_MAX, &pid) || pid == 0))
		return bad(e, s->path, "a process is a number");
	s->settings = a->settings;
	s->nsettings = a->nsettings;
	return 0;
}

/* "s3://..." where a path belongs. */
static bool
is_uri(const char *path)
{
	size_t n = strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789+");

	return n > 1 && path[n] == ':' && access(path, F_OK) != 0;
}

static int
take_registry(const char *given, struct collect_source *s, struct err *e)
{
	struct buf b;
	int r = 0;

	if (source_split(given, &s->kind, &s->path) && *s->path != '\0') {
		s->url = s->kind != SOURCE_FILES && source_is_url(s->path);
		/* The message must not show a password again. */
		return !s->url || source_url_ok(s->path) ? 0 :
		    err_set(e, ERR_ARG, SOURCE_URL_WRONG);
	}
	buf_init(&b, KIB);
	buf_puts(&b, "no such path; or a registry's kind: ");
	source_systems(&b);
	r = bad(e, given, buf_str(&b));
	buf_release(&b);
	return r;
}

/* "PATH:SLICE", in memory that ends with the sources. */
static int
take_slice(struct collect_args *a, const char *given,
    struct collect_source *s, struct err *e)
{
	size_t n = source_slice(given), len = strlen(given);
	char **cut, *path;

	s->path = given;
	if (n == len)
		return 0;
	if ((path = strndup(given, n)) == NULL ||
	    (cut = reallocarray(a->cut, a->ncut + 1, sizeof(*cut))) == NULL) {
		free(path);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	a->cut = cut;
	a->cut[a->ncut++] = path;
	s->path = path;
	s->slice = given + n + 1;
	return *s->slice != '\0' ? 0 : bad(e, given,
	    "a slice is named behind the colon");
}

static int
take_one(struct collect_args *a, const struct source_kind *kind,
    const struct collect_source *f, const char *given, struct err *e)
{
	struct collect_source *s = &a->sources[a->nsources];
	int r = 0;

	*s = (struct collect_source){.class = kind->class, .path = given,
	    .given = given, .kind = kind->kind, .max_bytes = f->max_bytes};
	if (*given == '\0' || strlen(given) >= LIMIT_PATH)
		return bad(e, given, "this is no path");
	if (kind->class == BAG_REGISTRY)
		r = take_registry(given, s, e);
	else if (kind->class == BAG_TRAINING)
		r = take_slice(a, given, s, e);
	else if (kind->class == BAG_HOST)
		r = take_process(a, s, e);
	else if (is_uri(given))
		return bad(e, given,
		    "this version takes files and directories");
	if (kind->class == BAG_API_LOGS)
		s->window = f->window;
	a->nsources++;
	return r;
}

int
collect_args_sources(struct collect_args *a, struct err *e)
{
	struct collect_source f;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < source_count(); i++)
		n += a->paths[i].count;
	if ((r = collect_args_defaults(a, &f, e)) < 0)
		return r;
	if ((r = take_settings(a, e)) < 0)
		return r;
	if ((a->sources = calloc(n + 1, sizeof(*a->sources))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < source_count(); i++)
		for (size_t k = 0; k < a->paths[i].count; k++)
			if ((r = take_one(a, source_at(i), &f,
			    a->paths[i].items[k], e)) < 0)
				return r;
	return 0;
}
