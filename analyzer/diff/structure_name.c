#include <string.h>

#include "analyzer/diff/structure_name.h"
#include "base/buf.h"
#include "base/bug.h"

/* Names are evidence: nothing here assumes that they are text. */
struct part {
	const char *p;
	size_t n;
	size_t word;		/* without a number behind it */
	bool number;
	uint32_t value;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(const char *p, size_t n, const char *w)
{
	return strlen(w) == n && memcmp(p, w, n) == 0;
}

/* "7", "layer_7", "block_7": a number of a layer. */
static void
see_number(struct part *x)
{
	size_t i = x->n;

	while (i > 0 && is_digit(x->p[i - 1]))
		i--;
	x->word = x->n;
	/* Longer ones are hashes or dates. */
	if (i == x->n || x->n - i > 6)
		return;
	if (i > 0 && !is_word(x->p, i, "layer_") &&
	    !is_word(x->p, i, "block_"))
		return;
	x->number = true;
	x->word = i;
	for (; i < x->n; i++)
		x->value = x->value * 10 + (uint32_t)(x->p[i] - '0');
}

/* The part at *p, which is moved behind it; false at the end. */
static bool
next_part(const char **p, size_t *n, struct part *ret)
{
	size_t i = 0;

	if (*n == 0)
		return false;
	while (i < *n && (*p)[i] != '.' && (*p)[i] != '/')
		i++;
	*ret = (struct part){.p = *p, .n = i};
	see_number(ret);
	i += i < *n;
	*p += i;
	*n -= i;
	return true;
}

bool
structure_name_layer(const char *p, size_t n, uint32_t *ret)
{
	struct part x;

	while (next_part(&p, &n, &x))
		if (x.number) {
			*ret = x.value;
			return true;
		}
	return false;
}

int
structure_name_compare(const char *a, size_t na, const char *b, size_t nb)
{
	struct part x, y;

	for (;;) {
		bool more = next_part(&a, &na, &x);
		size_t n;
		int c;

		if (!next_part(&b, &nb, &y))
			return more;
		if (!more)
			return -1;
		n = x.word < y.word ? x.word : y.word;
		if (x.number != y.number)
			return x.number ? -1 : 1;
		if ((c = n > 0 ? memcmp(x.p, y.p, n) : 0) != 0)
			return c;
		if (x.word != y.word)
			return x.word < y.word ? -1 : 1;
	}
}

void
structure_name_module(const char *p, size_t n, struct buf *b)
{
	struct part x;
	bool first = true;

	while (next_part(&p, &n, &x)) {
		if (n == 0 && is_word(x.p, x.n, "weight"))
			break;
		if (!first)
			buf_put(b, ".", 1);
		first = false;
		buf_put(b, x.p, x.word);
		if (x.number)
			buf_put(b, "*", 1);
	}
}

/* Parts that tell a role; the first of a path that is found counts. */
static const struct {
	const char *part;
	enum structure_role role;
} roles[] = {{"embed_tokens", STRUCTURE_EMBEDDING},
    {"wte", STRUCTURE_EMBEDDING}, {"wpe", STRUCTURE_EMBEDDING},
    {"word_embeddings", STRUCTURE_EMBEDDING},
    {"position_embeddings", STRUCTURE_EMBEDDING},
    {"token_type_embeddings", STRUCTURE_EMBEDDING},
    {"embed_positions", STRUCTURE_EMBEDDING},
    {"embed_in", STRUCTURE_EMBEDDING},
    {"tok_embeddings", STRUCTURE_EMBEDDING},
    {"token_embd", STRUCTURE_EMBEDDING},
    {"position_embd", STRUCTURE_EMBEDDING},
    {"shared", STRUCTURE_EMBEDDING}, {"embeddings", STRUCTURE_EMBEDDING},
    {"embedding", STRUCTURE_EMBEDDING}, {"embed", STRUCTURE_EMBEDDING},
    {"emb", STRUCTURE_EMBEDDING}, {"tok_emb", STRUCTURE_EMBEDDING},
    {"pos_emb", STRUCTURE_EMBEDDING}, {"pos", STRUCTURE_EMBEDDING},
    {"lm_head", STRUCTURE_HEAD}, {"embed_out", STRUCTURE_HEAD},
    {"classifier", STRUCTURE_HEAD}, {"score", STRUCTURE_HEAD},
    {"fc", STRUCTURE_HEAD}, {"head", STRUCTURE_HEAD},
    {"out", STRUCTURE_HEAD}, {"cls", STRUCTURE_HEAD},
    {"classification_head", STRUCTURE_HEAD}, {"output", STRUCTURE_HEAD},
    {"qa_outputs", STRUCTURE_HEAD}, {"out_proj", STRUCTURE_HEAD},
    {"linear", STRUCTURE_HEAD}, {"pooler", STRUCTURE_HEAD}};

/* Of a layer: the part's name, and of attention which one. */
static const struct {
	const char *part;
	enum structure_role role;
	const char *which;
} inner[] = {{"q_proj", STRUCTURE_ATTENTION, "q"},
    {"k_proj", STRUCTURE_ATTENTION, "k"},
    {"v_proj", STRUCTURE_ATTENTION, "v"},
    {"o_proj", STRUCTURE_ATTENTION, "o"},
    {"out_proj", STRUCTURE_ATTENTION, "o"},
    {"qkv_proj", STRUCTURE_ATTENTION, "qkv"},
    {"in_proj_weight", STRUCTURE_ATTENTION, "qkv"},
    {"in_proj_bias", STRUCTURE_ATTENTION, "qkv"},
    {"in_proj", STRUCTURE_ATTENTION, "qkv"},
    {"c_attn", STRUCTURE_ATTENTION, "qkv"},
    {"query_key_value", STRUCTURE_ATTENTION, "qkv"},
    {"attn_qkv", STRUCTURE_ATTENTION, "qkv"},
    {"qkv", STRUCTURE_ATTENTION, "qkv"},
    {"attn_q", STRUCTURE_ATTENTION, "q"},
    {"attn_k", STRUCTURE_ATTENTION, "k"},
    {"attn_v", STRUCTURE_ATTENTION, "v"},
    {"attn_output", STRUCTURE_ATTENTION, "o"},
    {"query", STRUCTURE_ATTENTION, "q"}, {"key", STRUCTURE_ATTENTION, "k"},
    {"value", STRUCTURE_ATTENTION, "v"}, {"wq", STRUCTURE_ATTENTION, "q"},
    {"wk", STRUCTURE_ATTENTION, "k"}, {"wv", STRUCTURE_ATTENTION, "v"},
    {"wo", STRUCTURE_ATTENTION, "o"}, {"q_lin", STRUCTURE_ATTENTION, "q"},
    {"k_lin", STRUCTURE_ATTENTION, "k"},
    {"v_lin", STRUCTURE_ATTENTION, "v"},
    {"out_lin", STRUCTURE_ATTENTION, "o"},
    {"to_q", STRUCTURE_ATTENTION, "q"}, {"to_k", STRUCTURE_ATTENTION, "k"},
    {"to_v", STRUCTURE_ATTENTION, "v"}, {"q", STRUCTURE_ATTENTION, "q"},
    {"k", STRUCTURE_ATTENTION, "k"}, {"v", STRUCTURE_ATTENTION, "v"},
    {"o", STRUCTURE_ATTENTION, "o"}, {"attn", STRUCTURE_ATTENTION, "o"},
    {"attention", STRUCTURE_ATTENTION, "o"}, {"mlp", STRUCTURE_MLP, NULL},
    {"feed_forward", STRUCTURE_MLP, NULL}, {"ffn", STRUCTURE_MLP, NULL},
    {"intermediate", STRUCTURE_MLP, NULL}, {"fc1", STRUCTURE_MLP, NULL},
    {"fc2", STRUCTURE_MLP, NULL}, {"linear1", STRUCTURE_MLP, NULL},
    {"linear2", STRUCTURE_MLP, NULL}, {"ffn_up", STRUCTURE_MLP, NULL},
    {"ffn_down", STRUCTURE_MLP, NULL}, {"ffn_gate", STRUCTURE_MLP, NULL},
    {"fc_in", STRUCTURE_MLP, NULL}, {"fc_out", STRUCTURE_MLP, NULL},
    {"DenseReluDense", STRUCTURE_MLP, NULL}};
#define INNER (sizeof(inner) / sizeof(inner[0]))

const char *
structure_role_name(enum structure_role r)
{
	static const char *const names[] = {"other", "embedding", "head",
	    "attention", "mlp"};

	BUG_ON(r >= STRUCTURE_ROLES);
	return names[r];
}

/* The row of ${inner} that names a part of the path, from its end; or -1. */
static int
find_inner(const char *p, size_t n)
{
	struct part x;
	int found = -1;

	while (next_part(&p, &n, &x))
		for (size_t i = 0; i < INNER; i++)
			if (is_word(x.p, x.n, inner[i].part))
				found = (int)i;
	return found;
}

enum structure_role
structure_name_role(const char *p, size_t n)
{
	struct part x;
	uint32_t layer;
	int at;

	if (structure_name_layer(p, n, &layer)) {
		at = find_inner(p, n);
		if (at >= 0)
			return inner[at].role;
		/* classifier.2 of a sequence is a head all the same. */
		return next_part(&p, &n, &x) && is_word(x.p, x.n,
		    "classifier") ? STRUCTURE_HEAD : STRUCTURE_OTHER;
	}
	while (next_part(&p, &n, &x))
		for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
			if (is_word(x.p, x.n, roles[i].part))
				return roles[i].role;
	return STRUCTURE_OTHER;
}

const char *
structure_name_attention(const char *p, size_t n)
{
	int at = find_inner(p, n);

	return at >= 0 ? inner[at].which : NULL;
}

bool
structure_name_bias(const char *p, size_t n)
{
	struct part x = {.n = 0};

	while (next_part(&p, &n, &x))
		continue;
	return (x.n >= 4 && memcmp(x.p + x.n - 4, "bias", 4) == 0) ||
	    (x.n >= 5 && memcmp(x.p, "bias_", 5) == 0) ||
	    is_word(x.p, x.n, "beta");
}

bool
structure_name_beside(const char *a, size_t na, const char *b, size_t nb)
{
	while (na > 0 && a[na - 1] != '.' && a[na - 1] != '/')
		na--;
	while (nb > 0 && b[nb - 1] != '.' && b[nb - 1] != '/')
		nb--;
	return na > 0 && na == nb && memcmp(a, b, na) == 0;
}
