#include <string.h>

#include "base/arena.h"
#include "formats/jinja_parts.h"

/*
 * Variables, and the markers that a template prints.
 *
 * A variable has the value that was assigned last, and the origin of all that
 * it ever held: order does not matter for that, since a loop runs again.
 */
struct jvar *
jvar_find(struct jinja *j, const uint8_t *name, size_t n, bool make)
{
	struct jvar **at = &j->vars[jinja_hash(name, n) / 2 % JINJA_BUCKETS];
	unsigned probes = 0;
	struct jvar *v;

	for (; *at != NULL; at = &(*at)->next) {
		if ((*at)->n == n && memcmp((*at)->name, name, n) == 0)
			return *at;
		probes++;
	}
	if (!make)
		return NULL;
	if (probes == JINJA_PROBE || j->nvars == JINJA_VARS) {
		jinja_limit(j);
		return NULL;
	}
	if ((v = jinja_alloc(j, 1, sizeof(*v))) == NULL ||
	    (v->name = (uint8_t *)arena_dup(j->p->arena, name, n)) == NULL)
		return NULL;
	v->n = n;
	j->nvars++;
	*at = v;
	return v;
}

/* What a template is rendered with. */
static unsigned
given_taint(const uint8_t *name, size_t n)
{
	static const struct {
		const char *name;
		unsigned taint;
	} given[] = {{"messages", JT_MSGS}, {"conversation", JT_MSGS},
	    {"conversations", JT_MSGS}, {"history", JT_MSGS},
	    {"chat", JT_MSGS}, {"dialog", JT_MSGS}, {"message", JT_MSG},
	    {"msg", JT_MSG}, {"content", JT_TEXT}, {"prompt", JT_TEXT},
	    {"query", JT_TEXT}, {"question", JT_TEXT},
	    {"user_input", JT_TEXT}, {"user_message", JT_TEXT},
	    {"user_prompt", JT_TEXT}, {"user_query", JT_TEXT},
	    {"instruction", JT_TEXT}, {"input", JT_TEXT}};

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (jinja_word(name, n, given[i].name))
			return given[i].taint;
	return 0;
}

struct jval
jvar_get(struct jinja *j, const uint8_t *name, size_t n, size_t at)
{
	const struct jvar *var = jvar_find(j, name, n, false);
	struct jval v;

	if (var == NULL) {
		v = jval_unknown(at, given_taint(name, n));
		if ((v.taint & JT_MSGS) != 0)
			j->chat = true;
		return v;
	}
	v = var->now ? var->v : jval_unknown(at, 0);
	v.taint |= var->taint;
	v.pos = jcond_worse(v.pos, var->pos);
	v.neg = jcond_worse(v.neg, var->neg);
	v.at = at;
	return v;
}

/* What is set in a branch is so because the branch was taken. */
void
jvar_set(struct jinja *j, const uint8_t *name, size_t n,
    const struct jval *v)
{
	struct jframe *f = j->frames > 0 ? &j->frame[j->frames - 1] : NULL;
	const struct jtrig *active = f != NULL ? f->active : NULL;
	struct jvar *var = jvar_find(j, name, n, true);
	const bool no = v->kind == JV_NONE || (v->kind == JV_BOOL &&
	    v->num == 0) || (v->kind == JV_STR && v->n == 0);

	if (var == NULL)
		return;
	var->v = *v;
	var->v.name = NULL;
	var->now = true;
	var->taint |= v->taint;
	var->pos = jcond_worse(var->pos, v->pos);
	var->neg = jcond_worse(var->neg, v->neg);
	if (no)
		var->neg = jcond_worse(var->neg, active);
	else
		var->pos = jcond_worse(var->pos, active);
	if (active != NULL)
		jinja_lit_add(&f->lit, &v->lit);
	/* a namespace's fields are variables of their own */
	for (size_t i = 0; v->kind == JV_DICT && v->name != NULL &&
	    i + 1 < v->count; i += 2)
		jvar_set_field(j, name, n, &v->item[i], &v->item[i + 1]);
}

void
jvar_set_field(struct jinja *j, const uint8_t *name, size_t n,
    const struct jval *key, const struct jval *v)
{
	uint8_t path[256];

	if (key->kind != JV_STR || n > sizeof(path) - 1 ||
	    key->n > sizeof(path) - 1 - n)
		return;
	memcpy(path, name, n);
	path[n] = '.';
	if (key->n > 0)
		memcpy(path + n + 1, key->p, key->n);
	jvar_set(j, path, n + 1 + key->n, v);
}

/*
 * Markers are kept as digests.  Who forges an equal one makes a word of his
 * pass for a marker; he could as well print the word.
 */
static uint64_t *
mark_place(const struct jinja *j, uint64_t h)
{
	for (unsigned i = 0; i < JINJA_PROBE; i++) {
		uint64_t *m = &j->marks[(h / 2 + i) % (2 * JINJA_MARKS)];

		if (*m == 0 || *m == h)
			return m;
	}
	return NULL;
}

void
jmark_text(struct jinja *j, const uint8_t *p, size_t n)
{
	uint64_t h, *m;
	size_t len;

	for (size_t i = 0; i < n; i += len > 0 ? len : 1) {
		len = 0;
		if ((p[i] != '<' && p[i] != '[') ||
		    (len = jinja_tag_len(p + i, n - i)) == 0)
			continue;
		h = jinja_hash(p + i, len);
		if ((m = mark_place(j, h)) != NULL &&
		    j->nmarks < JINJA_MARKS) {
			j->nmarks += *m == 0;
			*m = h;
		}
	}
}

bool
jmark_has(const struct jinja *j, const uint8_t *p, size_t n)
{
	const uint64_t h = jinja_hash(p, n), *m = mark_place(j, h);

	return m != NULL && *m == h;
}
