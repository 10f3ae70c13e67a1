#include <string.h>

#include "formats/zip.h"

/*
 * Extra fields (APPNOTE 4.5): pairs of id and length, then content.  Readers
 * pass over what they do not know, so a field is a place to hide bytes in,
 * and some change what the header says: other sizes (zip64), another name
 * (Info-ZIP's Unicode path).
 *
 * Fields whose content is filler must hold filler: PyTorch aligns storages
 * with "FB", whose content is the letter Z (older versions: zeros); zipalign
 * and Apache write zeros; Office leaves room to grow.
 */
enum { EXTRA_ZIP64 = 0x0001, EXTRA_UPATH = 0x7075 };

static const struct known {
	uint16_t id;
	uint16_t max;		/* longest that writers make; 0: any */
	bool pad;		/* from ${skip} on, filler */
	uint8_t skip;
} known[] = {
    {0x0001, 32, false, 0}, {0x0007, 0, false, 0}, {0x0009, 0, false, 0},
    {0x000a, 64, false, 0}, {0x000c, 0, false, 0}, {0x000d, 0, false, 0},
    {0x0014, 0, false, 0}, {0x0015, 0, false, 0}, {0x0016, 0, false, 0},
    {0x0017, 0, false, 0}, {0x0019, 0, false, 0}, {0x0065, 0, false, 0},
    {0x07c8, 0, false, 0}, {0x2605, 0, false, 0}, {0x2705, 0, false, 0},
    {0x334d, 0, false, 0}, {0x4246, 0, true, 0},	/* "FB": PyTorch */
    {0x4341, 0, false, 0}, {0x4453, 0, false, 0}, {0x4704, 0, false, 0},
    {0x470f, 0, false, 0}, {0x4c41, 0, false, 0}, {0x4d49, 0, false, 0},
    {0x5356, 0, false, 0}, {0x5455, 13, false, 0}, {0x5855, 12, false, 0},
    {0x6375, 0, false, 0}, {0x6542, 0, false, 0}, {0x6c78, 0, false, 0},
    {0x7075, 0, false, 0}, {0x7441, 0, false, 0}, {0x756e, 0, false, 0},
    {0x7855, 4, false, 0}, {0x7875, 24, false, 0}, {0x9901, 7, false, 0},
    {0x9902, 0, false, 0}, {0xa11e, 0, true, 2},	/* Apache */
    {0xa220, 0, true, 4},				/* Office */
    {0xcafe, 0, false, 0}, {0xd935, 0, true, 2},	/* zipalign */
    {0xfb4a, 0, false, 0}, {0xfd4a, 0, false, 0},
};

static const struct known *
find_known(uint16_t id)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].id == id)
			return &known[i];
	return NULL;
}

/* All of one byte, and that one is a filler? */
static bool
is_filler(struct cursor c)
{
	uint8_t first, b;

	if (!cursor_peek(&c, 0, &first))
		return true;
	if (first != 0 && first != 'Z')
		return false;
	while (cursor_u8(&c, &b))
		if (b != first)
			return false;
	return true;
}

static int
tell(struct parse *p, const struct zip_member *m, uint64_t off, uint64_t len,
    const char *what, uint16_t id)
{
	const struct fact f[] = {FACT_TEXT("name", m->name, m->name_len),
	    FACT_TEXT("what", what, strlen(what)), FACT_NUM("id", id)};

	return format_anomaly(p, ANOMALY_ZIP_EXTRA, off, len, f, 3);
}

static bool
is_ascii(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)p[i] >= 0x80)
			return false;
	return true;
}

/*
 * 0 version 1  1 CRC-32 of the header's name 4  5 the name in UTF-8.  It is
 * for names that the header cannot spell; one that it can must be the same.
 */
static int
check_upath(struct parse *p, struct cursor c, const struct zip_member *m)
{
	uint64_t at = cursor_tell(&c);
	struct cursor name;
	struct fact f[2];

	if (!cursor_skip(&c, 5) || !cursor_sub(&c, cursor_left(&c), &name) ||
	    !is_ascii(m->name, m->name_len) || (name.len == m->name_len &&
	    memcmp(name.buf, m->name, name.len) == 0))
		return 0;
	f[0] = (struct fact)FACT_TEXT("name", m->name, m->name_len);
	f[1] = (struct fact)FACT_TEXT("unicode_path", name.buf, name.len);
	return format_anomaly(p, ANOMALY_ZIP_SECOND_NAME, at, c.len, f, 2);
}

static int
check_field(struct parse *p, uint16_t id, struct cursor c,
    const struct zip_member *m)
{
	const struct known *k = find_known(id);
	uint64_t at = cursor_tell(&c), n = cursor_left(&c);
	const char *what = NULL;

	if (id == EXTRA_UPATH)
		return check_upath(p, c, m);
	if (k == NULL)
		what = n > 0 ? "an unknown field" : NULL;
	else if (k->max > 0 && n > k->max)
		what = "longer than its kind";
	else if (k->pad && cursor_skip(&c, k->skip) && !is_filler(c))
		what = "filler that is none";
	return what != NULL ? tell(p, m, at, n, what, id) : 0;
}

int
zip_extra_check(struct parse *p, struct cursor c, const struct zip_member *m)
{
	struct cursor field;
	uint16_t id, n;
	int r;

	while (cursor_u16le(&c, &id) && cursor_u16le(&c, &n)) {
		/* zipalign and Java pad with fewer bytes than a field has. */
		if (id == 0 && n == 0)
			continue;
		if (!cursor_sub(&c, n, &field))
			return tell(p, m, cursor_tell(&c), cursor_left(&c),
			    "a field beyond the end", id);
		if ((r = check_field(p, id, field, m)) < 0)
			return r;
	}
	return is_filler(c) ? 0 : tell(p, m, cursor_tell(&c),
	    cursor_left(&c), "bytes behind the last field", 0);
}

bool
zip_extra_zip64(struct cursor c, struct cursor *ret)
{
	uint16_t id, n;

	while (cursor_u16le(&c, &id) && cursor_u16le(&c, &n) &&
	    cursor_sub(&c, n, ret))
		if (id == EXTRA_ZIP64)
			return true;
	return false;
}
