#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/rules.h"
#include "analyzer/triggers/datatell.h"

static void
take(struct datatell *t, uint64_t where, bool is_record, const char *what)
{
	if (t->told++ == 0) {
		t->where = where;
		t->is_record = is_record;
		t->what = what;
	}
}

void
datatell_at(struct datatell *t, uint64_t off, const char *what)
{
	take(t, off, false, what);
}

void
datatell_record(struct datatell *t, uint64_t index, const char *what)
{
	take(t, index, true, what);
}

static int
detector(const struct detect *d, const char *reason, struct basis *evidence)
{
	const struct row_detector r = {.method = "data-set",
	    .applied = reason == NULL, .reason = reason,
	    .evidence = evidence};

	return d->rows->detector(d->rows->ctx, &r);
}

int
datatell_none(const struct datatell *t, const struct datarun_set *set,
    const struct detect *d, const char *why)
{
	struct basis b;
	int r;

	(void)set;
	basis_init(&b);
	if (t->what != NULL)
		basis_str(&b, "problem", t->what);
	r = detector(d, why != NULL ? why : "no data set that is known", &b);
	basis_release(&b);
	return r;
}

static const char *const roles[DATA_ROLES] = {[DATA_TEXT] = "text",
    [DATA_LABEL] = "label", [DATA_PROMPT] = "prompt",
    [DATA_RESPONSE] = "response", [DATA_CHAT] = "chat",
    [DATA_IMAGE] = "image"};

static void
put_fields(struct basis *b, const struct data_fields *f)
{
	basis_object(b, "fields");
	for (unsigned i = 0; i < DATA_ROLES; i++) {
		const struct data_paths *p = &f->role[i];

		if (roles[i] == NULL || p->n == 0)
			continue;
		basis_array(b, roles[i]);
		for (unsigned k = 0; k < p->n; k++)
			basis_text(b, NULL, p->path[k], strlen(p->path[k]));
		basis_end(b);
	}
	basis_end(b);
}

static int
finding(const struct datatell *t, const struct datarun_set *set,
    const struct detect *d)
{
	struct finding f = {.id = FINDING_TRIG_UNREAD,
	    .severity = finding_info(FINDING_TRIG_UNREAD)->severity,
	    .confidence = CONFIDENCE_CERTAIN, .off = t->is_record ? 0 : t->where};

	rule_detail_num(&f, "records", t->records);
	rule_detail_num(&f, "damaged", t->damaged);
	rule_detail_num(&f, "problems", t->told);
	if (t->what != NULL)
		rule_detail_text(&f, "first", t->what, strlen(t->what));
	if (t->is_record)
		rule_detail_num(&f, "first_record", t->where);
	return d->rows->finding(d->rows->ctx, ROW_NEW,
	    (struct row_text){set->path, strlen(set->path)}, &f);
}

int
datatell_input(const struct datatell *t, const struct datarun_set *set,
    const char *format, const char *kind, const struct data_fields *f,
    const struct detect *d)
{
	const struct row_input in = {.side = ROW_NEW,
	    .path = {set->path, strlen(set->path)}, .size = set->bytes,
	    .format = format, .has_records = true, .records = t->records,
	    .complete = !t->broken && t->damaged == 0};
	struct basis b;
	int r;

	if ((r = d->rows->input(d->rows->ctx, &in)) < 0)
		return r;
	if ((t->broken || t->damaged > 0 || t->told > 0) &&
	    (r = finding(t, set, d)) < 0)
		return r;
	basis_init(&b);
	basis_str(&b, "kind", kind);
	basis_u64(&b, "records", t->records);
	basis_u64(&b, "files", set->files);
	basis_u64(&b, "damaged", t->damaged);
	basis_u64(&b, "without_a_field", t->without);
	basis_bool(&b, "header", !f->headless);
	put_fields(&b, f);
	r = detector(d, NULL, &b);
	basis_release(&b);
	return r;
}

/* --- where it came from --------------------------------------------------- */

static int
on_candidate(void *ctx, const struct row_candidate *c)
{
	const struct datatell_source *s = ctx;

	if (c->evidence != NULL)
		basis_text(c->evidence, "source", s->path, strlen(s->path));
	return s->tap.to.candidate(s->tap.to.ctx, c);
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	const struct datatell_source *s = ctx;

	if (r->evidence != NULL)
		basis_text(r->evidence, "source", s->path, strlen(s->path));
	return s->tap.to.detector(s->tap.to.ctx, r);
}

void
datatell_wrap(struct datatell_source *s, const char *path,
    const struct rows *to)
{
	rowtap_init(&s->tap, to);
	s->path = path;
	s->tap.rows.candidate = on_candidate;
	s->tap.rows.detector = on_detector;
}
