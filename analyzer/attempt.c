#include <string.h>

#include "analyzer/attempt.h"
#include "analyzer/rules.h"
#include "analyzer/wire.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"

struct attempt_node {
	struct attempt_node *next;
	struct finding f;
};

struct attempt_name {
	struct attempt_name *next;
	size_t n;
	char name[];
};

/* Names of callees that are remembered, to not report the name again. */
#define CALLEES_MAX 4096

/* Functions of one .pyc: notes, that leave room for what is found in them. */
#define CODE_NOTES_MAX (LIMIT_FINDINGS_PER_OBJECT / 2)

void
attempt_init(struct attempt *a, const struct format *f, unsigned bits,
    struct arena *arena)
{
	memset(a, 0, sizeof(*a));
	a->format = f;
	a->name = f->name;
	a->bits = bits;
	a->arena = arena;
}

static bool
is_judged(enum finding_id id)
{
	return id <= FINDING_PKL_GLOBAL_UNKNOWN ||
	    id == FINDING_PICKLE_CALLABLE;
}
_Static_assert(FINDING_PKL_CALL_DANGEROUS == 0 &&
    FINDING_PKL_GLOBAL_UNKNOWN == 5,
    "calls and globals come first in findings.def");

/* Copy what the finding points to; text that does not fit is left out. */
static bool
keep(struct attempt *a, const struct finding *f)
{
	struct attempt_node *n;

	if ((n = arena_alloc(a->arena, sizeof(*n))) == NULL)
		return false;
	n->f = *f;
	for (unsigned i = 0; i < f->ndetails; i++) {
		struct detail *d = &n->f.details[i];

		if (d->len > LIMIT_RENDER)
			d->len = LIMIT_RENDER;
		if (d->text != NULL && (d->text = (const uint8_t *)arena_dup(
		    a->arena, d->text, d->len)) == NULL)
			return false;
	}
	if (a->last != NULL)
		a->last->next = n;
	else
		a->first = n;
	a->last = n;
	a->kept++;
	return true;
}

void
attempt_add(struct attempt *a, const struct finding *f)
{
	if (finding_info(f->id)->verdict == VERDICT_INCOMPLETE)
		a->incomplete = true;
	if (is_judged(f->id))
		a->judged = true;
	if (is_judged(f->id) && f->id != FINDING_PKL_GLOBAL_UNKNOWN)
		a->called = true;
	if (f->id == FINDING_TRAILING || f->id == FINDING_LEADING ||
	    f->id == FINDING_UNEXPLAINED)
		a->leaves = true;
	if (a->per_rule[f->id] >= (f->id == FINDING_PYTHON_CODE ?
	    CODE_NOTES_MAX : LIMIT_FINDINGS_PER_RULE) ||
	    a->kept >= LIMIT_FINDINGS_PER_OBJECT || !keep(a, f)) {
		if (f->severity == SEVERITY_INFO)
			a->notes_cut++;
		else
			a->cut++;
		return;
	}
	a->per_rule[f->id]++;
}

static const struct attempt_name *
find_callee(const struct attempt *a, const char *name, size_t n)
{
	for (const struct attempt_name *c = a->callees; c != NULL;
	    c = c->next)
		if (c->n == n && memcmp(c->name, name, n) == 0)
			return c;
	return NULL;
}

static void
add_callee(struct attempt *a, const char *name, size_t n)
{
	struct attempt_name *c;

	if (a->ncallees == CALLEES_MAX ||
	    (c = arena_alloc(a->arena, sizeof(*c) + n)) == NULL)
		return;
	c->n = n;
	memcpy(c->name, name, n);
	c->next = a->callees;
	a->callees = c;
	a->ncallees++;
}

/*
 * The place for this callee with these kinds of arguments, or NULL when the
 * arguments must be looked at: text, bytes, names and callables can speak
 * against a call, numbers and containers of them cannot.  Places are compared
 * in full: who writes the pickle chooses both.
 */
static struct attempt_quiet *
quiet_place(struct attempt *a, const struct ev_call *c)
{
	uint32_t h = c->callee_id;

	if (c->callee_id == 0 || strlen(c->sig) >= sizeof(a->quiet[0].sig) ||
	    strpbrk(c->sig, "sSygx+") != NULL)
		return NULL;
	for (const char *p = c->sig; *p != '\0'; p++)
		h = h * 31 + (uint8_t)*p;
	return &a->quiet[h % ATTEMPT_QUIET];
}

static bool
is_quiet(const struct attempt_quiet *q, const struct ev_call *c)
{
	return q != NULL && q->callee == c->callee_id &&
	    strcmp(q->sig, c->sig) == 0;
}

static void
make_quiet(struct attempt_quiet *q, const struct ev_call *c)
{
	if (q == NULL)
		return;
	q->callee = c->callee_id;
	memcpy(q->sig, c->sig, strlen(c->sig) + 1);
}

/* What would be malicious in an object that is loaded. */
static bool
is_grave(const struct finding *f)
{
	return finding_info(f->id)->verdict == VERDICT_MALICIOUS;
}

/* Nobody is known to load it: a note about the bytes around it. */
static void
as_note(struct finding *f)
{
	f->id = FINDING_PICKLE_CALLABLE;
	f->severity = finding_info(f->id)->severity;
	f->confidence = CONFIDENCE_STRONG;
}

