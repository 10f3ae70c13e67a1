#include <string.h>

#include "formats/logs/shape.h"

/*
 * Words of a line of text.
 */
struct cursor
textline_rest(const struct cursor *c)
{
	struct cursor copy = *c, rest;

	if (!cursor_sub(&copy, cursor_left(c), &rest))
		cursor_init(&rest, NULL, 0, 0);
	return rest;
}

bool
textline_word(struct cursor *c, struct cursor *word)
{
	struct cursor at;
	uint8_t b;
	size_t n = 0;

	while (cursor_peek(c, 0, &b) && b == ' ')
		if (!cursor_skip(c, 1))
			return false;
	at = textline_rest(c);
	while (n < at.len && at.buf[n] != ' ')
		n++;
	return n > 0 && cursor_sub(c, n, word);
}

bool
textline_between(struct cursor *c, uint8_t open, uint8_t close,
    struct cursor *in)
{
	struct cursor at;
	uint8_t b;
	size_t n = 0;

	while (cursor_peek(c, 0, &b) && b == ' ')
		if (!cursor_skip(c, 1))
			return false;
	if (!cursor_peek(c, 0, &b) || b != open || !cursor_skip(c, 1))
		return false;
	at = textline_rest(c);
	while (n < at.len && at.buf[n] != close)
		n += at.buf[n] == '\\' && n + 1 < at.len ? 2 : 1;
	return n < at.len && cursor_sub(c, n, in) && cursor_skip(c, 1);
}

bool
textline_is(struct cursor c, const char *text)
{
	const size_t n = strlen(text);

	return cursor_left(&c) == n &&
	    cursor_match(&c, (const uint8_t *)text, n);
}

bool
textline_starts(struct cursor c, const char *text)
{
	return cursor_match(&c, (const uint8_t *)text, strlen(text));
}

bool
textline_request(struct logs_ctx *c, struct cursor request)
{
	struct cursor op, path, proto;

	if (!textline_word(&request, &op) || !textline_word(&request, &path))
		return false;
	if (!textline_word(&request, &proto) ||
	    !textline_starts(proto, "HTTP/"))
		return false;
	row_sub(c, LOGS_OP, op);
	row_sub(c, LOGS_PATH, path);
	return true;
}

struct cursor
textline_host(struct cursor c)
{
	struct cursor host = textline_rest(&c);
	size_t n = host.len;

	if (n > 0 && host.buf[0] == '[') {
		/* [2001:db8::1]:443 */
		const uint8_t *end = memchr(host.buf, ']', n);

		if (end != NULL) {
			host.len = (size_t)(end - host.buf) - 1;
			host.buf++;
		}
		return host;
	}
	while (n > 0 && host.buf[n - 1] >= '0' && host.buf[n - 1] <= '9')
		n--;
	if (n > 1 && host.buf[n - 1] == ':' && n < host.len &&
	    memchr(host.buf, ':', n - 1) == NULL)
		host.len = n - 1;
	return host;
}

/* /v2/models/NAME/infer, /v1/models/NAME:predict, /predictions/NAME */
void
textline_model(struct logs_ctx *c)
{
	static const char *const leads[] = {"/v2/models/", "/v1/models/",
	    "/predictions/", "/explanations/"};
	const struct field path = c->v[LOGS_PATH];
	struct cursor p, name;
	size_t n = 0;

	if (!path.set || c->v[LOGS_MODEL].set)
		return;
	cursor_init(&p, path.p, path.n, 0);
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (!cursor_match(&p, (const uint8_t *)leads[i],
		    strlen(leads[i])))
			continue;
		name = textline_rest(&p);
		while (n < name.len && name.buf[n] != '/' &&
		    name.buf[n] != ':' && name.buf[n] != '?')
			n++;
		row_text(c, LOGS_MODEL, name.buf, n);
		return;
	}
}
