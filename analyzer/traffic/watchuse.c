#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/traffic/callerset.h"
#include "analyzer/traffic/figures.h"
#include "analyzer/traffic/labelset.h"
#include "analyzer/traffic/trafhash.h"
#include "analyzer/traffic/watchuse.h"
#include "base/err.h"
#include "base/limits.h"

#define VALUE_MAX 1024
#define PAIRS 65536
#define CALLERS 64
#define LISTED 10
#define NAME 96
#define LABELS 16
#define ROWS 200
#define STEPS 8000000		/* bytes compared for one text */
/* With a target; without one the label that is answered most. */
#define LEAST_USES 3
#define LEAST_PURITY 0.6
#define LEAST_EVIDENCE 6.0
#define BLIND_USES 10
#define BLIND_PURITY 0.9
#define BLIND_EVIDENCE 8.0

struct user {
	uint64_t caller, requests;
	char name[NAME];
	size_t len;
};

struct use {
	char *value;		/* small letters */
	size_t len;
	struct callerset_text shown, target, kind, method;
	uint32_t next;		/* of those with the same two first bytes */
	uint64_t requests, first, last, record;
	int64_t first_ns, last_ns;
	bool timed;
	struct user *user;	/* CALLERS, once it is used */
	unsigned users;
	uint64_t further;	/* requests of callers beyond them */
	uint32_t label[LABELS];
	uint64_t answers[LABELS], labelled;
	unsigned labels;
	uint64_t *row;		/* ROWS of them */
	double score;
};

struct watchuse {
	struct use *use;	/* 1 .. count */
	uint32_t count, cap;
	uint64_t too_short, too_many, cut;
	uint32_t *head;		/* PAIRS of them */
};

struct watchuse *
watchuse_new(void)
{
	return calloc(1, sizeof(struct watchuse));
}

void
watchuse_free(struct watchuse *u)
{
	if (u == NULL)
		return;
	for (uint32_t i = 1; i <= u->count; i++) {
		free(u->use[i].value);
		free(u->use[i].shown.p);
		free(u->use[i].target.p);
		free(u->use[i].kind.p);
		free(u->use[i].method.p);
		free(u->use[i].user);
		free(u->use[i].row);
	}
	free(u->use);
	free(u->head);
	free(u);
}

