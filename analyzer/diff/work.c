#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/adapterload.h"
#include "analyzer/diff/around.h"
#include "analyzer/diff/editread.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/work.h"
#include "analyzer/rules.h"
#include "base/limits.h"
#include "formats/tokenizer.h"

/* --adapter: was it merged, and with which scale? */
int
work_adapter(struct work *w, const struct structure_model *m)
{
	struct adapter_files files;
	size_t merged;
	int r;

	if (w->job->adapter.n == 0)
		return 0;
	if ((w->adapter = table_new(ROW_NEW, w->spill, w->rows, &w->e)) ==
	    NULL)
		return ERR_NOMEM;
	if ((r = table_load(w->adapter, &w->job->adapter, &w->e)) < 0 ||
	    (r = adapterload(w->adapter, w->arena, &files, &w->e)) < 0)
		return r;
	if ((r = adapter_judge(w->pool, m, &files, w->rows, &merged,
	    &w->e)) < 0 || merged > 0)
		return r;
	return diff_wire_skip(&w->wire, "the adapter's scale", files.n == 0 ?
	    "--adapter holds no tensor" : "no module of the adapter explains "
	    "a change: it was not merged, or more than it changed");
}

static struct row_text
word_of(void *ctx, uint64_t id)
{
	struct work *w = ctx;
	const struct vocab *v = w->tokens.words;
	struct buf *b = &w->word;

	buf_release(b);
	buf_init(b, 4 * KIB);
	if (v != NULL && id < v->n)
		vocab_show(v, (uint32_t)id, b);
	return (struct row_text){b->len > 0 ? (const char *)b->p : NULL,
	    b->len};
}

/* What few matrices of low rank may be about. */
#define EDITS_READ 8

int
work_edits(struct work *w, const struct structure_model *m)
{
	const struct editread_words words = {word_of, w};
	size_t found[EDITS_READ], n = 0;
	int r = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->v[i].spectrum == NULL || m->v[i].spectrum->verdict !=
		    SPECTRUM_LOW_RANK)
			continue;
		if (n == EDITS_READ)
			return editread_none(w->rows, "more than 8 matrices "
			    "changed by a low rank: an adapter");
		found[n++] = i;
	}
	if (n == 0)
		return editread_none(w->rows, "no matrix changed by a low "
		    "rank");
	for (size_t i = 0; i < n && r >= 0; i++)
		r = editread_run(w->pool, m, found[i], &words, w->rows,
		    &w->e);
	return r;
}

/* A file that was given, not a folder or an archive of them. */
static bool
is_lone(const struct table *t)
{
	for (size_t i = 0; i < t->leaves.n; i++)
		if ((t->leaves.v[i].flags & PART_BESIDE) != 0)
			return true;
	return t->leaves.n <= 1;
}

static int
make_docs(struct work *w, unsigned s, struct doc **ret, struct docs *docs)
{
	const struct leaves *l = &w->side[s]->leaves;
	struct doc *v;

	if ((v = calloc(l->n + 1, sizeof(*v))) == NULL)
		return err_set(&w->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < l->n; i++)
		v[i] = (struct doc){l->v[i].path, l->v[i].path_len,
		    l->v[i].format, l->v[i].src, l->v[i].size};
	*ret = v;
	*docs = (struct docs){v, l->n};
	return 0;
}

int
work_around(struct work *w)
{
	struct around a = {.lone = is_lone(w->side[0]) ||
	    is_lone(w->side[1]), .rows = w->rows, .e = &w->e};
	struct doc *v[2] = {NULL, NULL};
	int r = 0;

	for (unsigned s = 0; s < 2 && r >= 0; s++) {
		a.vocab[s] = w->tokens.vocab[s];
		a.vocab_path[s] = w->tokens.vocab_path[s];
		r = make_docs(w, s, &v[s], &a.side[s]);
	}
	if (r >= 0)
		r = around_run(&a);
	free(v[0]);
	free(v[1]);
	return r;
}

/* About all of a side. */
#define NOWHERE ((struct row_text){"", 0})

/* Both there, and not measured though nothing speaks against it. */
static bool
is_unread(const struct pair *p)
{
	return p->a != NULL && p->b != NULL && !p->measured &&
	    p->a->n == p->b->n;
}

static int
say_unread(struct work *w, unsigned side, struct row_text path,
    const char *reason, uint64_t tensors)
{
	struct finding f = {.id = FINDING_DIFF_UNREAD,
	    .severity = finding_info(FINDING_DIFF_UNREAD)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	rule_detail_text(&f, "reason", reason, strlen(reason));
	if (tensors > 0)
		rule_detail_num(&f, "tensors", tensors);
	return w->rows->finding(w->rows->ctx, (enum row_side)side, path, &f);
}

static int
vocabularies_left_out(struct work *w)
{
	const struct tokentest *t = &w->tokens;
	int r = 0;

	for (unsigned s = 0; s < ROW_SIDES && r >= 0; s++)
		if (t->unread[s])
			r = say_unread(w, s, t->vocab_path[s], "the "
			    "vocabulary ends early, is malformed further on, "
			    "or longer than is read", 0);
	if (r >= 0 && t->given_unread)
		r = say_unread(w, ROW_NEW, NOWHERE, "--tokenizer is no "
		    "vocabulary, or not all of it could be read", 0);
	return r;
}

int
work_left_out(struct work *w)
{
	uint64_t unread = 0;
	int r = 0;

	for (size_t i = 0; i < w->pairs.n; i++)
		unread += is_unread(&w->pairs.v[i]);
	if (unread > 0)
		r = say_unread(w, ROW_NEW, NOWHERE, "bytes not at hand, or of a type that is "
		    "not known", unread);
	if (r >= 0 && w->compare.cut)
		r = say_unread(w, ROW_NEW, NOWHERE, "memory ended before every tensor was "
		    "looked at closely", 0);
	if (r >= 0)
		r = vocabularies_left_out(w);
	if (r >= 0 && w->tired)
		r = diff_wire_skip(&w->wire, "tensors by their direction",
		    "more than 4096 without a partner");
	if (r >= 0 && w->tokens.tired)
		r = diff_wire_skip(&w->wire, "rows of further embeddings",
		    "64 of a model are tested");
	return r;
}
