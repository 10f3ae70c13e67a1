#include <string.h>

#include "analyzer/policy.h"
#include "analyzer/rules.h"
#include "base/buf.h"
#include "base/bug.h"

/*
 * What a call means.
 *
 * The verdict is callee class times argument evidence:
 *
 *	callee      no evidence        evidence
 *	dangerous   critical/high: it is what loading would run
 *	judge       by the names in    a dangerous callable or a denied
 *	            its arguments      name handed on: high
 *	unknown     low                high
 *	allowed     nothing            only a dangerous callable: high;
 *	                               of another shape: as unknown
 *
 * BUILD and the implicit methods of an object of unknown class get their
 * evidence only from callables: a state dictionary may hold paths and URLs
 * honestly.
 */
static const char *const own_methods[] = {".__setstate__", ".__setitem__",
    ".__new__", ".__init__", ".append", ".extend", ".add", ".__dict__.update",
    NULL};

void
rule_detail_text(struct finding *f, const char *key, const void *p, size_t n)
{
	BUG_ON(f->ndetails == FINDING_DETAILS);
	f->details[f->ndetails++] =
	    (struct detail){key, p != NULL ? p : (const uint8_t *)"", n, 0};
}

void
rule_detail_num(struct finding *f, const char *key, uint64_t v)
{
	BUG_ON(f->ndetails == FINDING_DETAILS);
	f->details[f->ndetails++] = (struct detail){key, NULL, 0, v};
}

static void
rule_detail_z(struct finding *f, const char *key, const char *s)
{
	rule_detail_text(f, key, s, strlen(s));
}

static bool
ends_with(const char *p, size_t n, const char *tail, size_t *rest)
{
	size_t m = strlen(tail);

	if (n <= m || memcmp(p + n - m, tail, m) != 0)
		return false;
	*rest = n - m;
	return true;
}

size_t
rule_callee(const struct ev_call *c)
{
	size_t n = c->callee_len;

	/* What none of them ends with: most callees of a model. */
	if (n == 0 || strchr("_de", c->callee[n - 1]) == NULL)
		return n;
	for (const char *const *m = own_methods; *m != NULL; m++)
		if (ends_with(c->callee, c->callee_len, *m, &n))
			break;
	return n;
}

/* Constructed or called by REDUCE and its kin, not fed by BUILD or APPEND? */
static bool
is_plain_call(const struct ev_call *c)
{
	return strcmp(c->opcode, "REDUCE") == 0 ||
	    strcmp(c->opcode, "INST") == 0 || strcmp(c->opcode, "OBJ") == 0;
}

static bool
is_evidence(const char *evidence, const char *kind)
{
	return evidence != NULL && strcmp(evidence, kind) == 0;
}

static bool
is_dangerous(const char *name, size_t n)
{
	const struct policy_row *row = policy_judge(name, n);

	return row != NULL && row->cls == POLICY_DANGEROUS;
}

/*
 * A callee whose meaning is what it is given.  When the machine knows what it
 * gives, that is what is judged: a dangerous name that is fetched is no call
 * yet, and its call, if there is one, is told by itself.
 */
static enum finding_id
judge_given(const struct ev_call *c, const char *text, size_t n,
    const char *found, const char **evidence)
{
	if (c->target_len > 0)
		return is_dangerous(c->target, c->target_len) ?
		    FINDING_PKL_GLOBAL_DANGEROUS : FINDING_COUNT;
	if (is_evidence(found, "dangerous-callable") ||
	    is_evidence(found, "denied-name")) {
		*evidence = found;
		return FINDING_PKL_CALL_EVIDENCE;
	}
	return policy_names_allowed(text, n) ? FINDING_COUNT :
	    FINDING_PKL_CALL_UNKNOWN;
}

/*
 * The class of a callee with these arguments: an allowed one that is given
 * what no honest writer gives it is not the one that was allowed.
 */
