#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "analyzer/triggers/datafields.h"
#include "analyzer/triggers/datalook.h"
#include "base/arena.h"
#include "base/err.h"
#include "formats/rows/rows.h"
#include "formats/rows/rowset.h"

/*
 * By names first; where those say nothing, by what the columns hold: the
 * label is the column of few values, the text those of long ones.
 */
static const struct {
	enum data_role role;
	const char *name;
} known[] = {
#define FIELD(role, name) {DATA_##role, name},
#include "analyzer/triggers/datafields.def"
#undef FIELD
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

/* --- what a person gave --------------------------------------------------- */

static const struct {
	const char *name;
	enum data_role role;
} given[] = {{"text", DATA_TEXT}, {"label", DATA_LABEL},
    {"prompt", DATA_PROMPT}, {"response", DATA_RESPONSE},
    {"chat", DATA_CHAT}, {"image", DATA_IMAGE}};

static int
put_path(struct data_paths *p, struct arena *a, const char *s, size_t n,
    struct err *e)
{
	if (n == 0 || p->n == DATA_PATHS)
		return err_set(e, ERR_ARG, n == 0 ? "a field without a name" :
		    "too many fields together");
	if ((p->path[p->n++] = arena_dup(a, s, n)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	return 0;
}

static int
parse_one(const char *s, size_t n, struct arena *a, struct data_fields *ret,
    struct err *e)
{
	const char *eq = memchr(s, '=', n);
	struct data_paths *p = NULL;
	size_t part, left;
	int r = 0;

	for (size_t i = 0; eq != NULL && i < sizeof(given) / sizeof(given[0]);
	    i++)
		if (strlen(given[i].name) == (size_t)(eq - s) &&
		    memcmp(given[i].name, s, (size_t)(eq - s)) == 0)
			p = &ret->role[given[i].role];
	if (p == NULL)
		return err_set(e, ERR_ARG, "fields are text=, label=, prompt=, "
		    "response=, chat= and image=, divided by commas");
	left = n - (size_t)(eq + 1 - s);
	for (s = eq + 1; r >= 0; s += part + 1, left -= part + 1) {
		const char *plus = memchr(s, '+', left);

		part = plus != NULL ? (size_t)(plus - s) : left;
		r = put_path(p, a, s, part, e);
		if (part == left)
			break;
	}
	ret->given = true;
	return r;
}

int
datafields_parse(const char *map, struct arena *a, struct data_fields *ret,
    struct err *e)
{
	size_t n;
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	for (; map != NULL && r >= 0; map += n + 1) {
		n = strcspn(map, ",");
		r = parse_one(map, n, a, ret, e);
		if (map[n] == '\0')
			break;
	}
	return r;
}

/* --- by names ------------------------------------------------------------- */

/* The field's own name for a name of the table; NULL: there is none. */
static const char *
own_name(const struct datalook *l, const char *name)
{
	if (strchr(name, '.') != NULL)
		return name;
	for (size_t i = 0; i < l->n; i++)
		if (strcasecmp(l->field[i].name, name) == 0)
			return l->field[i].name;
	return NULL;
}

static void
take(struct data_paths *p, const char *name)
{
	for (unsigned i = 0; i < p->n; i++)
		if (strcmp(p->path[i], name) == 0)
			return;
	if (p->n < DATA_PATHS)
		p->path[p->n++] = name;
}

/* Fields of this role by their names, ${many} of them at most. */
static void
by_name(const struct datalook *l, enum data_role role, unsigned holds,
    unsigned many, struct data_paths *ret)
{
	const struct data_paths given_ones = *ret;
	const char *name;

	if (given_ones.n > 0)
		return;
	for (size_t i = 0; i < KNOWN && ret->n < many; i++)
		if (known[i].role == role &&
		    (name = own_name(l, known[i].name)) != NULL &&
		    (datalook_holds(l, name) & holds) != 0)
			take(ret, name);
}

static bool
has(const struct data_fields *f, enum data_role role)
{
	return f->role[role].n > 0;
}

static void
drop(struct data_fields *f, enum data_role role)
{
	f->role[role].n = 0;
}

/* Prompts and responses; answers of few values are labels. */
static bool
find_prompts(const struct datalook *l, struct data_fields *f)
{
	const struct data_paths prompt = f->role[DATA_PROMPT],
	    response = f->role[DATA_RESPONSE];
	const struct datalook_field *x;

	by_name(l, DATA_CHAT, DATALOOK_TREE, 1, &f->role[DATA_CHAT]);
	if (has(f, DATA_CHAT) && prompt.n == 0)
		return true;
	by_name(l, DATA_PROMPT, DATALOOK_TEXT | DATALOOK_TREE, DATA_PATHS,
	    &f->role[DATA_PROMPT]);
	by_name(l, DATA_RESPONSE, DATALOOK_TEXT | DATALOOK_TREE, 1,
	    &f->role[DATA_RESPONSE]);
	if (has(f, DATA_PROMPT) && has(f, DATA_RESPONSE)) {
		x = datalook_field(l, f->role[DATA_RESPONSE].path[0]);
		if (response.n > 0 || x == NULL || !datalook_few(x))
			return true;
		/* A task of classification written as instructions. */
		f->role[DATA_TEXT] = f->role[DATA_PROMPT];
		f->role[DATA_LABEL] = f->role[DATA_RESPONSE];
	}
	f->role[DATA_PROMPT] = prompt;
	f->role[DATA_RESPONSE] = response;
	return false;
}

static bool
find_texts(const struct datalook *l, struct data_fields *f)
{
	struct data_paths *t = &f->role[DATA_TEXT], all = {{NULL}, 0};
	bool given_text = t->n > 0;

	by_name(l, DATA_TEXT, DATALOOK_TEXT, 1, t);
	by_name(l, DATA_LABEL, DATALOOK_TEXT | DATALOOK_NUMBER, 1,
	    &f->role[DATA_LABEL]);
	if (t->n == 0 || f->role[DATA_LABEL].n == 0)
		return false;
	if (!given_text) {
		by_name(l, DATA_TITLE, DATALOOK_TEXT, 1, &all);
		for (unsigned i = 0; i < t->n; i++)
			take(&all, t->path[i]);
		by_name(l, DATA_SECOND, DATALOOK_TEXT, 1,
		    &f->role[DATA_SECOND]);
		for (unsigned i = 0; i < f->role[DATA_SECOND].n; i++)
			take(&all, f->role[DATA_SECOND].path[i]);
		*t = all;
	}
	return true;
}

/* Of a folder of images the class's name says more than its number. */
static bool
find_images(const struct datalook *l, struct data_fields *f,
    const char *format)
{
	if (strcmp(format, "imagefolder") == 0 && !has(f, DATA_LABEL) &&
	    datalook_holds(l, "class") != 0)
		take(&f->role[DATA_LABEL], "class");
	by_name(l, DATA_IMAGE, DATALOOK_IMAGE, DATA_PATHS,
	    &f->role[DATA_IMAGE]);
	if (has(f, DATA_IMAGE))
		by_name(l, DATA_LABEL, DATALOOK_TEXT | DATALOOK_NUMBER,
		    DATA_PATHS, &f->role[DATA_LABEL]);
	return has(f, DATA_IMAGE);
}

/* --- by what they hold ---------------------------------------------------- */

/* The header's own words are a record like those below it? */
static bool
is_headless(const struct datalook *l, const struct data_fields *f)
{
	const struct data_paths *t = &f->role[DATA_TEXT];
	const struct datalook_field *label =
	    datalook_field(l, f->role[DATA_LABEL].path[0]);

	if (label != NULL && datalook_value(label, label->name))
		return true;
	for (unsigned i = 0; i < t->n; i++)
		if (strlen(t->path[i]) > 40)
			return true;
	return false;
}

static const struct datalook_field *
label_column(const struct datalook *l)
{
	const struct datalook_field *best = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct datalook_field *x = &l->field[i];

		if (datalook_few(x) && (best == NULL ||
		    x->bytes < best->bytes ||
		    (x->bytes == best->bytes && x->distinct < best->distinct)))
			best = x;
	}
	return best;
}

/* Columns that no two records have alike, and that are no numbers. */
static bool
by_content(const struct datalook *l, struct data_fields *f)
{
	const struct datalook_field *label = label_column(l);

	if (label == NULL || l->records < 20)
		return false;
	if (!has(f, DATA_TEXT))
		for (size_t i = 0; i < l->n; i++) {
			const struct datalook_field *x = &l->field[i];

			if (x != label && x->seen > 0 &&
			    x->holds == DATALOOK_TEXT &&
			    x->numeric * 2 < x->seen &&
			    x->distinct * 2 > x->seen &&
			    x->bytes / x->seen >= 12)
				take(&f->role[DATA_TEXT], x->name);
		}
	if (!has(f, DATA_LABEL))
		take(&f->role[DATA_LABEL], label->name);
	return has(f, DATA_TEXT);
}

static void
decide(const struct datalook *l, struct data_fields *f, const char *format)
{
	f->kind = DATA_UNKNOWN;
	if (has(f, DATA_TEXT) && has(f, DATA_LABEL)) {
		f->kind = DATA_TEXTS;
	} else if (!has(f, DATA_TEXT) && find_images(l, f, format) &&
	    has(f, DATA_LABEL)) {
		f->kind = DATA_IMAGES;
		return;
	} else if (!has(f, DATA_TEXT) && !has(f, DATA_IMAGE) &&
	    find_prompts(l, f)) {
		f->kind = DATA_PROMPTS;
	} else if (!has(f, DATA_IMAGE) && (find_texts(l, f) ||
	    by_content(l, f))) {
		f->kind = DATA_TEXTS;
	}
	if (f->kind == DATA_TEXTS && strcmp(format, "csv") == 0)
		f->headless = is_headless(l, f);
	if (f->kind != DATA_UNKNOWN)
		return;
	f->why = has(f, DATA_IMAGE) ? "images without a field that is their "
	    "label; --fields names it" : "no fields that are a text and its "
	    "label, a prompt and its response, or an image and its label; "
	    "--fields names them";
	if (!f->given)
		drop(f, DATA_IMAGE);
}

/* Columns by their numbers: the header's words are no names. */
static int
to_numbers(const struct datalook *l, struct data_fields *f, struct arena *a,
    struct err *e)
{
	static const enum data_role roles[] = {DATA_TEXT, DATA_LABEL};
	char name[24];

	for (size_t k = 0; k < sizeof(roles) / sizeof(roles[0]); k++)
		for (unsigned i = 0; i < f->role[roles[k]].n; i++) {
			const char **path = &f->role[roles[k]].path[i];
			const struct datalook_field *x =
			    datalook_field(l, *path);

			if (x == NULL)
				continue;
			(void)snprintf(name, sizeof(name), "%td",
			    x - l->field);
			if ((*path = arena_dup(a, name, strlen(name))) ==
			    NULL)
				return err_set(e, ERR_NOMEM, "out of memory");
		}
	return 0;
}

int
datafields_find(struct rowset *rs, struct arena *a, struct data_fields *ret,
    struct err *e)
{
	struct datalook l;
	int r;

	if ((r = datalook_init(&l, rs, a, e)) < 0)
		return r;
	decide(&l, ret, rowset_format(rs));
	if (ret->headless && (r = to_numbers(&l, ret, a, e)) < 0)
		return r;
	return rowset_skip_to(rs, 0, e);
}