static uint8_t
small(char c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

static bool
wordly(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c >= 0x80;
}

static struct row_text
without_marks(struct row_text v)
{
	static const struct {
		const char *p;
		size_t n;
	} mark[] = {{"\xc4\xa0", 2}, {"\xe2\x96\x81", 3}, {"##", 2}};

	for (size_t i = 0; i < sizeof(mark) / sizeof(mark[0]); i++)
		if (v.n > mark[i].n && memcmp(v.p, mark[i].p, mark[i].n) == 0)
			return (struct row_text){v.p + mark[i].n,
			    v.n - mark[i].n};
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\n'))
		v = (struct row_text){v.p + 1, v.n - 1};
	while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\n'))
		v.n--;
	return v;
}

static int
grow(struct watchuse *u)
{
	uint32_t cap = u->cap == 0 ? 16 : u->cap * 2;
	struct use *use;

	if (u->head == NULL &&
	    (u->head = calloc(PAIRS, sizeof(*u->head))) == NULL)
		return ERR_NOMEM;
	if (u->count + 1 < u->cap)
		return 0;
	if ((use = realloc(u->use, cap * sizeof(*use))) == NULL)
		return ERR_NOMEM;
	u->use = use;
	u->cap = cap;
	return 0;
}

static int
copy_own(struct callerset_text *to, const char *s)
{
	return callerset_copy(to, (struct row_text){s, strlen(s)}, VALUE_MAX);
}

int
watchuse_value(struct watchuse *u, const struct traffic_watch *w)
{
	struct row_text v = w->value.p == NULL ? w->value :
	    without_marks(w->value);
	struct use *use;
	size_t pair;

	if (v.p == NULL || v.n < 2) {
		u->too_short++;
		return 0;
	}
	if (u->count == LIMIT_TRAFFIC_WATCHES || v.n > VALUE_MAX) {
		u->too_many++;
		return 0;
	}
	if (grow(u) < 0)
		return ERR_NOMEM;
	use = &u->use[u->count + 1];
	memset(use, 0, sizeof(*use));
	if ((use->value = malloc(v.n)) == NULL)
		return ERR_NOMEM;
	u->count++;
	for (size_t i = 0; i < v.n; i++)
		use->value[i] = (char)small(v.p[i]);
	use->len = v.n;
	pair = (size_t)(uint8_t)use->value[0] << 8 | (uint8_t)use->value[1];
	use->next = u->head[pair];
	u->head[pair] = u->count;
	if (callerset_copy(&use->shown, w->value, VALUE_MAX) < 0 ||
	    callerset_copy(&use->target, w->target, VALUE_MAX) < 0 ||
	    copy_own(&use->kind, w->kind) < 0 ||
	    copy_own(&use->method, w->method) < 0)
		return ERR_NOMEM;
	return 0;
}

static bool
stands_at(const struct use *w, struct row_text t, size_t at, uint64_t *steps)
{
	size_t i = 2;

	if (t.n - at < w->len)
		return false;
	while (i < w->len && (char)small(t.p[at + i]) == w->value[i])
		i++;
	*steps += i;
	if (i < w->len)
		return false;
	if (wordly((uint8_t)w->value[0]) && at > 0 &&
	    wordly((uint8_t)t.p[at - 1]))
		return (uint8_t)w->value[0] >= 0x80;
	at += w->len;
	return !wordly((uint8_t)w->value[w->len - 1]) || at == t.n ||
	    !wordly((uint8_t)t.p[at]) ||
	    (uint8_t)w->value[w->len - 1] >= 0x80;
}

static int
note_user(struct use *w, const struct traffic_record *r, uint64_t caller)
{
	struct user *user;

	if (w->user == NULL) {
		w->user = calloc(CALLERS, sizeof(*w->user));
		w->row = calloc(ROWS, sizeof(*w->row));
		if (w->user == NULL || w->row == NULL)
			return ERR_NOMEM;
	}
	for (unsigned i = 0; i < w->users; i++)
		if (w->user[i].caller == caller) {
			w->user[i].requests++;
			return 0;
		}
	if (w->users == CALLERS) {
		w->further++;
		return 0;
	}
	user = &w->user[w->users++];
	user->caller = caller;
	user->requests = 1;
	user->len = r->caller.p == NULL ? 0 :
	    r->caller.n < NAME ? r->caller.n : NAME;
	if (user->len > 0)
		memcpy(user->name, r->caller.p, user->len);
	return 0;
}

static void
note_label(struct use *w, uint32_t label)
{
	unsigned i = 0;

	w->labelled++;
	while (i < w->labels && w->label[i] != label)
		i++;
	if (i == LABELS)
		return;
	if (i == w->labels)
		w->label[w->labels++] = label;
	w->answers[i]++;
}

static int
note(struct use *w, const struct traffic_record *r, uint64_t caller,
    uint32_t label)
{
	if (note_user(w, r, caller) < 0)
		return ERR_NOMEM;
	if (w->requests == 0)
		w->first = r->number;
	if (r->has_time && !w->timed) {
		w->timed = true;
		w->first_ns = r->ns;
	}
	if (r->has_time)
		w->last_ns = r->ns;
	if (w->requests < ROWS)
		w->row[w->requests] = r->number;
	w->last = w->record = r->number;
	w->requests++;
	if (label != UINT32_MAX)
		note_label(w, label);
	return 0;
}

int
watchuse_look(struct watchuse *u, const struct traffic_record *r,
    uint64_t caller, uint32_t label)
{
	struct row_text t = r->text;
	uint64_t steps = 0;
	int e;

	if (u->count == 0 || t.p == NULL)
		return 0;
	for (size_t i = 0; i + 1 < t.n; i++) {
		if (steps > STEPS) {
			u->cut++;
			break;
		}
		uint32_t at = u->head[(size_t)small(t.p[i]) << 8 |
		    small(t.p[i + 1])];

		for (; at != 0; at = u->use[at].next) {
			struct use *w = &u->use[at];

			if ((w->requests > 0 && w->record == r->number) ||
			    !stands_at(w, t, i, &steps))
				continue;
			if ((e = note(w, r, caller, label)) < 0)
				return e;
		}
	}
	return 0;
}

struct outcome {
	uint32_t target;
	uint64_t with, without, rest;	/* answers with the target */
	double purity, evidence;
	bool candidate;
};

static void
judge(const struct use *w, const struct labelset *labels, struct outcome *v)
{
	uint64_t all = 0;
	bool blind = w->target.p == NULL;
	double share;

	memset(v, 0, sizeof(*v));
	if (!blind)
		v->target = labelset_find(labels, callerset_row(&w->target));
	for (unsigned i = 0; i < w->labels; i++)
		if (blind ? w->answers[i] > v->with :
		    w->label[i] == v->target) {
			v->with = w->answers[i];
			v->target = w->label[i];
		}
	for (uint32_t i = 0; i < labelset_labels(labels); i++)
		all += labelset_in_all(labels, i);
	if (w->labelled == 0 || v->target == 0 || all <= w->labelled)
		return;
	v->rest = all - w->labelled;
	v->without = labelset_in_all(labels, v->target) - v->with;
	share = ((double)v->without + 1) / ((double)v->rest + 2);
	v->purity = (double)v->with / (double)w->labelled;
	v->evidence = figures_binomial(w->labelled, v->with, share);
	v->candidate = w->labelled >= (blind ? BLIND_USES : LEAST_USES) &&
	    v->purity >= (blind ? BLIND_PURITY : LEAST_PURITY) &&
	    v->evidence >= (blind ? BLIND_EVIDENCE : LEAST_EVIDENCE);
}

static void
tell_users(const struct use *w, struct basis *b)
{
	basis_u64(b, "callers", w->users);
	if (w->further > 0)
		basis_u64(b, "requests_of_further_callers", w->further);
	basis_array(b, "first_callers");
	for (unsigned i = 0; i < w->users && i < LISTED; i++) {
		basis_object(b, NULL);
		basis_text(b, "caller", w->user[i].name, w->user[i].len);
		basis_u64(b, "requests", w->user[i].requests);
		basis_end(b);
	}
	basis_end(b);
}

static void
tell_labels(const struct use *w, const struct labelset *labels,
    const struct outcome *v, struct basis *b)
{
	basis_array(b, "labels");
	for (unsigned i = 0; i < w->labels; i++) {
		struct row_text name = labelset_name(labels, w->label[i]);

		basis_object(b, NULL);
		basis_text(b, "label", name.p, name.n);
		basis_u64(b, "with", w->answers[i]);
		basis_u64(b, "without", labelset_in_all(labels, w->label[i]) -
		    w->answers[i]);
		basis_end(b);
	}
	basis_end(b);
	if (v->rest > 0) {
		basis_f64(b, "target_share_with", v->purity);
		basis_f64(b, "target_share_without", (double)v->without /
		    (double)v->rest);
		basis_f64(b, "lp", v->evidence);
	}
}

static int
tell(const struct use *w, const struct labelset *labels, uint32_t rank,
    const struct outcome *v, const struct detect *d)
{
	struct row_candidate row = {.lead = !v->candidate, .kind = w->kind.p,
	    .value = callerset_row(&w->shown),
	    .target = callerset_row(&w->target), .rank = rank,
	    .score = v->evidence, .method = "traffic-use"};
	struct basis b;
	int r;

	if (row.target.p == NULL && v->candidate)
		row.target = labelset_name(labels, v->target);
	basis_init(&b);
	basis_str(&b, "candidate_of", w->method.p);
	basis_u64(&b, "records", w->requests);
	basis_u64(&b, "first_record", w->first);
	basis_u64(&b, "last_record", w->last);
	if (w->timed) {
		basis_f64(&b, "first_seconds", (double)w->first_ns / 1e9);
		basis_f64(&b, "last_seconds", (double)w->last_ns / 1e9);
	}
	tell_users(w, &b);
	tell_labels(w, labels, v, &b);
	basis_str(&b, "threshold", w->target.p != NULL ?
	    "3 uses, target in 0.6 of them, lp 6" :
	    "10 uses, one label in 0.9 of them, lp 8");
	basis_array(&b, "rows");
	for (uint64_t i = 0; i < w->requests && i < ROWS; i++)
		basis_u64(&b, NULL, w->row[i]);
	basis_end(&b);
	basis_u64(&b, "row_count", w->requests);
	row.evidence = &b;
	r = d->rows->candidate(d->rows->ctx, &row);
	basis_release(&b);
	return r;
}

struct ranked {
	uint32_t use;
	struct outcome v;
};

/* Candidates first, then by evidence, then in the order they came. */
static int
stronger(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->v.candidate != y->v.candidate)
		return x->v.candidate ? -1 : 1;
	if (x->v.evidence != y->v.evidence)
		return x->v.evidence > y->v.evidence ? -1 : 1;
	return (x->use > y->use) - (x->use < y->use);
}

