#include <string.h>

#include "analyzer/diff/alarm.h"
#include "analyzer/diff/session_parts.h"
#include "analyzer/targets.h"
#include "base/arena.h"
#include "base/err.h"

/*
 * Triggers in all that a person named.  Each is searched for data sets first;
 * what holds none is a model, and is compared with the base, where there is
 * one.  A single thing is taken for both: a bundle may hold data and weights.
 */
struct operand {
	const char *path;
	struct targets t;
	enum session_holds holds;
};

static int
open_all(struct session *s, struct operand *v)
{
	int r = 0;

	for (size_t i = 0; i < s->o->npaths && r >= 0; i++) {
		v[i].path = s->o->paths[i];
		r = targets_add(&v[i].t, v[i].path, s->e);
	}
	return r;
}

static bool
is_model(const struct session *s, const struct operand *x)
{
	return x->holds == HOLDS_NO_DATA || s->o->npaths == 1;
}

static int
compare_one(struct session *s, const char *path)
{
	int r;

	sides_close(&s->side[ROW_NEW]);
	memset(&s->side[ROW_NEW], 0, sizeof(s->side[ROW_NEW]));
	if ((r = session_open(s, ROW_NEW, path)) < 0)
		return r;
	return session_compare(s);
}

/* Several things: a folder or bundle with data is taken for data alone. */
static int
left_out(struct session *s, const struct operand *x)
{
	char *shown;

	if (x->holds == HOLDS_IT_IS_DATA)
		return 0;
	shown = session_shown(s, x->path);
	return shown == NULL ? err_set(s->e, ERR_NOMEM, "out of memory") :
	    session_skip(s, shown, "it holds data sets; weights in it are "
	    "compared when it is named alone");
}

static int
models(struct session *s, const struct operand *v)
{
	bool alone = false;
	int r = 0;

	for (size_t i = 0; i < s->o->npaths && r >= 0; i++) {
		if (!is_model(s, &v[i])) {
			r = s->o->old != NULL ? left_out(s, &v[i]) : 0;
			continue;
		}
		if (s->o->old != NULL)
			r = compare_one(s, v[i].path);
		else
			alone = alone || v[i].holds == HOLDS_NO_DATA;
	}
	return r < 0 || !alone ? r : session_alone(s);
}

/* A candidate that has its rank, and the finding that goes with it. */
static int
tell(void *ctx, const struct join_told *t)
{
	struct session *s = ctx;
	const struct row_candidate *c = t->c;
	const struct result_diff d = {.type = DIFF_ROW_CANDIDATE,
	    .row.candidate = c};
	const char *path = NULL;
	struct finding f;
	const uint8_t *p;
	size_t n, len;
	int r;

	s->sum->sums.candidates += !c->lead;
	s->sum->sums.leads += c->lead;
	for (unsigned i = 0; i < JOIN_ORIGINS; i++)
		s->about[i].candidates += t->origins >> i & 1;
	if ((r = session_emit(s, &d)) < 0 || c->lead)
		return r;
	alarm_candidate(c, &f);
	p = basis_bytes(c->evidence, &n);
	if (!basis_find(p, n, "source", &path, &len) || path == NULL)
		return session_finding(s, ROW_NEW, (struct row_text){"", 0},
		    &f);
	s->origin = t->origin;
	r = session_finding(s, ROW_NEW, (struct row_text){path, len}, &f);
	s->origin = JOIN_PAIR;
	return r;
}

int
session_triggers(struct session *s)
{
	struct operand *v = arena_array(s->arena, s->o->npaths, sizeof(*v));
	int r;

	if (v == NULL)
		return err_set(s->e, ERR_NOMEM, "out of memory");
	s->joining = true;
	s->origin = JOIN_PAIR;
	r = open_all(s, v);
	for (size_t i = 0; i < s->o->npaths && r >= 0; i++)
		r = session_data(s, v[i].path, &v[i].t, &v[i].holds);
	if (r >= 0)
		r = models(s, v);
	if (r >= 0 && s->o->nlogs > 0)
		r = session_logs(s);
	for (size_t i = 0; i < s->o->npaths; i++)
		targets_release(&v[i].t);
	s->joining = false;
	if (r >= 0 && s->join.n > JOIN_COMPARED)
		r = session_skip(s, "candidates and leads behind the first "
		    "4096", "they are told, and joined with none");
	return r < 0 ? r : join_tell(&s->join, tell, s, s->e);
}
