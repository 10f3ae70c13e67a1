#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yara.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/yara.h"

struct yara {
	YR_RULES *rules;
};

/* The compiler's first complaint. */
struct complaint {
	char text[160];
	int line;
};

static void
on_complaint(int level, const char *file, int line, const YR_RULE *rule,
    const char *message, void *ctx)
{
	struct complaint *c = ctx;

	(void)file;
	(void)rule;
	if (level != YARA_ERROR_LEVEL_ERROR || c->line != 0)
		return;
	c->line = line > 0 ? line : 1;
	(void)text_z(c->text, sizeof(c->text), message, strlen(message));
}

static int
compile(const char *text, YR_RULES **ret, struct err *e)
{
	struct complaint c = {{0}, 0};
	YR_COMPILER *compiler;
	int r = 0;

	if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
		return err_set(e, ERR_NOMEM, "out of memory");
	yr_compiler_set_callback(compiler, on_complaint, &c);
	yr_compiler_set_include_callback(compiler, NULL, NULL, NULL);
	if (yr_compiler_add_string(compiler, text, NULL) > 0)
		r = err_set(e, ERR_FORMAT, "line %d: %s", c.line, c.text);
	else if (yr_compiler_get_rules(compiler, ret) != ERROR_SUCCESS)
		r = err_set(e, ERR_NOMEM, "out of memory for rules");
	yr_compiler_destroy(compiler);
	return r;
}

