#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/plan.h"
#include "collector/plan_keys.h"
#include "collector/settings.h"
#include "collector/value.h"

/* A source as the plan has it, before it is looked at as a whole. */
struct draft {
	const char *class, *kind, *path, *path_hex, *uri, *process,
	    *process_of, *slice;
	int64_t since, until;
	uint64_t max_bytes;
	const struct plan_node *options;
};

static int
take_node(struct plan_parse *p, const struct plan_node *v, void *at)
{
	(void)p;
	*(const struct plan_node **)at = v;
	return 0;
}

enum { CLASS, KIND, PATH, PATH_HEX, URI, PROCESS, PROCESS_OF, SLICE, SINCE,
	UNTIL, MAX_BYTES, OPTIONS };
static const struct plan_key keys[] = {
    [CLASS] = {"class", plan_take_text, offsetof(struct draft, class)},
    [KIND] = {"kind", plan_take_text, offsetof(struct draft, kind)},
    [PATH] = {"path", plan_take_text, offsetof(struct draft, path)},
    [PATH_HEX] = {"path-hex", plan_take_text,
	offsetof(struct draft, path_hex)},
    [URI] = {"uri", plan_take_text, offsetof(struct draft, uri)},
    [PROCESS] = {"process", plan_take_text,
	offsetof(struct draft, process)},
    [PROCESS_OF] = {"process-of", plan_take_text,
	offsetof(struct draft, process_of)},
    [SLICE] = {"slice", plan_take_text, offsetof(struct draft, slice)},
    [SINCE] = {"since", plan_take_time, offsetof(struct draft, since)},
    [UNTIL] = {"until", plan_take_time, offsetof(struct draft, until)},
    [MAX_BYTES] = {"max-bytes", plan_take_size,
	offsetof(struct draft, max_bytes)},
    [OPTIONS] = {"options", take_node, offsetof(struct draft, options)},
};
static const struct plan_table table = {"a source", keys,
    sizeof(keys) / sizeof(keys[0])};
#define PLACES (1U << PATH | 1U << PATH_HEX | 1U << URI | 1U << PROCESS | \
	1U << PROCESS_OF)

/* "weights, training, ..." */
static int
take_class(struct plan_parse *p, const struct plan_node *at, const char *name,
    enum bag_class *ret)
{
	return bag_class_parse(name, strlen(name), ret) ? 0 :
	    plan_error(p->name, at, p->e, "a class is one of weights, "
	    "training, registry, api-logs, host, other");
}

static int
no_kind(struct plan_parse *p, const struct plan_node *at)
{
	struct buf b;
	int r;

	buf_init(&b, KIB);
	source_systems(&b);
	r = plan_error(p->name, at, p->e, "a kind of registry is one of %s",
	    buf_str(&b));
	buf_release(&b);
	return r;
}

static int
take_kind(struct plan_parse *p, const struct plan_node *at, const char *name,
    enum source_system *ret)
{
	for (unsigned i = 0; i < SOURCE_PROCESS; i++)
		if (strcmp(source_system_name((enum source_system)i),
		    name) == 0) {
			*ret = (enum source_system)i;
			return 0;
		}
	return no_kind(p, at);
}

