#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/tokenizer_parts.h"

/*
 * The JSON reader unescapes every string into an arena.  A vocabulary has a
 * million of them, most of which are looked at once, so the arena under it is
 * changed for a new one before it holds much.
 */
#define SCRATCH_FULL 100000

int
tokenizer_json_open(struct tokenizer_json *j, const struct bytesrc *src,
    struct err *e)
{
	int r;

	*j = (struct tokenizer_json){.e = e};
	if ((j->window = arena_new(2 * LIMIT_READER_WINDOW)) == NULL ||
	    (j->scratch = arena_new(LIMIT_ARENA)) == NULL) {
		tokenizer_json_close(j);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	if ((r = reader_init(&j->r, src, 0, 0, j->window, e)) < 0) {
		tokenizer_json_close(j);
		return r;
	}
	json_open(&j->j, &j->r, j->scratch);
	return 0;
}

void
tokenizer_json_close(struct tokenizer_json *j)
{
	arena_free(j->window);
	arena_free(j->scratch);
	j->window = j->scratch = NULL;
}

int
tokenizer_json_next(struct tokenizer_json *j)
{
	if (!j->hold && j->t.type != JSON_KEY &&
	    arena_used(j->scratch) > SCRATCH_FULL) {
		arena_free(j->scratch);
		if ((j->scratch = arena_new(LIMIT_ARENA)) == NULL)
			return err_set(j->e, ERR_NOMEM, "out of memory");
		j->j.a = j->scratch;
	}
	return json_next(&j->j, &j->t, j->e);
}

int
tokenizer_json_skip(struct tokenizer_json *j)
{
	unsigned depth;
	int r;

	if (j->t.type == JSON_KEY && (r = tokenizer_json_next(j)) < 0)
		return r;
	if (j->t.type != JSON_OBJECT && j->t.type != JSON_ARRAY)
		return 0;
	for (depth = j->j.depth; j->j.depth >= depth;)
		if ((r = tokenizer_json_next(j)) < 0)
			return r;
	return 0;
}
