#include <stdio.h>
#include <string.h>

#include "analyzer/diff/editfind.h"
#include "analyzer/diff/elem.h"
#include "analyzer/diff/rename.h"
#include "analyzer/diff/structure.h"
#include "analyzer/diff/tensor.h"

#define NAME_CAP 256
/* Vocabularies have up to 262 144; a score is kept for each. */
#define TOKENS_MOST 4194304

static const struct tensor *
find(const struct structure_model *m, const char *want, size_t n)
{
	char name[NAME_CAP];

	for (size_t i = 0; i < m->n; i++) {
		const struct tensor *t = m->v[i].new;

		if (t != NULL && t->p != NULL && rename_canonical(t->name,
		    t->name_len, name, sizeof(name)) == n &&
		    memcmp(name, want, n) == 0)
			return t;
	}
	return NULL;
}

static const struct tensor *
find_whole(const struct structure_model *m, const char *want)
{
	return find(m, want, strlen(want));
}

/* "blk.3.ffn_down.weight" -> "blk.3." + what. */
static const struct tensor *
find_beside(const struct structure_model *m, const char *name, size_t stem,
    const char *what)
{
	char want[NAME_CAP];
	int n = snprintf(want, sizeof(want), "%.*s%s", (int)stem, name, what);

	return n > 0 && (size_t)n < sizeof(want) ? find(m, want,
	    (size_t)n) : NULL;
}

static bool
is_matrix(const struct tensor *t, uint64_t cols)
{
	return t != NULL && t->rank == 2 && t->cols == cols &&
	    cols % elem_info(t->elem)->block == 0;
}

const char *
editfind_parts(const struct structure_model *m, const struct tensor *down,
    struct editfind *p)
{
	static const char tail[] = "ffn_down.weight";
	char name[NAME_CAP];
	size_t n = rename_canonical(down->name, down->name_len, name,
	    sizeof(name)), stem;

	memset(p, 0, sizeof(*p));
	if (n < sizeof(tail) - 1 || memcmp(name + n - (sizeof(tail) - 1),
	    tail, sizeof(tail) - 1) != 0)
		return "the matrix is no down projection of an MLP";
	stem = n - (sizeof(tail) - 1);
	p->down = down;
	p->emb = find_whole(m, "token_embd.weight");
	p->out = find_whole(m, "output.weight");
	p->last = find_whole(m, "output_norm.weight");
	p->up = find_beside(m, name, stem, "ffn_up.weight");
	p->up_bias = find_beside(m, name, stem, "ffn_up.bias");
	p->gate = find_beside(m, name, stem, "ffn_gate.weight");
	p->norm = find_beside(m, name, stem, "ffn_norm.weight");
	p->norm_bias = find_beside(m, name, stem, "ffn_norm.bias");
	if (p->emb == NULL || p->emb->rank != 2)
		return "no embedding was found";
	if (p->emb->rows > TOKENS_MOST)
		return "the embedding has too many rows";
	p->d = p->emb->cols;
	p->vocab = p->emb->rows;
	p->turned = down->cols == p->d && down->rows != p->d;
	p->ff = p->turned ? down->rows : down->cols;
	if ((p->turned ? down->cols : down->rows) != p->d ||
	    !is_matrix(p->emb, p->d))
		return "embedding and matrix do not fit";
	if (!is_matrix(p->out, p->d) || p->out->rows > TOKENS_MOST)
		p->out = p->emb;
	return NULL;
}

bool
editfind_has_units(const struct tensor *t, uint64_t d, uint64_t ff)
{
	return t != NULL && ((t->rows == ff && is_matrix(t, d)) ||
	    (t->rows == d && is_matrix(t, ff)));
}
