#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "base/cursor.h"
#include "base/err.h"
#include "custody/digest.h"
#include "custody/taritem.h"

static size_t
append(uint8_t *out, size_t at, const void *p, size_t n)
{
	BUG_ON(n > TARITEM_RECORD_MAX - at);
	memcpy(out + at, p, n);
	return at + n;
}

/*
 * "LEN key=value\n", where LEN counts itself (POSIX.1-2017 pax, "pax
 * Extended Header"), at out + at.  Returns where it ends.
 */
static size_t
put_record(uint8_t *out, size_t at, const char *key, const char *value,
    size_t n)
{
	size_t key_len = strlen(key), rest = 1 + key_len + 1 + n + 1;
	size_t len = rest + 1, digits;
	char text[24];

	/* The number of digits may push LEN over a power of ten: again. */
	for (;;) {
		(void)snprintf(text, sizeof(text), "%zu", len);
		digits = strlen(text);
		if (digits + rest == len)
			break;
		len = digits + rest;
	}
	at = append(out, at, text, digits);
	at = append(out, at, " ", 1);
	at = append(out, at, key, key_len);
	at = append(out, at, "=", 1);
	at = append(out, at, value, n);
	return append(out, at, "\n", 1);
}

static int
put_header(uint8_t *out, const struct tarhdr *h, struct err *e)
{
	return tarhdr_write(out, h) ? 0 :
	    err_set(e, ERR_ARG, "cannot write a tar header");
}

/* The pax header and its padded record; *n bytes. */
static int
put_pax(uint8_t *out, const struct taritem *t, size_t *n, struct err *e)
{
	struct tarhdr h = {.type = 'x'};
	uint8_t *record = out + TARHDR_SIZE;
	struct digests d;
	char text[65];
	size_t len = 0;
	int r;

	if ((r = digest_mem(t->path, t->n, DIGEST_SHA256, &d, e)) < 0)
		return r;
	digest_hex(text, d.sha256, 32);
	(void)snprintf(h.name, sizeof(h.name), "PaxHeaders/%.32s", text);
	if (t->n > TARHDR_NAME_MAX)
		len = put_record(record, 0, "path", t->path, t->n);
	if (t->size >= TARITEM_BIG) {
		(void)snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)t->size);
		len = put_record(record, len, "size", text, strlen(text));
	}
	h.size = len;
	memset(record + len, 0, tarhdr_padding(len));
	*n = TARHDR_SIZE + len + tarhdr_padding(len);
	return put_header(out, &h, e);
}

bool
taritem_plain(const struct taritem *t)
{
	return t->n <= TARHDR_NAME_MAX && t->size < TARITEM_BIG;
}

int
taritem_put(uint8_t out[TARITEM_MAX], const struct taritem *t, size_t *n,
    struct err *e)
{
	struct tarhdr h = {.size = t->size, .mtime = t->mtime, .type = '0'};
	size_t pax = 0;
	int r;

	if (t->n == 0 || t->n > LIMIT_MEMBER_NAME ||
	    memchr(t->path, '\0', t->n) != NULL)
		return err_set(e, ERR_ARG, "a member name is unusable");
	if (!taritem_plain(t) && (r = put_pax(out, t, &pax, e)) < 0)
		return r;
	/* The first hundred bytes: the pax record has the whole. */
	memcpy(h.name, t->path, t->n < TARHDR_NAME_MAX ? t->n :
	    TARHDR_NAME_MAX);
	if ((r = put_header(out + pax, &h, e)) < 0)
		return r;
	*n = pax + TARHDR_SIZE;
	return 0;
}

const char *
taritem_path(const uint8_t *record, size_t n, size_t *path_len)
{
	struct cursor c, skipped, value;

	cursor_init(&c, record, n, 0);
	if (!cursor_line(&c, ' ', &skipped) ||
	    !cursor_match(&c, (const uint8_t *)"path=", 5) ||
	    !cursor_line(&c, '\n', &value))
		return NULL;
	*path_len = value.len;
	return (const char *)value.buf;
}
