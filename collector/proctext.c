#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "collector/proctext.h"

/* The bytes that a cursor has not read yet. */
static const char *
rest(const struct cursor *c, size_t *n)
{
	*n = cursor_left(c);
	return (const char *)c->buf + c->off;
}

/* Digits up to ${stop}, which is read too. */
static bool
number(struct cursor *c, unsigned base, uint8_t stop, uint64_t *ret)
{
	struct cursor word;
	const char *s;
	size_t n;

	if (!cursor_line(c, stop, &word))
		return false;
	s = rest(&word, &n);
	return text_u64(s, n, base, UINT64_MAX, ret);
}

static void
skip_blanks(struct cursor *c)
{
	uint8_t b;

	while (cursor_peek(c, 0, &b) && (b == ' ' || b == '\t'))
		if (!cursor_skip(c, 1))
			return;
}

bool
proctext_stat(const void *p, size_t n, uint64_t *ppid, uint64_t *start)
{
	const uint8_t *close = n > 0 ? memrchr(p, ')', n) : NULL;
	struct cursor c, word;
	uint64_t parent, ticks;

	if (close == NULL)
		return false;
	cursor_init(&c, p, n, 0);
	/* ") S ppid ...": fields 3 and 4; starttime is field 22. */
	if (!cursor_skip(&c, (uint64_t)(close - (const uint8_t *)p) + 2) ||
	    !cursor_line(&c, ' ', &word) || !number(&c, 10, ' ', &parent))
		return false;
	for (unsigned i = 5; i < 22; i++)
		if (!cursor_line(&c, ' ', &word))
			return false;
	if (!number(&c, 10, ' ', &ticks))
		return false;
	*ppid = parent;
	*start = ticks;
	return true;
}

bool
proctext_status(const void *p, size_t n, const char *key, struct cursor *ret)
{
	struct cursor c, line;

	cursor_init(&c, p, n, 0);
	while (cursor_line(&c, '\n', &line))
		if (cursor_match(&line, (const uint8_t *)key, strlen(key)) &&
		    cursor_match(&line, (const uint8_t *)":", 1)) {
			skip_blanks(&line);
			*ret = line;
			return true;
		}
	return false;
}

bool
proctext_map(struct cursor *lines, struct proctext_map *ret)
{
	struct proctext_map m = {0};
	struct cursor line, word;
	uint64_t major, minor;

	if (!cursor_line(lines, '\n', &line) ||
	    !number(&line, 16, '-', &m.start) ||
	    !number(&line, 16, ' ', &m.end) ||
	    !cursor_copy(&line, (uint8_t *)m.perms, 4) ||
	    !cursor_match(&line, (const uint8_t *)" ", 1) ||
	    !number(&line, 16, ' ', &m.offset) ||
	    !number(&line, 16, ':', &major) ||
	    !number(&line, 16, ' ', &minor))
		return false;
	/* The inode ends the line, or blanks and a path follow. */
	if (cursor_line(&line, ' ', &word)) {
		skip_blanks(&line);
		m.path = rest(&line, &m.path_n);
	} else {
		word = line;
	}
	if (!text_u64(rest(&word, &(size_t){0}), cursor_left(&word), 10,
	    UINT64_MAX, &m.ino))
		return false;
	*ret = m;
	return true;
}

bool
proctext_variable(struct cursor *c, struct proctext_variable *ret)
{
	struct cursor all, name;

	if (cursor_at_end(c))
		return false;
	if (!cursor_line(c, '\0', &all) &&
	    !cursor_sub(c, cursor_left(c), &all))
		return false;	/* the last one, cut by the kernel */
	ret->has_value = cursor_line(&all, '=', &name);
	if (ret->has_value) {
		ret->name = rest(&name, &ret->name_n);
		ret->value = rest(&all, &ret->value_n);
	} else {
		ret->name = rest(&all, &ret->name_n);
		ret->value = NULL;
		ret->value_n = 0;
	}
	return true;
}

static bool
is_hex(uint8_t b)
{
	return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f');
}

bool
proctext_container(struct cursor *c, char ret[PROCTEXT_ID + 1])
{
	size_t run = 0;
	uint8_t b, next;

	while (cursor_u8(c, &b)) {
		run = is_hex(b) ? run + 1 : 0;
		if (run != PROCTEXT_ID || (cursor_peek(c, 0, &next) &&
		    is_hex(next)))
			continue;
		memcpy(ret, c->buf + c->off - PROCTEXT_ID, PROCTEXT_ID);
		ret[PROCTEXT_ID] = '\0';
		return true;
	}
	return false;
}

bool
proctext_flags(const void *p, size_t n, uint64_t *flags)
{
	struct cursor v;

	return proctext_status(p, n, "flags", &v) &&
	    text_u64((const char *)v.buf + v.off, cursor_left(&v), 8,
	    UINT64_MAX, flags);
}

bool
proctext_package(const char *entry, struct proctext_package *ret)
{
	static const char *const ends[] = {".dist-info", ".egg-info"};
	size_t n = strlen(entry), end = 0;
	const char *dash;

	for (size_t i = 0; i < 2 && end == 0; i++)
		if (n > strlen(ends[i]) && strcmp(entry + n -
		    strlen(ends[i]), ends[i]) == 0)
			end = n - strlen(ends[i]);
	if (end == 0)
		return false;
	dash = memchr(entry, '-', end);
	ret->name_n = dash != NULL ? (size_t)(dash - entry) : end;
	ret->version_off = dash != NULL ? ret->name_n + 1 : end;
	ret->version_n = end - ret->version_off;
	/* "name-1.0-py3.11.egg-info" */
	if ((dash = memchr(entry + ret->version_off, '-',
	    ret->version_n)) != NULL)
		ret->version_n = (size_t)(dash - entry) - ret->version_off;
	return ret->name_n > 0;
}
