#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/limits.h"
#include "tests/lib/tokens.h"

struct arena *tokens_arena;
const struct vocab *tokens_vocab;
struct err tokens_err;
struct buf tokens_made;

const char tokens_bpe[] = "{\"version\": \"1.0\", \"added_tokens\": ["
    "{\"id\": 5, \"content\": \"<|end|>\", \"special\": true},"
    "{\"id\": 6, \"content\": \"brand\", \"lstrip\": true,"
    " \"special\": false, \"normalized\": true}],"
    "\"normalizer\": {\"type\": \"NFC\"},"
    "\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\":"
    " false}, \"model\": {\"type\": \"BPE\", \"unk_token\": \"!\","
    " \"vocab\": {\"!\": 0, \"h\": 1, \"\\u0120\": 2, \"\\u0120h\": 3,"
    " \"\\u00c3\\u00a9\": 4},"
    " \"merges\": [\"\\u0120 h\", [\"\\u00c3\", \"\\u00a9\"]]}}";

int
tokens_setup(void **state)
{
	(void)state;
	tokens_arena = arena_new(LIMIT_ARENA);
	buf_init(&tokens_made, 4 * MIB);
	err_reset(&tokens_err);
	return tokens_arena == NULL;
}

int
tokens_teardown(void **state)
{
	(void)state;
	arena_free(tokens_arena);
	buf_release(&tokens_made);
	return 0;
}

int
tokens_read(const char *name, const void *p, size_t n)
{
	struct bytesrc *src = bytesrc_mem(p, n, &tokens_err);
	int r;

	tokens_vocab = NULL;
	r = vocab_read(src, name, name != NULL ? strlen(name) : 0, tokens_arena,
	    &tokens_vocab, &tokens_err);
	bytesrc_free(src);
	return r;
}

int
tokens_read_text(const char *name, const char *text)
{
	return tokens_read(name, text, strlen(text));
}

const char *
tokens_text(uint64_t id)
{
	assert_true(id < tokens_vocab->n);
	return tokens_vocab->v[id].p;
}

const char *
tokens_shown(uint32_t id)
{
	static char text[256];
	struct buf b;

	buf_init(&b, sizeof(text) - 1);
	vocab_show(tokens_vocab, id, &b);
	(void)snprintf(text, sizeof(text), "%s", buf_str(&b));
	buf_release(&b);
	return text;
}

const struct vocab_role *
tokens_role(const char *name)
{
	for (size_t i = 0; i < tokens_vocab->nroles; i++)
		if (strcmp(tokens_vocab->roles[i].role, name) == 0)
			return &tokens_vocab->roles[i];
	fail_msg("no role %s", name);
	return NULL;
}

const char *
tokens_setting(const char *key)
{
	const struct flat *f = flatjson_find(tokens_vocab->settings,
	    tokens_vocab->nsettings, key);

	return f != NULL ? f->p : NULL;
}
