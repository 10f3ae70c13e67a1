#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "formats/tokenizer_parts.h"

/*
 * Files beside a vocabulary, as transformers reads them:
 *
 *   added_tokens.json        {token: id}; not beside tokenizer.json, which
 *                            has them itself
 *   special_tokens_map.json  {"eos_token": "</s>" or {"content": "</s>"}}
 *   tokenizer_config.json    the same keys among others, and
 *                            "added_tokens_decoder": {"2": {"content", ...}},
 *                            whose ids do not count beside tokenizer.json
 *   merges.txt
 */
static int
read_map(struct vocab_build *b, struct tokenizer_json *j)
{
	struct token t;
	int r;

	while ((r = tokenizer_json_next(j)) == 0 && j->t.type == JSON_KEY) {
		t = (struct token){.p = j->t.str, .n = (uint32_t)j->t.len,
		    .flags = TOKEN_LATER};
		if ((r = tokenizer_json_next(j)) < 0)
			return r;
		if (j->t.type == JSON_NUMBER && j->t.is_u64)
			r = tokenizer_token(b, j->t.u64, &t);
		else
			r = tokenizer_json_skip(j);
		if (r < 0)
			return r;
	}
	return r;
}

/* {"content": "</s>", ...}, its JSON_OBJECT just got. */
static int
read_content(struct vocab_build *b, struct tokenizer_json *j,
    const char *role, size_t role_len)
{
	bool content;
	int r;

	while ((r = tokenizer_json_next(j)) == 0 && j->t.type == JSON_KEY) {
		content = tokenizer_is(j->t.str, j->t.len, "content");
		if ((r = tokenizer_json_next(j)) < 0)
			return r;
		if (content && j->t.type == JSON_STRING)
			r = tokenizer_role(b, role, role_len, j->t.str,
			    j->t.len, VOCAB_NONE);
		else
			r = tokenizer_json_skip(j);
		if (r < 0)
			return r;
	}
	return r;
}

static int
read_decoder(struct vocab_build *b, struct tokenizer_json *j)
{
	uint64_t id;
	bool is_id;
	int r;

	while ((r = tokenizer_json_next(j)) == 0 && j->t.type == JSON_KEY) {
		is_id = text_u64(j->t.str, j->t.len, 10, UINT64_MAX, &id);
		if ((r = tokenizer_json_next(j)) < 0)
			return r;
		r = is_id && j->t.type == JSON_OBJECT ?
		    tokenizer_added(b, j, id) : tokenizer_json_skip(j);
		if (r < 0)
			return r;
	}
	return r;
}

#define ROLE_MAX 64

static int
read_roles(struct vocab_build *b, struct tokenizer_json *j)
{
	char role[ROLE_MAX];
	bool is_role, decoder;
	size_t n;
	int r;

	while ((r = tokenizer_json_next(j)) == 0 && j->t.type == JSON_KEY) {
		n = j->t.len;
		is_role = n <= sizeof(role) &&
		    tokenizer_ends(j->t.str, n, "_token");
		if (is_role)
			memcpy(role, j->t.str, n);
		decoder = tokenizer_is(j->t.str, n, "added_tokens_decoder");
		if ((r = tokenizer_json_next(j)) < 0)
			return r;
		if (is_role && j->t.type == JSON_STRING)
			r = tokenizer_role(b, role, n, j->t.str, j->t.len,
			    VOCAB_NONE);
		else if (is_role && j->t.type == JSON_OBJECT)
			r = read_content(b, j, role, n);
		else if (decoder && j->t.type == JSON_OBJECT)
			r = read_decoder(b, j);
		else
			r = tokenizer_json_skip(j);
		if (r < 0)
			return r;
	}
	return r;
}

static int
read_object(struct vocab_build *b, const struct bytesrc *src,
    int (*read)(struct vocab_build *, struct tokenizer_json *))
{
	struct tokenizer_json j;
	int r;

	if ((r = tokenizer_json_open(&j, src, b->e)) < 0)
		return r;
	r = tokenizer_json_next(&j);
	if (r == 0)
		r = j.t.type == JSON_OBJECT ? read(b, &j) : 1;
	tokenizer_json_close(&j);
	return r < 0 ? tokenizer_soft(b, r) : r;
}

int
tokenizer_beside(struct vocab_build *b, const struct bytesrc *src,
    const char *name, size_t n)
{
	const bool whole = b->source != NULL &&
	    strcmp(b->source, "tokenizer.json") == 0;
	int r;

	if (tokenizer_is(name, n, "special_tokens_map.json"))
		return read_object(b, src, read_roles);
	if (tokenizer_is(name, n, "tokenizer_config.json")) {
		b->weak = whole;
		r = read_object(b, src, read_roles);
		b->weak = false;
		return r;
	}
	if (tokenizer_is(name, n, "added_tokens.json"))
		return whole ? 0 : read_object(b, src, read_map);
	if (tokenizer_is(name, n, "merges.txt"))
		return b->npairs > 0 ? 0 : tokenizer_merges(b, src);
	return 1;
}