int
yara_compile(const char *text, size_t n, struct yara **ret, struct err *e)
{
	struct yara *y;
	char *copy;
	int r;

	if (n > YARA_RULES_MAX)
		return err_set(e, ERR_LIMIT, "more text than rules have");
	if (memchr(text, '\0', n) != NULL)
		return err_set(e, ERR_FORMAT, "a NUL in the rules");
	if ((y = calloc(1, sizeof(*y))) == NULL ||
	    (copy = strndup(text, n)) == NULL) {
		free(y);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	if (yr_initialize() != ERROR_SUCCESS)
		r = err_set(e, ERR_NOMEM, "libyara does not start");
	else if ((r = compile(copy, &y->rules, e)) < 0)
		(void)yr_finalize();
	free(copy);
	if (r < 0) {
		free(y);
		return r;
	}
	*ret = y;
	return 0;
}

void
yara_free(struct yara *y)
{
	if (y == NULL)
		return;
	(void)yr_rules_destroy(y->rules);
	(void)yr_finalize();
	free(y);
}

/*
 * Blocks in turn.  Modules keep pointers into the block that they know, and
 * that is the first: it has a buffer of its own that nothing overwrites.
 */
struct blocks {
	const struct bytesrc *src;
	YR_MEMORY_BLOCK block;
	uint8_t *first, *other;
	int failed;		/* a read's error code */
	int (*fn)(void *ctx, const struct yara_match *m);
	void *ctx;
	int told;		/* the consumer's failure */
	bool cut;		/* not all matches were kept */
	struct err *e;
};

static const uint8_t *
fetch(YR_MEMORY_BLOCK *b)
{
	const struct blocks *s = b->context;

	return b->base == 0 ? s->first : s->other;
}

static YR_MEMORY_BLOCK *
load(YR_MEMORY_BLOCK_ITERATOR *it, uint64_t base)
{
	struct blocks *s = it->context;
	uint64_t left = bytesrc_size(s->src) - base;
	int r;

	it->last_error = ERROR_SUCCESS;
	s->block.base = base;
	s->block.size = left < YARA_BLOCK ? (size_t)left : YARA_BLOCK;
	r = bytesrc_read(s->src, base, base == 0 ? s->first : s->other,
	    s->block.size, s->e);
	if (r >= 0)
		return &s->block;
	s->failed = r;
	it->last_error = ERROR_COULD_NOT_READ_FILE;
	return NULL;
}

static YR_MEMORY_BLOCK *
first_block(YR_MEMORY_BLOCK_ITERATOR *it)
{
	return load(it, 0);
}

static YR_MEMORY_BLOCK *
next_block(YR_MEMORY_BLOCK_ITERATOR *it)
{
	const struct blocks *s = it->context;
	uint64_t end = s->block.base + s->block.size;

	it->last_error = ERROR_SUCCESS;
	return end == bytesrc_size(s->src) ? NULL :
	    load(it, end - YARA_OVERLAP);
}

static uint64_t
whole_size(YR_MEMORY_BLOCK_ITERATOR *it)
{
	const struct blocks *s = it->context;

	return bytesrc_size(s->src);
}

static const char *
meta_of(const YR_RULE *rule, const char *name)
{
	const YR_META *m;

	yr_rule_metas_foreach(rule, m)
		if (m->type == META_TYPE_STRING &&
		    strcmp(m->identifier, name) == 0)
			return m->string;
	return "";
}

static void
join_tags(const YR_RULE *rule, char *dst, size_t cap)
{
	size_t at = 0, n;
	const char *tag;

	yr_rule_tags_foreach(rule, tag) {
		n = strlen(tag);
		if (n + 2 > cap - at)
			break;
		if (at > 0)
			dst[at++] = ' ';
		memcpy(dst + at, tag, n);
		at += n;
	}
	dst[at] = '\0';
}

/* The match that lies first in the object. */
static void
place(YR_SCAN_CONTEXT *context, const YR_RULE *rule, struct yara_match *ret)
{
	const YR_STRING *string;
	YR_MATCH m;

	yr_rule_strings_foreach(rule, string) {
		uint64_t count = 0, at = UINT64_MAX, len = 0;
		const void *next = context->matches[string->idx].head;

		/* libyara does not align its list. */
		for (; next != NULL; next = m.next) {
			memcpy(&m, next, sizeof(m));
			if (m.is_private)
				continue;
			count++;
			if ((uint64_t)(m.base + m.offset) < at) {
				at = (uint64_t)(m.base + m.offset);
				len = (uint64_t)m.match_length;
			}
		}
		if (count == 0 || (*ret->string != '\0' && at >= ret->off))
			continue;
		ret->string = string->identifier;
		ret->off = at;
		ret->len = len;
		ret->count = count;
	}
}

static int
on_message(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
	struct yara_match m = {.string = ""};
	struct blocks *s = user;
	const YR_RULE *rule = data;
	char tags[256];

	if (message == CALLBACK_MSG_TOO_MANY_MATCHES)
		s->cut = true;
	if (message != CALLBACK_MSG_RULE_MATCHING)
		return CALLBACK_CONTINUE;
	join_tags(rule, tags, sizeof(tags));
	m.rule = rule->identifier;
	m.tags = tags;
	m.severity = meta_of(rule, "severity");
	m.description = meta_of(rule, "description");
	place(context, rule, &m);
	s->told = s->fn(s->ctx, &m);
	return s->told < 0 ? CALLBACK_ERROR : CALLBACK_CONTINUE;
}

static int
run(struct yara *y, struct blocks *s, unsigned seconds)
{
	YR_MEMORY_BLOCK_ITERATOR it = {s, first_block, next_block, whole_size,
	    ERROR_SUCCESS};
	YR_SCANNER *scanner;
	int r;

	if (yr_scanner_create(y->rules, &scanner) != ERROR_SUCCESS)
		return err_set(s->e, ERR_NOMEM, "out of memory");
	yr_scanner_set_callback(scanner, on_message, s);
	yr_scanner_set_timeout(scanner, (int)seconds);
	/* Its handlers of SIGBUS and SIGSEGV are for files that it maps. */
	yr_scanner_set_flags(scanner, SCAN_FLAGS_NO_TRYCATCH |
	    SCAN_FLAGS_REPORT_RULES_MATCHING);
	r = yr_scanner_scan_mem_blocks(scanner, &it);
	yr_scanner_destroy(scanner);
	if (s->told < 0 || s->failed < 0)
		return s->told < 0 ? s->told : s->failed;
	if (r == ERROR_INSUFFICIENT_MEMORY)
		return err_set(s->e, ERR_NOMEM, "out of memory for rules");
	return r != ERROR_SUCCESS || s->cut;
}

int
yara_scan(struct yara *y, const struct bytesrc *src, unsigned seconds,
    int (*fn)(void *ctx, const struct yara_match *m), void *ctx,
    struct err *e)
{
	struct blocks s = {.src = src, .fn = fn, .ctx = ctx, .e = e};
	size_t n = bytesrc_size(src) < YARA_BLOCK ?
	    (size_t)bytesrc_size(src) : YARA_BLOCK;
	int r;

	if (n == 0)
		return 0;
	s.block.context = &s;
	s.block.fetch_data = fetch;
	s.first = malloc(n);
	s.other = bytesrc_size(src) > YARA_BLOCK ? malloc(YARA_BLOCK) :
	    s.first;
	if (s.first == NULL || s.other == NULL)
		r = err_set(e, ERR_NOMEM, "out of memory");
	else
		r = run(y, &s, seconds);
	if (s.other != s.first)
		free(s.other);
	free(s.first);
	return r;
}