static enum policy_class
class_of(const struct ev_call *c, const struct policy_row *row)
{
	if (row == NULL)
		return POLICY_UNKNOWN;
	if (row->cls == POLICY_ALLOW && (c->flags & CALL_IMPLICIT) == 0 &&
	    !policy_shape_ok(row->shape, c->sig))
		return POLICY_UNKNOWN;
	return row->cls;
}

static enum finding_id
judge(const struct ev_call *c, const struct buf *args,
    const struct policy_row *row, const char **evidence)
{
	enum policy_class cls = class_of(c, row);
	const char *text = args->p != NULL ? (const char *)args->p : "";
	const char *found = policy_evidence(text, args->len);
	size_t n;

	*evidence = NULL;
	if (cls == POLICY_DANGEROUS) {
		*evidence = found;
		return FINDING_PKL_CALL_DANGEROUS;
	}
	if (cls == POLICY_JUDGE)
		return judge_given(c, text, args->len, found, evidence);
	/* A state that names something dangerous has not called it. */
	if (cls == POLICY_ALLOW && (c->flags & CALL_IMPLICIT) != 0)
		return FINDING_COUNT;
	if (is_evidence(found, "dangerous-callable")) {
		*evidence = found;
		return FINDING_PKL_CALL_EVIDENCE;
	}
	if (cls == POLICY_ALLOW)
		return FINDING_COUNT;
	/* A dangerous name in what computes the callee: it is how it is made. */
	if (!c->resolved && policy_handed_on(c->callee, c->callee_len, &n) !=
	    NULL) {
		*evidence = "dangerous-callable";
		return FINDING_PKL_CALL_EVIDENCE;
	}
	if (!c->resolved)
		return FINDING_PKL_CALL_COMPUTED;
	if (found == NULL || !is_plain_call(c))
		return FINDING_PKL_CALL_UNKNOWN;
	*evidence = found;
	return FINDING_PKL_CALL_EVIDENCE;
}

bool
rule_call(const struct ev_call *c, struct buf *args, struct finding *ret)
{
	const struct policy_row *row = policy_judge(c->callee, rule_callee(c));
	const char *evidence;
	enum finding_id id;

	buf_clear(args);
	format_call_args(c, args);
	id = judge(c, args, row, &evidence);
	if (id == FINDING_COUNT)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->id = id;
	ret->severity = finding_info(id)->severity;
	if (id == FINDING_PKL_CALL_DANGEROUS && row != NULL)
		ret->severity = row->severity;
	ret->confidence = id == FINDING_PKL_CALL_DANGEROUS ?
	    CONFIDENCE_CERTAIN : CONFIDENCE_STRONG;
	if (id == FINDING_PKL_CALL_UNKNOWN)
		ret->confidence = CONFIDENCE_WEAK;
	ret->off = c->off;
	ret->len = 1;
	if (id == FINDING_PKL_GLOBAL_DANGEROUS) {
		rule_detail_text(ret, "global", c->target, c->target_len);
		rule_detail_text(ret, "fetched_by", c->callee, c->callee_len);
		rule_detail_z(ret, "opcode", c->opcode);
		return true;
	}
	rule_detail_text(ret, "callee", c->callee, c->callee_len);
	rule_detail_text(ret, "arguments", args->p, args->len);
	if (buf_failed(args) < 0)
		rule_detail_num(ret, "arguments_cut", 1);
	rule_detail_z(ret, "opcode", c->opcode);
	rule_detail_num(ret, "call", c->index);
	if (c->stream > 0)
		rule_detail_num(ret, "stream", c->stream);
	if (row != NULL)
		rule_detail_z(ret, "why", row->why);
	if (evidence != NULL)
		rule_detail_z(ret, "argument_evidence", evidence);
	if (is_evidence(evidence, "dangerous-callable")) {
		size_t n = 0;
		const char *name = policy_handed_on((const char *)args->p,
		    args->len, &n);

		if (name == NULL)
			name = policy_handed_on(c->callee, c->callee_len, &n);

		if (name != NULL)
			rule_detail_text(ret, "handed_on", name, n);
	}
	return true;
}