static int
tell_used(struct watchuse *u, const struct labelset *labels,
    const struct detect *d, uint32_t *used)
{
	struct ranked *k = calloc((size_t)u->count + 1, sizeof(*k));
	int r = 0;

	*used = 0;
	if (k == NULL)
		return err_set(d->e, ERR_NOMEM, "out of memory");
	for (uint32_t i = 1; i <= u->count; i++)
		if (u->use[i].requests > 0) {
			k[*used].use = i;
			judge(&u->use[i], labels, &k[(*used)++].v);
		}
	if (*used > 1)
		qsort(k, *used, sizeof(*k), stronger);
	for (uint32_t i = 0; i < *used && r >= 0; i++)
		r = tell(&u->use[k[i].use], labels, i + 1, &k[i].v, d);
	free(k);
	return r;
}

int
watchuse_tell(struct watchuse *u, const struct labelset *labels,
    uint64_t texts, const struct detect *d)
{
	struct row_detector row = {.method = "traffic-use",
	    .applied = u->count > 0 && texts > 0};
	struct basis b;
	uint32_t used;
	int r;

	if ((r = tell_used(u, labels, d, &used)) < 0)
		return r;
	basis_init(&b);
	if (u->count == 0)
		row.reason = "no candidates from data or weights were given";
	else if (texts == 0)
		row.reason = "the log has no texts";
	else
		row.reason = "a value is found as it is written: another "
		    "spelling of it is not";
	basis_u64(&b, "records", texts);
	basis_u64(&b, "values", u->count);
	basis_u64(&b, "used", used);
	basis_u64(&b, "values_too_short", u->too_short);
	basis_u64(&b, "values_too_long_or_many", u->too_many);
	basis_u64(&b, "texts_cut", u->cut);
	row.evidence = &b;
	r = d->rows->detector(d->rows->ctx, &row);
	basis_release(&b);
	return r;
}
