#include <string.h>

#include "analyzer/diff/alarm.h"
#include "analyzer/rules.h"

/* A payload's finding needs its place: hand_payload.c tells it. */
static const struct {
	enum conclusion_kind kind;
	enum finding_id id;
} table[] = {{CONCLUSION_RANK_ONE_EDIT, FINDING_DIFF_EDIT},
    {CONCLUSION_LOW_RANK_EDIT, FINDING_DIFF_EDIT},
    {CONCLUSION_TOKEN_ROW_EDIT, FINDING_DIFF_TOKEN_ROWS},
    {CONCLUSION_BIT_FLIP, FINDING_DIFF_PATCHED},
    {CONCLUSION_NOISED, FINDING_DIFF_NOISE}};

static int
tell(const struct rowtap *a, const struct finding *f)
{
	return a->to.finding(a->to.ctx, ROW_NEW, (struct row_text){"", 0},
	    f);
}

static int
on_conclusion(void *ctx, const struct row_conclusion *c)
{
	const struct rowtap *a = ctx;
	struct finding f = {.confidence = c->confidence};
	const char *name = conclusion_name(c->kind);
	int r;

	if ((r = a->to.conclusion(a->to.ctx, c)) < 0)
		return r;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].kind != c->kind)
			continue;
		f.id = table[i].id;
		f.severity = finding_info(f.id)->severity;
		/* Nothing honest makes these; of low rank an adapter does. */
		if (c->kind == CONCLUSION_RANK_ONE_EDIT)
			f.severity = SEVERITY_HIGH;
		rule_detail_text(&f, "conclusion", name, strlen(name));
		rule_detail_num(&f, "tensors", c->tensors_in_all);
		if (c->ntensors > 0)
			rule_detail_text(&f, "tensor", c->tensors[0].p,
			    c->tensors[0].n);
		return tell(a, &f);
	}
	return 0;
}

/* How sure: what the detector says of it in its evidence. */
static enum confidence
confidence_of(const struct row_candidate *r)
{
	static const char *const strong[] = {"outlier", "isolated"};
	const uint8_t *p;
	const char *level;
	size_t n, len;

	if (r->evidence == NULL)
		return CONFIDENCE_WEAK;
	p = basis_bytes(r->evidence, &n);
	if (basis_true(p, n, "strong"))
		return CONFIDENCE_STRONG;
	if (!basis_find(p, n, "level", &level, &len) || level == NULL)
		return CONFIDENCE_WEAK;
	for (size_t i = 0; i < sizeof(strong) / sizeof(strong[0]); i++)
		if (len == strlen(strong[i]) &&
		    memcmp(level, strong[i], len) == 0)
			return CONFIDENCE_STRONG;
	return CONFIDENCE_WEAK;
}

void
alarm_candidate(const struct row_candidate *c, struct finding *f)
{
	*f = (struct finding){.id = FINDING_TRIG_CANDIDATE,
	    .severity = finding_info(FINDING_TRIG_CANDIDATE)->severity,
	    .confidence = confidence_of(c)};
	rule_detail_text(f, "kind", c->kind, strlen(c->kind));
	rule_detail_text(f, "value", c->value.p, c->value.n);
	rule_detail_text(f, "method", c->method, strlen(c->method));
	if (c->target.p != NULL)
		rule_detail_text(f, "target", c->target.p, c->target.n);
	rule_detail_num(f, "rank", c->rank);
}

static int
on_candidate(void *ctx, const struct row_candidate *c)
{
	const struct rowtap *a = ctx;
	struct finding f;
	int r;

	if ((r = a->to.candidate(a->to.ctx, c)) < 0 || c->lead)
		return r;
	alarm_candidate(c, &f);
	return tell(a, &f);
}

/* Of calls only those that a scan would tell as well. */
static bool
is_harmless_call(const struct row_change *c)
{
	const char *text;
	const uint8_t *p;
	size_t n, len;

	if (c->area != CHANGE_CALLS)
		return false;
	if (c->what == CHANGE_MOVED || c->more == NULL)
		return true;
	p = basis_bytes(c->more, &n);
	return !basis_find(p, n, "rule", &text, &len);
}

/* Changes that a loader runs, or that change what ids mean. */
static int
on_change(void *ctx, const struct row_change *c)
{
	static const struct {
		enum change_area area;
		enum finding_id id;
	} rows[] = {{CHANGE_CODE, FINDING_DIFF_CODE},
	    {CHANGE_CALLS, FINDING_DIFF_CODE},
	    {CHANGE_TEMPLATE, FINDING_DIFF_TEMPLATE}};
	const struct rowtap *a = ctx;
	struct finding f = {.id = FINDING_COUNT,
	    .confidence = CONFIDENCE_CERTAIN};
	int r;

	if ((r = a->to.change(a->to.ctx, c)) < 0)
		return r;
	if (c->area == CHANGE_TOKENIZER && c->what == CHANGE_MOVED &&
	    c->key.n > 6 && memcmp(c->key.p, "token ", 6) == 0)
		f.id = FINDING_DIFF_VOCABULARY;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].area == c->area && c->what != CHANGE_REMOVED &&
		    !is_harmless_call(c))
			f.id = rows[i].id;
	if (f.id == FINDING_COUNT)
		return 0;
	f.severity = finding_info(f.id)->severity;
	rule_detail_text(&f, "key", c->key.p, c->key.n);
	return a->to.finding(a->to.ctx, ROW_NEW, c->path, &f);
}

void
alarm_init(struct rowtap *a, const struct rows *to)
{
	rowtap_init(a, to);
	a->rows.conclusion = on_conclusion;
	a->rows.candidate = on_candidate;
	a->rows.change = on_change;
}