static int
take_hex(struct plan_parse *p, const struct plan_node *at, const char *hex,
    const char **ret)
{
	size_t n = strlen(hex);
	uint8_t *path;

	if ((path = arena_alloc(p->arena, n / 2 + 1)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if (n % 2 != 0 || !text_unhex(path, hex, n) ||
	    memchr(path, 0, n / 2) != NULL)
		return plan_error(p->name, at, p->e,
		    "path-hex is a path's bytes in lower-case hex");
	*ret = (const char *)path;
	return 0;
}

/* Where it is: exactly one of five keys. */
static int
take_place(struct plan_parse *p, const struct plan_node *at,
    const struct draft *d, uint32_t seen, struct collect_source *s)
{
	uint32_t places = seen & PLACES;
	uint64_t pid;

	if (places == 0 || (places & (places - 1)) != 0)
		return plan_error(p->name, at, p->e, "a source has exactly "
		    "one of path, path-hex, uri, process, process-of");
	if (d->path_hex != NULL)
		return take_hex(p, at, d->path_hex, &s->path);
	if (d->path != NULL) {
		s->path = d->path;
	} else if (d->uri != NULL) {
		s->given = d->uri;
		if (strchr(d->uri, ':') == NULL ||
		    !source_split(d->uri, &s->kind, &s->path) ||
		    s->kind == SOURCE_FILES)
			return no_kind(p, at);
		s->url = source_is_url(s->path);
		if (s->url && !source_url_ok(s->path))
			return plan_error(p->name, at, p->e,
			    SOURCE_URL_WRONG);
	} else if (d->process != NULL) {
		if (!value_number(d->process, strlen(d->process), INT32_MAX,
		    &pid) || pid == 0)
			return plan_error(p->name, at, p->e,
			    "a process is a number");
		s->kind = SOURCE_PROCESS;
		s->path = d->process;
	} else {
		s->kind = SOURCE_PROCESS_OF;
		s->path = d->process_of;
	}
	if (*s->path == '\0' || strlen(s->path) >= LIMIT_PATH)
		return plan_error(p->name, at, p->e,
		    "a path has 1 to %d bytes", LIMIT_PATH - 1);
	return 0;
}

/* What it is: said, or of a uri and a process known. */
static int
take_what(struct plan_parse *p, const struct plan_node *at,
    const struct draft *d, struct collect_source *s)
{
	bool process = d->process != NULL || d->process_of != NULL;
	int r;

	s->class = process ? BAG_HOST : BAG_REGISTRY;
	if (d->class != NULL) {
		enum bag_class want = s->class;

		if ((r = take_class(p, at, d->class, &s->class)) < 0)
			return r;
		if ((process || d->uri != NULL) && s->class != want)
			return plan_error(p->name, at, p->e,
			    "the class of a %s is %s",
			    process ? "process" : "uri",
			    bag_class_name(want));
	} else if (!process && d->uri == NULL && d->kind == NULL) {
		return plan_error(p->name, at, p->e, "a path has a class: "
		    "weights, training, registry, api-logs, host, other");
	}
	if (d->kind == NULL)
		return 0;
	if (process || d->uri != NULL || s->class != BAG_REGISTRY)
		return plan_error(p->name, at, p->e,
		    "kind is for the path of a registry");
	return take_kind(p, at, d->kind, &s->kind);
}

static int
take_limits(struct plan_parse *p, const struct plan_node *at,
    const struct draft *d, uint32_t seen, struct collect_source *s)
{
	struct collect_window *w = &s->window;

	w->has_since = (seen & 1U << SINCE) != 0;
	w->has_until = (seen & 1U << UNTIL) != 0;
	w->since_ns = d->since;
	w->until_ns = d->until;
	if ((w->has_since || w->has_until) && s->class != BAG_API_LOGS)
		return plan_error(p->name, at, p->e,
		    "since and until are for api-logs");
	if (w->has_since && w->has_until && d->since >= d->until)
		return plan_error(p->name, at, p->e,
		    "until is not later than since");
	if (d->slice != NULL && s->class != BAG_TRAINING)
		return plan_error(p->name, at, p->e,
		    "slice is for training data");
	s->slice = d->slice;
	s->max_bytes = d->max_bytes != 0 ? d->max_bytes : p->plan->max_bytes;
	return 0;
}

static int
take_option(struct plan_parse *p, const struct plan_node *key,
    struct collect_source *s, struct collect_setting *ret)
{
	const struct settings_row *row = settings_find(key->text);
	const struct plan_node *value = key->next;
	char shown[48];
	struct buf b;
	int r;

	if (row == NULL || (row->of & settings_of(s)) == 0) {
		buf_init(&b, KIB);
		for (size_t i = 0; i < settings_count(); i++)
			if ((settings_at(i)->of & settings_of(s)) != 0)
				buf_printf(&b, "%s%s", b.len > 0 ? ", " : "",
				    settings_at(i)->name);
		r = plan_error(p->name, key, p->e, "'%s' is no option of this "
		    "source: %s", text_z(shown, sizeof(shown), key->text,
		    key->n), b.len > 0 ? buf_str(&b) : "it has none");
		buf_release(&b);
		return r;
	}
	for (size_t i = 0; i < s->nsettings; i++)
		if (strcmp(s->settings[i].name, row->name) == 0)
			return plan_error(p->name, key, p->e,
			    "'%s' is given twice", row->name);
	if (value->kind != PLAN_TEXT || !settings_takes(row, value->text))
		return plan_error(p->name, value, p->e,
		    "'%s' is one of: %s", row->name, row->values);
	*ret = (struct collect_setting){row->name, value->text};
	return 0;
}

static int
take_options(struct plan_parse *p, const struct plan_node *at,
    struct collect_source *s)
{
	struct collect_setting *list;
	size_t n = 0;
	int r;

	if (at->kind != PLAN_MAP)
		return plan_error(p->name, at, p->e,
		    "options are a map of names and values");
	for (const struct plan_node *k = at->first; k != NULL;
	    k = k->next->next)
		n++;
	if ((list = arena_array(p->arena, n + 1, sizeof(*list))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	s->settings = list;
	for (const struct plan_node *k = at->first; k != NULL;
	    k = k->next->next) {
		if ((r = take_option(p, k, s, &list[s->nsettings])) < 0)
			return r;
		s->nsettings++;
	}
	return 0;
}

static int
take_source(struct plan_parse *p, const struct plan_node *at,
    struct collect_source *s)
{
	struct draft d = {0};
	uint32_t seen;
	int r;

	if ((r = plan_take_map(p, at, &table, &d, &seen)) < 0 ||
	    (r = take_place(p, at, &d, seen, s)) < 0 ||
	    (r = take_what(p, at, &d, s)) < 0 ||
	    (r = take_limits(p, at, &d, seen, s)) < 0)
		return r;
	return d.options != NULL ? take_options(p, d.options, s) : 0;
}

int
plan_take_sources(struct plan_parse *p, const struct plan_node *v,
    void *plan)
{
	struct plan *ret = plan;
	size_t n = 0;
	int r;

	if (v->kind != PLAN_LIST)
		return plan_error(p->name, v, p->e,
		    "sources are a list: each begins with '-'");
	for (const struct plan_node *s = v->first; s != NULL; s = s->next)
		n++;
	if (n == 0 || n > LIMIT_PLAN_SOURCES)
		return plan_error(p->name, v, p->e,
		    "a plan has 1 to %d sources", LIMIT_PLAN_SOURCES);
	if ((ret->sources = arena_array(p->arena, n,
	    sizeof(*ret->sources))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	for (const struct plan_node *s = v->first; s != NULL; s = s->next)
		if ((r = take_source(p, s, &ret->sources[ret->nsources++])) <
		    0)
			return r;
	return 0;
}
