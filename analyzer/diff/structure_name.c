#include <string.h>

#include "analyzer/diff/structure_name.h"

static const char *const embeddings[] = {"embed_tokens", "wte",
    "word_embeddings", "tok_embeddings", "token_embd", "embed_in",
    "embedding", "embeddings", "embed", "emb"};
static const char *const heads[] = {"lm_head", "embed_out", "output",
    "classifier", "fc", "head", "score", "out_proj", "out", "cls"};

/* The last part of p[0..n); *len its length. */
static const char *
last_part(const char *p, size_t n, size_t *len)
{
	size_t i = n;

	while (i > 0 && p[i - 1] != '.')
		i--;
	*len = n - i;
	return p + i;
}

static bool
is_one_of(const char *p, size_t n, const char *const *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(v[i]) == n && memcmp(v[i], p, n) == 0)
			return true;
	return false;
}

static bool
number_of(const char *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;

	if (n == 0 || n > 9)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = 10 * v + (uint64_t)(p[i] - '0');
	}
	*ret = v;
	return true;
}

/* Where the last part that is a number ends; 0: there is none. */
static size_t
layer_end(const char *p, size_t n, uint64_t *number)
{
	size_t end = n, len;
	const char *part;

	while (end > 0) {
		part = last_part(p, end, &len);
		if (number_of(part, len, number))
			return end;
		if (part == p)
			return 0;
		end = (size_t)(part - p) - 1;
	}
	return 0;
}

void
structure_name_split(const char *name, size_t n, struct structure_name *ret)
{
	size_t len, end;
	const char *part = last_part(name, n, &len);

	memset(ret, 0, sizeof(*ret));
	ret->bias = len >= 4 && memcmp(part, "bias", 4) == 0;
	if (part > name && (ret->bias || (len == 6 &&
	    memcmp(part, "weight", 6) == 0)))
		n = (size_t)(part - name) - 1;
	end = layer_end(name, n, &ret->number);
	/* A number at the very end is a module's own ("net.0.weight"). */
	if (end == n) {
		ret->layer_len = 0;
		ret->module = name;
		ret->module_len = n;
	} else {
		ret->layer = name;
		ret->layer_len = end;
		ret->module = end > 0 ? name + end + 1 : name;
		ret->module_len = end > 0 ? n - end - 1 : n;
	}
	part = last_part(ret->module, ret->module_len, &len);
	if (ret->layer_len > 0)
		return;
	ret->embedding = is_one_of(part, len, embeddings,
	    sizeof(embeddings) / sizeof(embeddings[0]));
	ret->head = is_one_of(part, len, heads,
	    sizeof(heads) / sizeof(heads[0]));
}

static int
compare_text(const char *x, size_t n, const char *y, size_t m)
{
	int c = memcmp(x, y, n < m ? n : m);

	return c != 0 ? c : (n > m) - (n < m);
}

int
structure_name_compare(const struct structure_name *x,
    const struct structure_name *y)
{
	int c = compare_text(x->module, x->module_len, y->module,
	    y->module_len);

	if (c != 0)
		return c;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return compare_text(x->layer_len > 0 ? x->layer : "", x->layer_len,
	    y->layer_len > 0 ? y->layer : "", y->layer_len);
}

bool
structure_name_same_module(const struct structure_name *x,
    const struct structure_name *y)
{
	return (x->layer_len > 0) == (y->layer_len > 0) &&
	    compare_text(x->module, x->module_len, y->module,
	    y->module_len) == 0;
}