static bool
told_before(const struct attempt *a, const struct finding *f)
{
	const struct detail *d = &f->details[0];

	for (const struct attempt_node *n = a->first; n != NULL; n = n->next)
		if (n->f.id == f->id && n->f.off == f->off &&
		    n->f.ndetails > 0 && n->f.details[0].len == d->len &&
		    memcmp(n->f.details[0].text, d->text, d->len) == 0)
			return true;
	return false;
}

void
attempt_call(struct attempt *a, const struct ev_call *c)
{
	struct attempt_quiet *quiet = quiet_place(a, c);
	struct finding f;
	struct buf args;
	bool seen;
	size_t n;

	a->calls++;
	if (is_quiet(quiet, c))
		return;
	n = rule_callee(c);
	buf_init(&args, LIMIT_RENDER);
	if (!rule_call(c, &args, &f)) {
		make_quiet(quiet, c);
		goto out;
	}
	if (!is_grave(&f) && (a->dormant || (c->flags & CALL_CARVED) != 0))
		goto out;
	if (a->dormant)
		as_note(&f);
	if (told_before(a, &f))
		goto out;	/* in another view of the same bytes */
	seen = find_callee(a, c->callee, n) != NULL;
	if (!seen)
		add_callee(a, c->callee, n);
	/* A thousand instances of one unknown class are one fact. */
	if (!seen || f.id != FINDING_PKL_CALL_UNKNOWN)
		attempt_add(a, &f);
out:
	buf_release(&args);
}

void
attempt_global(struct attempt *a, const struct ev_global *g)
{
	char dotted[1024];
	struct finding f;
	size_t n = g->module_len + 1 + g->name_len;

	if (a->dormant || !g->resolved || n > sizeof(dotted))
		return;	/* PICKLE_UNRESOLVED says so */
	memcpy(dotted, g->module, g->module_len);
	dotted[g->module_len] = '.';
	memcpy(dotted + g->module_len + 1, g->name, g->name_len);
	if (!rule_global(g, dotted, n, &f))
		return;
	/*
	 * Names come before the calls that use them, so whether this one is
	 * called is not known yet: attempt_send leaves out those that are.
	 */
	attempt_add(a, &f);
}

void
attempt_preview(struct finding *f, const struct bytesrc *src, uint64_t off,
    uint64_t len, char hex[2 * ATTEMPT_PREVIEW])
{
	static const char digit[] = "0123456789abcdef";
	uint8_t raw[ATTEMPT_PREVIEW];
	size_t n = len < sizeof(raw) ? (size_t)len : sizeof(raw);

	if (n == 0 || f->ndetails == FINDING_DETAILS ||
	    bytesrc_read(src, off, raw, n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digit[raw[i] >> 4];
		hex[2 * i + 1] = digit[raw[i] & 15];
	}
	rule_detail_text(f, "preview_hex", hex, 2 * n);
}

/*
 * Of a compiled module, its first code object and those that name what could
 * do harm are told; the other functions would drown them.
 */
static bool
is_plain_function(const struct attempt *a, const struct finding *f)
{
	bool module = false;

	if (f->id != FINDING_PYTHON_CODE || a->per_rule[f->id] == 0)
		return false;
	for (unsigned i = 0; i < f->ndetails; i++) {
		if (strcmp(f->details[i].key, "sink") == 0 ||
		    strcmp(f->details[i].key, "constants_hold") == 0)
			return false;
		module = module || strcmp(f->details[i].key, "module") == 0;
	}
	return module;
}

void
attempt_anomaly(struct attempt *a, const struct ev_anomaly *v,
    const struct bytesrc *src)
{
	char hex[2 * ATTEMPT_PREVIEW];
	struct finding f;

	if (a->dormant)
		return;
	rule_anomaly(v, &f);
	if (is_plain_function(a, &f))
		return;
	if (finding_info(f.id)->verdict == VERDICT_SUSPICIOUS)
		attempt_preview(&f, src, f.off, f.len, hex);
	attempt_add(a, &f);
}

/* Is this a name that a reported call, or an earlier finding, covers? */
static bool
is_covered(const struct attempt *a, const struct attempt_node *node)
{
	const struct detail *d = &node->f.details[0];

	if (node->f.id != FINDING_PKL_GLOBAL_DANGEROUS &&
	    node->f.id != FINDING_PKL_GLOBAL_UNKNOWN)
		return false;
	if (find_callee(a, (const char *)d->text, d->len) != NULL)
		return true;
	for (const struct attempt_node *n = a->first; n != node; n = n->next)
		if (n->f.id == node->f.id && n->f.details[0].len == d->len &&
		    memcmp(n->f.details[0].text, d->text, d->len) == 0)
			return true;
	return false;
}

static int
send_cut(struct wire *w, uint32_t object, enum finding_id id, uint64_t n,
    struct err *e)
{
	struct finding f = {.id = id, .severity = finding_info(id)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	rule_detail_num(&f, "not_kept", n);
	return wire_send_finding(w, object, &f, e);
}

int
attempt_send(const struct attempt *a, struct wire *w, uint32_t object,
    bool judged_only, struct err *e)
{
	int r = 0;

	for (const struct attempt_node *n = a->first; n != NULL && r >= 0;
	    n = n->next) {
		if ((judged_only && !is_judged(n->f.id)) || is_covered(a, n))
			continue;
		r = wire_send_finding(w, object, &n->f, e);
	}
	if (r >= 0 && a->cut > 0)
		r = send_cut(w, object, FINDING_FINDINGS_CUT, a->cut, e);
	if (r >= 0 && a->notes_cut > 0)
		r = send_cut(w, object, FINDING_SCAN_NOTES_CUT, a->notes_cut, e);
	return r;
}