bool
rule_global(const struct ev_global *g, const char *dotted, size_t n,
    struct finding *ret)
{
	const struct policy_row *row = policy_judge(dotted, n);
	bool danger = row != NULL && row->cls == POLICY_DANGEROUS;

	if (row != NULL && !danger)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->id = danger ? FINDING_PKL_GLOBAL_DANGEROUS :
	    FINDING_PKL_GLOBAL_UNKNOWN;
	ret->severity = finding_info(ret->id)->severity;
	ret->confidence = CONFIDENCE_STRONG;
	ret->off = g->off;
	ret->len = 1;
	rule_detail_text(ret, "global", dotted, n);
	rule_detail_z(ret, "opcode", g->opcode);
	if (row != NULL)
		rule_detail_z(ret, "why", row->why);
	return true;
}

/*
 * A code object is a note, unless it names what could do harm: whether it is
 * ever run is not said by it, so the verdict is suspicious at most.  A pickle
 * that makes or loads one is malicious by that call.  A compiled module names
 * such things honestly (a fifth of the standard library's do): of it they are
 * notes.
 */
static void
judge_code(struct finding *ret)
{
	struct policy_code c;
	const struct detail *names = NULL, *constants = NULL;
	bool module = false;

	for (unsigned i = 0; i < ret->ndetails; i++) {
		if (strcmp(ret->details[i].key, "names") == 0)
			names = &ret->details[i];
		else if (strcmp(ret->details[i].key, "constants") == 0)
			constants = &ret->details[i];
		else if (strcmp(ret->details[i].key, "module") == 0)
			module = true;
	}
	BUG_ON(names == NULL || constants == NULL);
	policy_code((const char *)names->text, names->len,
	    (const char *)constants->text, constants->len, &c);
	if (c.evidence != NULL)
		rule_detail_z(ret, "constants_hold", c.evidence);
	if (c.sink != NULL)
		rule_detail_z(ret, "sink", c.sink);
	if (c.severity == SEVERITY_INFO || module)
		return;
	ret->id = FINDING_PY_CODE_SINK;
	ret->severity = c.severity;
	ret->confidence = c.sure ? CONFIDENCE_STRONG : CONFIDENCE_WEAK;
}

/* What configuration names is judged as what a pickle would call. */
static void
judge_target(struct finding *ret)
{
	const struct policy_row *row = NULL;
	bool known = false;

	for (unsigned i = 0; i < ret->ndetails; i++) {
		const struct detail *d = &ret->details[i];

		if (strcmp(d->key, "target") == 0)
			row = policy_judge((const char *)d->text, d->len);
		else if (strcmp(d->key, "known") == 0)
			known = d->num != 0;
	}
	if (row != NULL && row->cls == POLICY_DANGEROUS) {
		ret->id = FINDING_CONFIG_TARGET_DANGEROUS;
		ret->severity = row->severity;
		rule_detail_z(ret, "why", row->why);
	} else if (known || (row != NULL && row->cls == POLICY_ALLOW)) {
		ret->id = FINDING_CONFIG_TARGET_KNOWN;
		ret->severity = finding_info(ret->id)->severity;
	}
}

void
rule_anomaly(const struct ev_anomaly *a, struct finding *ret)
{
	BUG_ON(a->nfacts > FACT_MAX);
	memset(ret, 0, sizeof(*ret));
	ret->id = finding_of_anomaly(a->id);
	ret->severity = finding_info(ret->id)->severity;
	ret->confidence = CONFIDENCE_CERTAIN;
	ret->off = a->off;
	ret->len = a->len;
	for (unsigned i = 0; i < a->nfacts; i++) {
		const struct fact *f = &a->facts[i];

		if (f->text != NULL)
			rule_detail_text(ret, f->key, f->text, f->len);
		else
			rule_detail_num(ret, f->key, f->num);
	}
	if (a->id == ANOMALY_PYTHON_CODE)
		judge_code(ret);
	else if (a->id == ANOMALY_CONFIG_TARGET)
		judge_target(ret);
}
