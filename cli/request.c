#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "cli/request.h"
#include "collector/acquire.h"
#include "collector/resume.h"
#include "custody/digest.h"

int
request_make(struct request *ret, const char *bag,
    const unsigned char *plan, int argc, char **argv, struct err *e)
{
	char cwd[LIMIT_PATH];
	struct json_write w;
	struct buf args;
	int r;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return err_sys(e, errno, "cannot tell where this is");
	buf_init(&args, LIMIT_JOURNAL_LINE / 4);
	for (int i = 0; i < argc; i++)
		buf_put(&args, argv[i], strlen(argv[i]) + 1);
	buf_init(&ret->text, LIMIT_JOURNAL_LINE / 2 + 16 * KIB);
	json_init(&w, &ret->text, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "bag", bag);
	if (plan != NULL)
		json_khex(&w, "plan_sha256", plan, 32);
	json_khex(&w, "cwd_hex", cwd, strlen(cwd));
	json_khex(&w, "argv_hex", args.p, args.len);
	json_end_object(&w);
	r = buf_failed(&args) < 0 ? buf_failed(&args) :
	    buf_failed(&ret->text);
	buf_release(&args);
	return r < 0 ? err_set(e, (enum err_code)r,
	    "the command line is too long for a journal") : 0;
}

int
request_check_plan(const struct request *q, const unsigned char *plan,
    struct err *e)
{
	uint8_t then[32];
	bool had = jline_hex(&q->line, "plan_sha256", then, 32);

	if (had == (plan != NULL) && (!had || memcmp(then, plan, 32) == 0))
		return 0;
	return err_set(e, ERR_VERIFY, "the plan is not the one with which the "
	    "collection was begun");
}

static int
split(struct request *q, const char *p, size_t n)
{
	size_t count = 0, i = 0;
	const char *end = p + n;

	for (size_t k = 0; k < n; k++)
		count += p[k] == '\0';
	if (n == 0 || end[-1] != '\0' ||
	    (q->argv = calloc(count + 1, sizeof(*q->argv))) == NULL)
		return -1;
	for (; p < end; p += strlen(p) + 1)
		if ((q->argv[i++] = strdup(p)) == NULL)
			return -1;
	q->argc = (int)count;
	return 0;
}

int
request_read(struct request *ret, int dir, const char *file, struct err *e)
{
	char journal[ACQUIRE_NAME];
	const char *args;
	size_t n = 0, cwd_n;
	int r;

	buf_init(&ret->text, LIMIT_JOURNAL_LINE);
	if (*acquire_journal(file, journal) == '\0')
		return err_set(e, ERR_ARG, "'%.100s' is too long", file);
	if ((r = resume_request(dir, journal, &ret->text, e)) < 0)
		return r;
	if ((r = jline_read(&ret->line, buf_str(&ret->text), ret->text.len,
	    e)) < 0)
		return r;
	ret->bag = jline_str(&ret->line, "bag");
	if ((ret->cwd = jline_unhex(&ret->line, "cwd_hex", &cwd_n)) == NULL ||
	    strlen(ret->cwd) != cwd_n ||
	    (args = jline_unhex(&ret->line, "argv_hex", &n)) == NULL ||
	    split(ret, args, n) < 0)
		return err_set(e, ERR_FORMAT, "the journal '%.100s' does not "
		    "say what was asked for", journal);
	return 0;
}

void
request_release(struct request *q)
{
	for (int i = 0; q->argv != NULL && i < q->argc; i++)
		free(q->argv[i]);
	free(q->argv);
	jline_release(&q->line);
	buf_release(&q->text);
	*q = (struct request){.argc = 0};
}

int
request_digest(struct request *q, unsigned char ret[32], struct err *e)
{
	struct digests d;
	int r;

	if ((r = digest_mem(q->text.p, q->text.len, DIGEST_SHA256, &d,
	    e)) >= 0)
		memcpy(ret, d.sha256, 32);
	return r;
}

static bool
same_path(const char *a, const char *b, const char *b_cwd)
{
	char joined[2 * LIMIT_PATH], *ra, *rb;
	bool same;

	if (strcmp(a, b) == 0 && *a == '/')
		return true;
	(void)snprintf(joined, sizeof(joined), "%s%s%s",
	    *b == '/' ? "" : b_cwd, *b == '/' ? "" : "/", b);
	ra = realpath(a, NULL);
	rb = realpath(joined, NULL);
	same = ra != NULL && rb != NULL ? strcmp(ra, rb) == 0 :
	    ra == rb && strcmp(a, b) == 0;
	free(ra);
	free(rb);
	return same;
}

static bool
same_list(const struct opt_list *a, const struct opt_list *b,
    const char *b_cwd)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_path(a->items[i], b->items[i], b_cwd))
			return false;
	return true;
}

/* An option that was said differs from what was said then. */
static bool
differs(const struct opt *a, const struct opt *b, const char *b_cwd)
{
	const char *const *s = a->target, *const *t = b->target;
	const struct opt_list *l = a->target;

	switch (a->kind) {
	case OPT_FLAG:
		return *(const bool *)a->target && !*(const bool *)b->target;
	case OPT_STRING:
		return *s != NULL && (*t == NULL || strcmp(*s, *t) != 0);
	case OPT_LIST:
		return l->count > 0 && !same_list(l, b->target, b_cwd);
	case OPT_END:
		break;
	}
	return false;
}

/* Were sources said at all?  Then all of them must be the same. */
static bool
any_list(const struct opt *rows)
{
	for (; rows->kind != OPT_END; rows++)
		if (rows->kind == OPT_LIST &&
		    ((const struct opt_list *)rows->target)->count > 0)
			return true;
	return false;
}

const char *
request_differs(const struct opt *given, const struct opt *had,
    const char *had_cwd, const char *const *free_names)
{
	const bool lists = any_list(given);
	const char *const *f;

	for (size_t i = 0; given[i].kind != OPT_END; i++) {
		for (f = free_names; *f != NULL; f++)
			if (strcmp(*f, given[i].name) == 0)
				break;
		if (*f != NULL)
			continue;
		if (differs(&given[i], &had[i], had_cwd) || (lists &&
		    given[i].kind == OPT_LIST && !same_list(given[i].target,
		    had[i].target, had_cwd)))
			return given[i].name;
	}
	return NULL;
}
