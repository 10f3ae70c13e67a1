#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "analyzer/triggers/datachat.h"
#include "analyzer/triggers/datavalue.h"
#include "base/buf.h"
#include "base/err.h"
#include "formats/rows/rows.h"
#include "formats/rows/rowset.h"

static const char *const roles[] = {"role", "from", "author", "speaker"};
static const char *const contents[] = {"content", "value", "text",
    "message"};
#define NAMES(v) (sizeof(v) / sizeof((v)[0]))

static bool
is_assistant(const struct rows_value *v)
{
	static const char *const names[] = {"assistant", "gpt", "bot", "model",
	    "chatgpt", "ai", "chatbot", "agent"};

	for (size_t i = 0; i < NAMES(names); i++)
		if (v->type == ROWS_TEXT && v->n == strlen(names[i]) &&
		    strncasecmp((const char *)v->p, names[i], v->n) == 0)
			return true;
	return false;
}

/* The first of these members that turn ${i} has; absent: none. */
static int
member(struct rowset *rs, const char *path, unsigned i,
    const char *const *names, size_t n, struct rows_value *v, struct err *e)
{
	char at[512];
	int r = 0;

	memset(v, 0, sizeof(*v));
	for (size_t k = 0; k < n && v->type == ROWS_ABSENT && r >= 0; k++) {
		if ((size_t)snprintf(at, sizeof(at), "%s.%u.%s", path, i,
		    names[k]) >= sizeof(at))
			return 0;
		r = rowset_field(rs, at, v, e);
	}
	return r;
}

int
datachat_read(struct rowset *rs, const char *path, struct buf *prompt,
    struct buf *response, struct err *e)
{
	struct rows_value v;
	struct buf *to;
	int r;

	buf_clear(prompt);
	buf_clear(response);
	for (unsigned i = 0; i < DATACHAT_TURNS; i++) {
		if ((r = member(rs, path, i, roles, NAMES(roles), &v, e)) < 0)
			return r;
		if (v.type == ROWS_ABSENT)
			break;
		to = is_assistant(&v) ? response : prompt;
		if ((r = member(rs, path, i, contents, NAMES(contents), &v,
		    e)) < 0)
			return r;
		if (to->len > 0)
			buf_putc(to, '\n');
		datavalue_text(to, &v);
	}
	return buf_failed(prompt) == ERR_NOMEM ||
	    buf_failed(response) == ERR_NOMEM ?
	    err_set(e, ERR_NOMEM, "out of memory") : 0;
}
