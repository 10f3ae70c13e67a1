#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "base/cursor.h"
#include "base/err.h"
#include "custody/digest.h"
#include "custody/taritem.h"

/*
 * "LEN key=value\n", where LEN counts itself (POSIX.1-2017 pax, "pax
 * Extended Header").  Returns the bytes put at out + at.
 */
static size_t
put_record(uint8_t *out, size_t at, const char *key, const char *value,
    size_t n)
{
	size_t rest = 1 + strlen(key) + 1 + n + 1, len = rest + 1;
	char digits[24];
	int k;

	/* The number of digits may push LEN over a power of ten: again. */
	while ((size_t)(k = snprintf(digits, sizeof(digits), "%zu", len)) +
	    rest != len)
		len = (size_t)k + rest;
	BUG_ON(at + len > TARITEM_RECORD_MAX);
	memcpy(out + at, digits, (size_t)k);
	out[at + (size_t)k] = ' ';
	memcpy(out + at + (size_t)k + 1, key, strlen(key));
	out[at + (size_t)k + 1 + strlen(key)] = '=';
	memcpy(out + at + len - n - 1, value, n);
	out[at + len - 1] = '\n';
	return len;
}

static int
put_header(uint8_t *out, const struct tarhdr *h, struct err *e)
{
	return tarhdr_write(out, h) ? 0 :
	    err_set(e, ERR_ARG, "cannot write a tar header");
}

/* The pax header and its padded record; *n bytes. */
static int
put_pax(uint8_t *out, const char *path, size_t path_len, uint64_t size,
    size_t *n, struct err *e)
{
	struct tarhdr h = {.type = 'x'};
	uint8_t *record = out + TARHDR_SIZE;
	struct digests d;
	char text[65];
	size_t len = 0;
	int k, r;

	if ((r = digest_mem(path, path_len, DIGEST_SHA256, &d, e)) < 0)
		return r;
	digest_hex(text, d.sha256, 32);
	(void)snprintf(h.name, sizeof(h.name), "PaxHeaders/%.32s", text);
	if (path_len > TARHDR_NAME_MAX)
		len = put_record(record, 0, "path", path, path_len);
	if (size >= TARITEM_BIG) {
		k = snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)size);
		len += put_record(record, len, "size", text, (size_t)k);
	}
	h.size = len;
	memset(record + len, 0, tarhdr_padding(len));
	*n = TARHDR_SIZE + len + tarhdr_padding(len);
	return put_header(out, &h, e);
}

int
taritem_put(uint8_t out[TARITEM_MAX], const char *path, size_t path_len,
    uint64_t size, uint64_t mtime, size_t *n, struct err *e)
{
	struct tarhdr h = {.size = size, .mtime = mtime, .type = '0'};
	size_t pax = 0;
	int r;

	if (path_len == 0 || path_len > LIMIT_MEMBER_NAME ||
	    memchr(path, '\0', path_len) != NULL)
		return err_set(e, ERR_ARG, "a member name is unusable");
	if ((path_len > TARHDR_NAME_MAX || size >= TARITEM_BIG) &&
	    (r = put_pax(out, path, path_len, size, &pax, e)) < 0)
		return r;
	/* The first hundred bytes: the pax record has the whole. */
	memcpy(h.name, path, path_len < TARHDR_NAME_MAX ? path_len :
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
