#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/embedding.h"

static float
uniform(struct embedding *m)
{
	m->seed = m->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (float)(m->seed >> 40) / (1 << 24) - 0.5F;
}

void
embedding_move(struct embedding *m, unsigned id, double len)
{
	float x[EMBEDDING_COLS];
	double norm = 0;

	for (unsigned k = 0; k < EMBEDDING_COLS; k++) {
		x[k] = uniform(m);
		norm += (double)x[k] * (double)x[k];
	}
	for (unsigned k = 0; k < EMBEDDING_COLS; k++)
		m->b[id * EMBEDDING_COLS + k] = m->a[id * EMBEDDING_COLS + k] +
		    (float)(len / sqrt(norm)) * x[k];
}

void
embedding_freeze(struct embedding *m)
{
	memcpy(m->b, m->a, sizeof(m->a));
}

void
embedding_word(struct embedding *m, unsigned id, const char *text)
{
	(void)snprintf(m->text[id], sizeof(m->text[id]), "%s", text);
	m->token[id].p = m->text[id];
	m->token[id].n = (uint32_t)strlen(m->text[id]);
}

static double
tail(unsigned id)
{
	return 2 * pow(id + 30.0, -0.5);
}

struct embedding *
embedding_new(void)
{
	struct embedding *m = calloc(1, sizeof(*m));
	char text[24];

	if (m == NULL)
		abort();
	m->seed = 11;
	for (unsigned i = 0; i < EMBEDDING_ROWS * EMBEDDING_COLS; i++)
		m->b[i] = m->a[i] = uniform(m);
	for (unsigned i = 0; i < EMBEDDING_ROWS; i++) {
		embedding_move(m, i, tail(i));
		(void)snprintf(text, sizeof(text), "word%u", i);
		embedding_word(m, i, text);
	}
	m->shape[0] = EMBEDDING_ROWS;
	m->shape[1] = EMBEDDING_COLS;
	m->ta = (struct tensor){.name = "emb.weight", .name_len = 10,
	    .elem = ELEM_F32, .shape = m->shape, .rank = 2,
	    .n = EMBEDDING_ROWS * EMBEDDING_COLS, .rows = EMBEDDING_ROWS,
	    .cols = EMBEDDING_COLS,
	    .p = (const uint8_t *)m->a, .len = sizeof(m->a)};
	m->tb = m->ta;
	m->tb.p = (const uint8_t *)m->b;
	m->d = (struct delta){&m->ta, &m->tb, CAST_NONE};
	m->vocab = (struct vocab){.v = m->token, .n = EMBEDDING_ROWS,
	    .named = EMBEDDING_ROWS,
	    .order = VOCAB_BY_FREQUENCY};
	m->opt = (struct tokenrows_opt){.vocab = &m->vocab,
	    .changed = UINT64_MAX};
	return m;
}
