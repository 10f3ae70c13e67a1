#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "tools/mksample.h"

/*
 * A folder of cases: DIR/<group>.cases, with the defs of DIR/common.defs.
 *
 *   case ID
 *   expect VERDICT [CALLEE]
 *   in CONTAINER...      (raw when missing)
 *   named FILE           (the case is a folder with that file in it)
 *   statements
 *
 * Each case gives OUT/<group>/ID.CONTAINER for each container: raw is the
 * statements' bytes, any other one the def of that name with the statements
 * as its body.  A named case gives OUT/<group>/ID/FILE, whatever its
 * container, and may have other files in its folder.  A line of
 * OUT/expect.tsv for each: path, verdict, callee or rule ("-": none is named).
 */
#define GROUPS 64

struct maker {
	const char *out;
	char group[64];
	FILE *list;
	unsigned made;
};

/* from..to: the statements; expect and in stand before them. */
struct testcase {
	const struct stmt *head, *from, *to, *expect, *in, *named;
};

static bool
word_safe(const struct word *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", w->p[i]) ==
		    NULL)
			return false;
	return w->n > 0;
}

/* The bytes of a case in one container. */
static void
make_bytes(const struct testcase *c, const struct word *container,
    struct buf *b)
{
	const struct scope top = {.def = NULL};
	struct scope in = {.body = c->from, .body_end = c->to,
	    .body_scope = &top};

	if (word_is(container, "raw")) {
		run(c->from, c->to, &top, b);
		return;
	}
	if ((in.def = run_find(container)) == NULL || in.def->count != 2)
		die(c->in, "no container of that name");
	run(in.def + 1, in.def->end, &in, b);
}

static void
make_one(struct maker *m, const struct testcase *c,
    const struct word *container)
{
	const struct word *id = &c->head->w[1], *e = c->expect->w;
	bool named = c->expect->count > 2;
	char path[1024], name[300];
	struct buf b;

	buf_init(&b, SAMPLE_MAX);
	(void)snprintf(name, sizeof(name), "%s/%.*s.%.*s", m->group,
	    (int)id->n, id->p, (int)container->n, container->p);
	if (c->named != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s/%.*s", m->out,
		    m->group, (int)id->n, id->p);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			die(c->named, "cannot make the folder");
		(void)snprintf(name, sizeof(name), "%s/%.*s/%.*s", m->group,
		    (int)id->n, id->p, (int)c->named->w[1].n,
		    c->named->w[1].p);
		run_folder(path);
	}
	make_bytes(c, container, &b);
	run_folder(NULL);
	(void)snprintf(path, sizeof(path), "%s/%s", m->out, name);
	sample_write(c->head, path, &b);
	(void)fprintf(m->list, "%s\t%.*s\t%.*s\n", name, (int)e[1].n, e[1].p,
	    named ? (int)e[2].n : 1, named ? e[2].p : "-");
	m->made++;
	buf_release(&b);
}

static void
make_case(struct maker *m, struct testcase *c)
{
	static char raw_text[] = "raw";
	const struct word raw = {raw_text, strlen(raw_text)};

	if (c->expect == NULL || c->expect->count < 2)
		die(c->head, "expect VERDICT [CALLEE] is missing");
	if (c->in == NULL) {
		make_one(m, c, &raw);
		return;
	}
	for (unsigned i = 1; i < c->in->count; i++)
		make_one(m, c, &c->in->w[i]);
}

/* A case id is used once: a second one would replace the first. */
static void
check_case(const struct script *sc, const struct stmt *s)
{
	if (s->count != 2 || !word_safe(&s->w[1]))
		die(s, "case ID, in lower case");
	for (const struct stmt *o = sc->stmt; o < s; o++)
		if (o->count == 2 && word_is(&o->w[0], "case") &&
		    o->w[1].n == s->w[1].n &&
		    memcmp(o->w[1].p, s->w[1].p, s->w[1].n) == 0)
			die(s, "there is a case of that name");
}

static void
make_group(struct maker *m, const struct script *sc)
{
	const struct stmt *end = sc->stmt + sc->count;

	for (const struct stmt *s = sc->stmt; s < end; s++) {
		struct testcase c = {.head = s};

		if (!word_is(&s->w[0], "case")) {
			if (s->end != NULL)
				s = s->end;	/* a def of this file */
			else if (s->w[0].n > 0)
				die(s, "this belongs to no case");
			continue;
		}
		check_case(sc, s);
		c.from = c.to = s + 1;
		while (c.to < end && !word_is(&c.to->w[0], "case")) {
			if (word_is(&c.to->w[0], "expect"))
				c.expect = c.to;
			else if (word_is(&c.to->w[0], "in"))
				c.in = c.to;
			else if (word_is(&c.to->w[0], "named") &&
			    c.to->count == 2)
				c.named = c.to;
			if (c.to == c.from && (c.expect == c.to ||
			    c.in == c.to || c.named == c.to ||
			    c.to->w[0].n == 0))
				c.from++;
			c.to++;
		}
		make_case(m, &c);
		s = c.to - 1;
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of DIR/<group>.cases, sorted: the list has one order. */
static unsigned
list_groups(const char *dir, char **group)
{
	struct dirent *de;
	unsigned n = 0;
	size_t len;
	DIR *d;

	if ((d = opendir(dir)) == NULL)
		return 0;
	while ((de = readdir(d)) != NULL) {
		len = strlen(de->d_name);
		if (len <= 6 || strcmp(de->d_name + len - 6, ".cases") != 0 ||
		    n == GROUPS)
			continue;
		group[n++] = strndup(de->d_name, len - 6);
	}
	(void)closedir(d);
	qsort(group, n, sizeof(*group), by_name);
	return n;
}

static bool
one_group(struct maker *m, const char *dir, const char *group)
{
	struct script *sc;
	char path[1024];

	(void)snprintf(m->group, sizeof(m->group), "%s", group);
	(void)snprintf(path, sizeof(path), "%s/%s", m->out, group);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return false;
	(void)snprintf(path, sizeof(path), "%s/%s.cases", dir, group);
	if ((sc = script_read(path)) == NULL)
		return false;
	run_defs(sc);
	make_group(m, sc);
	run_forget(sc);
	script_free(sc);
	return true;
}

int
cases_folder(const char *dir, const char *out)
{
	char *group[GROUPS] = {NULL}, path[1024];
	struct maker m = {.out = out};
	unsigned n = list_groups(dir, group);
	struct script *common;
	bool ok = n > 0;

	(void)snprintf(path, sizeof(path), "%s/common.defs", dir);
	if ((common = script_read(path)) != NULL)
		run_defs(common);
	run_root(dir);
	(void)snprintf(path, sizeof(path), "%s/expect.tsv", out);
	if ((m.list = fopen(path, "w")) == NULL)
		ok = false;
	for (unsigned i = 0; i < n; i++) {
		ok = ok && one_group(&m, dir, group[i]);
		free(group[i]);
	}
	if (m.list != NULL && fclose(m.list) != 0)
		ok = false;
	script_free(common);
	if (!ok || m.made == 0) {
		(void)fprintf(stderr, "mksample: cannot make the cases of "
		    "'%s'\n", dir);
		return 1;
	}
	(void)printf("%u samples\n", m.made);
	return 0;
}
