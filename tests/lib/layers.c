#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/layers.h"

struct layers_model layers_model;
struct layers_said layers_said;

static int
on_conclusion(void *ctx, const struct row_conclusion *c)
{
	const uint8_t *p;
	size_t n;

	(void)ctx;
	assert_true(layers_said.n < LAYERS_CONCLUSIONS);
	layers_said.kind[layers_said.n] = c->kind;
	layers_said.confidence[layers_said.n] = c->confidence;
	layers_said.tensors[layers_said.n] = c->tensors_in_all;
	(void)snprintf(layers_said.first[layers_said.n], LAYERS_NAME, "%.*s",
	    c->ntensors > 0 ? (int)c->tensors[0].n : 0,
	    c->ntensors > 0 ? c->tensors[0].p : "");
	p = basis_bytes(c->evidence, &n);
	assert_true(basis_check(p, n));
	buf_init(&layers_said.line[layers_said.n], 1 << 20);
	basis_line(p, n, &layers_said.line[layers_said.n]);
	layers_said.n++;
	return 0;
}

static void
forget(void)
{
	for (unsigned i = 0; i < layers_said.n; i++)
		buf_release(&layers_said.line[i]);
	layers_said.n = 0;
}

void
layers_judge(void)
{
	const struct rows rows = {.conclusion = on_conclusion};
	const struct structure_model m = {layers_model.item, layers_model.n};

	forget();
	assert_int_equal(structure_judge(&m, &rows, NULL), 0);
}

int
layers_begin(void **state)
{
	(void)state;
	memset(&layers_model, 0, sizeof(layers_model));
	return 0;
}

int
layers_end(void **state)
{
	(void)state;
	forget();
	return 0;
}

void
layers_put(const char *name, uint64_t rows, uint64_t cols,
    enum structure_relation relation, enum spectrum_verdict v, unsigned rank)
{
	size_t i = layers_model.n++;
	struct tensor *t = &layers_model.t[i];

	assert_true(i < LAYERS_TENSORS);
	(void)snprintf(layers_model.name[i], LAYERS_NAME, "%s", name);
	*t = (struct tensor){.name = layers_model.name[i],
	    .name_len = (uint32_t)strlen(name), .elem = ELEM_F32,
	    .rank = rows > 1 ? 2 : 1, .rows = rows, .cols = cols,
	    .n = rows * cols};
	layers_model.sums[i] = (struct pass_sums){.n = t->n, .a2 = 100,
	    .b2 = 101, .ab = 100.4, .d2 = relation == STRUCTURE_SAME ? 0 : 0.2,
	    .changed = relation == STRUCTURE_SAME ? 0 : t->n};
	layers_model.spectrum[i] = (struct spectrum){.verdict = v, .rank = rank,
	    .sure = v == SPECTRUM_LOW_RANK, .m = rows, .n = cols, .q = 24,
	    .energy = 0.2, .nt = 0.01, .gap = 9,
	    .tail_ratio = v == SPECTRUM_DENSE ? 3 : 0.99};
	layers_model.item[i] = (struct structure_item){.old = t, .new = t,
	    .relation = relation, .sums = &layers_model.sums[i],
	    .spectrum = rows > 1 ? &layers_model.spectrum[i] : NULL};
}

static void
moved(const char *name, uint64_t rows, enum spectrum_verdict v, unsigned rank)
{
	layers_put(name, rows, 64, STRUCTURE_CHANGED, v, rank);
}

static void
put_near(const char *name, uint64_t rows)
{
	moved(name, rows, SPECTRUM_DENSE, 0);
	layers_model.spectrum[layers_model.n - 1].tail_ratio = 1.06;
	layers_model.spectrum[layers_model.n - 1].above = 10;
}

static void
put_by(const char *name, uint64_t rows, unsigned rank)
{
	if (rank == 0)
		layers_put(name, rows, 64, STRUCTURE_SAME, SPECTRUM_SKIPPED, 0);
	else if (rank == LAYERS_DENSE)
		moved(name, rows, SPECTRUM_DENSE, 0);
	else if (rank == LAYERS_ROUNDED)
		moved(name, rows, SPECTRUM_ROUNDING, 0);
	else if (rank == LAYERS_HIDDEN)
		moved(name, rows, SPECTRUM_UNDECIDED, 2);
	else if (rank >= LAYERS_AT_LEAST(0))
		moved(name, rows, SPECTRUM_UNDECIDED,
		    rank - LAYERS_AT_LEAST(0));
	else if (rank == LAYERS_DENSE_BY_A_HAIR)
		put_near(name, rows);
	else
		moved(name, rows, SPECTRUM_LOW_RANK, rank);
}

static const char *const parts[] = {"self_attn.q_proj", "self_attn.k_proj",
    "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj",
    "mlp.down_proj"};

void
layers_llama(unsigned layers, layers_rank *rank)
{
	char name[LAYERS_NAME];

	layers_put("model.embed_tokens.weight", 500, 64, STRUCTURE_SAME,
	    SPECTRUM_SKIPPED, 0);
	for (unsigned l = 0; l < layers; l++) {
		for (unsigned p = 0; p < 7; p++) {
			(void)snprintf(name, sizeof(name),
			    "model.layers.%u.%s.weight", l, parts[p]);
			put_by(name, 64, rank(l, p));
		}
		(void)snprintf(name, sizeof(name),
		    "model.layers.%u.input_layernorm.weight", l);
		layers_put(name, 1, 64, STRUCTURE_SAME, SPECTRUM_SKIPPED, 0);
	}
	layers_put("model.norm.weight", 1, 64, STRUCTURE_SAME,
	    SPECTRUM_SKIPPED, 0);
	layers_put("lm_head.weight", 500, 64, STRUCTURE_SAME,
	    SPECTRUM_SKIPPED, 0);
}

void
layers_change_rows(const char *name, uint64_t n)
{
	for (size_t i = 0; i < layers_model.n; i++) {
		if (strstr(layers_model.name[i], name) == NULL)
			continue;
		layers_model.detail[i] = (struct pass_detail){.rows_changed = n,
		    .cols_changed = layers_model.t[i].cols};
		layers_model.item[i].detail = &layers_model.detail[i];
	}
}

int
layers_find(enum conclusion_kind k)
{
	for (unsigned i = 0; i < layers_said.n; i++)
		if (layers_said.kind[i] == k)
			return (int)i;
	return -1;
}

void
layers_assert(enum conclusion_kind k, const char *text)
{
	int i = layers_find(k);

	assert_true(i >= 0);
	if (strstr(buf_str(&layers_said.line[i]), text) == NULL)
		fail_msg("'%s' is not in: %s", text,
		    buf_str(&layers_said.line[i]));
}

bool
layers_claim_low(void)
{
	return layers_find(CONCLUSION_MERGED_ADAPTER) >= 0 ||
	    layers_find(CONCLUSION_RANK_ONE_EDIT) >= 0 ||
	    layers_find(CONCLUSION_LOW_RANK_EDIT) >= 0;
}
