#include <stdbool.h>
#include <string.h>

#include "analyzer/diff/rename.h"

static const char *const prefixes[] = {"base_model.model.", "model.",
    "module.", "transformer.", "_orig_mod.", "state_dict.", "bert.",
    "roberta.", "distilbert.", "encoder.", "gpt_neox.", "network."};
#define PREFIXES_MAX 2

static const struct {
	const char *pattern, *canonical;
} table[] = {
#define RENAME(pattern, canonical) {pattern, canonical},
#include "analyzer/diff/rename.def"
#undef RENAME
};

static const struct {
	const char *whole;
	const char *part[RENAME_PARTS];
} fused[] = {{"attn_qkv", {"attn_q", "attn_k", "attn_v"}},
    {"ffn_gate_up", {"ffn_gate", "ffn_up", NULL}}};

const char *
rename_bare(const char *name, size_t n, size_t *ret)
{
	unsigned taken = 0;
	bool again = true;

	while (again && taken < PREFIXES_MAX) {
		again = false;
		for (size_t i = 0; i < sizeof(prefixes) /
		    sizeof(prefixes[0]) && !again; i++) {
			size_t len = strlen(prefixes[i]);

			if (n <= len || memcmp(name, prefixes[i], len) != 0)
				continue;
			name += len;
			n -= len;
			taken++;
			again = true;
		}
	}
	*ret = n;
	return name;
}

/*
 * Does ${p} end in the pattern, at the beginning of a part?  *num and *len
 * are the digits that # stood for.
 */
static bool
ends_in(const char *p, size_t n, const char *pattern, const char **num,
    size_t *len)
{
	size_t k = strlen(pattern), i = n;

	*len = 0;
	while (k > 0) {
		if (i == 0)
			return false;
		if (pattern[k - 1] == '#') {
			while (i > 0 && p[i - 1] >= '0' && p[i - 1] <= '9') {
				i--;
				++*len;
			}
			*num = p + i;
			if (*len == 0)
				return false;
		} else if (p[--i] != pattern[k - 1]) {
			return false;
		}
		k--;
	}
	return i == 0 || p[i - 1] == '.';
}

/* The canonical name with the number in the place of #, and the last part. */
static size_t
write_out(const char *canonical, const char *num, size_t len,
    const char *tail, size_t tail_len, char *dst, size_t cap)
{
	size_t n = 0;

	if (strlen(canonical) + len + tail_len + 1 > cap)
		return 0;
	for (const char *c = canonical; *c != '\0'; c++) {
		if (*c == '#') {
			memcpy(dst + n, num, len);
			n += len;
		} else {
			dst[n++] = *c;
		}
	}
	dst[n++] = '.';
	memcpy(dst + n, tail, tail_len);
	return n + tail_len;
}

size_t
rename_canonical(const char *name, size_t n, char *dst, size_t cap)
{
	static const char in_proj[] = "in_proj_";
	const char *num = "", *tail = name + n;
	size_t len, head;

	while (tail > name && tail[-1] != '.')
		tail--;
	if ((size_t)(name + n - tail) > sizeof(in_proj) - 1 &&
	    memcmp(tail, in_proj, sizeof(in_proj) - 1) == 0) {
		tail += sizeof(in_proj) - 1;
	} else if (tail == name) {
		return 0;
	}
	head = (size_t)(tail - name) - 1;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (ends_in(name, head, table[i].pattern, &num, &len))
			return write_out(table[i].canonical, num, len, tail,
			    (size_t)(name + n - tail), dst, cap);
	return 0;
}

size_t
rename_part(const char *name, size_t n, unsigned i, char *dst, size_t cap)
{
	const char *tail = name + n;
	size_t head, len, whole;

	while (tail > name && tail[-1] != '.')
		tail--;
	if (tail == name || i >= RENAME_PARTS)
		return 0;
	head = (size_t)(tail - name) - 1;
	for (size_t k = 0; k < sizeof(fused) / sizeof(fused[0]); k++) {
		whole = strlen(fused[k].whole);
		if (fused[k].part[i] == NULL || head < whole ||
		    memcmp(name + head - whole, fused[k].whole, whole) != 0)
			continue;
		len = strlen(fused[k].part[i]);
		if (head - whole + len + 1 + (size_t)(name + n - tail) > cap)
			return 0;
		memcpy(dst, name, head - whole);
		memcpy(dst + head - whole, fused[k].part[i], len);
		memcpy(dst + head - whole + len, tail - 1,
		    (size_t)(name + n - tail) + 1);
		return head - whole + len + 1 + (size_t)(name + n - tail);
	}
	return 0;
}
