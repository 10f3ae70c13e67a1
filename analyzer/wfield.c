#include <math.h>
#include <string.h>

#include "analyzer/wfield.h"

bool
wfield_bool(const struct frame *f, uint8_t tag, bool *ret)
{
	uint32_t v;

	if (!frame_u32(f, tag, &v) || v > 1)
		return false;
	*ret = v != 0;
	return true;
}

bool
wfield_enum(const struct frame *f, uint8_t tag, uint32_t count, unsigned *ret)
{
	uint32_t v;

	if (!frame_u32(f, tag, &v) || v >= count)
		return false;
	*ret = v;
	return true;
}

bool
wfield_bytes(const struct frame *f, uint8_t tag, size_t max,
    const uint8_t **ret, size_t *n)
{
	const struct cursor *c = &f->field[tag];

	*ret = NULL;
	*n = 0;
	if (!frame_has(f, tag))
		return true;
	if (c->len > max)
		return false;
	*ret = c->buf;
	*n = c->len;
	return true;
}

bool
wfield_is_own(struct cursor c, size_t max, char *dst)
{
	size_t n = cursor_left(&c);

	if (n == 0 || n > max || !cursor_copy(&c, (uint8_t *)dst, n))
		return false;
	dst[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (dst[i] < ' ' || dst[i] > '~')
			return false;
	return true;
}

bool
wfield_own(const struct frame *f, uint8_t tag, size_t max, char *dst)
{
	return frame_has(f, tag) && wfield_is_own(f->field[tag], max, dst);
}

bool
wfield_sha256(const struct frame *f, uint8_t tag, bool *has, uint8_t ret[32])
{
	struct cursor c = f->field[tag];

	*has = frame_has(f, tag);
	if (!*has)
		return true;
	return cursor_left(&c) == 32 && cursor_copy(&c, ret, 32);
}

bool
wfield_in_range(uint64_t u, double least, double most, double *ret)
{
	double v;

	memcpy(&v, &u, sizeof(v));
	*ret = v;
	return isnan(v) || (isfinite(v) && v >= least && v <= most);
}

bool
wfield_number(const struct frame *f, uint8_t tag, double least, double most,
    double *ret)
{
	uint64_t u;

	return frame_u64(f, tag, &u) && wfield_in_range(u, least, most, ret);
}
