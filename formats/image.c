#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/reader.h"
#include "formats/format.h"

/*
 * Images in data sets: walked by their own structure to the end, since what
 * an attacker wants is the place behind it.  Pixels are not decoded.
 *
 *	PNG   8-byte signature; chunks u32be length, type, data, crc; IEND
 *	JPEG  markers FF xx with u16be length; scans of entropy-coded data; FFD9
 *	GIF   blocks 21 (extension), 2C (image), 3B (end)
 *	BMP   u32le file size at 2
 *	WebP  RIFF, u32le size at 4
 */
struct kind {
	const char *magic;
	size_t n;
	unsigned bits;
	/* End of the image; 0 good, ERR_TRUNC, ERR_FORMAT. */
	int (*walk)(struct parse *p, struct reader *rd, uint64_t *end);
};

static int
walk_png(struct parse *p, struct reader *rd, uint64_t *end)
{
	uint8_t type[4];
	uint32_t n;
	int r;

	if ((r = reader_skip(rd, 8, p->e)) < 0)
		return r;
	do {
		if ((r = reader_u32be(rd, &n, p->e)) < 0 ||
		    (r = reader_copy(rd, type, 4, p->e)) < 0)
			return r;
		for (unsigned i = 0; i < 4; i++)
			if (!((type[i] | 32) >= 'a' && (type[i] | 32) <= 'z'))
				return ERR_FORMAT;
		if ((r = reader_skip(rd, (uint64_t)n + 4, p->e)) < 0)
			return r;
	} while (memcmp(type, "IEND", 4) != 0);
	*end = reader_tell(rd);
	return 0;
}

/* Entropy-coded data: up to a marker that is neither stuffing nor restart. */
static int
jpeg_scan(struct parse *p, struct reader *rd, uint8_t *marker)
{
	uint8_t c;
	int r;

	for (;;) {
		if ((r = reader_u8(rd, &c, p->e)) < 0)
			return r;
		while (c == 0xff) {
			if ((r = reader_u8(rd, &c, p->e)) < 0)
				return r;
			if (c != 0 && c != 0xff && (c < 0xd0 || c > 0xd7)) {
				*marker = c;
				return 0;
			}
		}
	}
}

static int
walk_jpeg(struct parse *p, struct reader *rd, uint64_t *end)
{
	uint8_t c, marker, len[2];
	uint64_t n;
	int r;

	if ((r = reader_skip(rd, 2, p->e)) < 0 ||
	    (r = reader_u8(rd, &c, p->e)) < 0 ||
	    (r = reader_u8(rd, &marker, p->e)) < 0)
		return r;
	while (marker != 0xd9) {
		if (c != 0xff)
			return ERR_FORMAT;
		if ((r = reader_copy(rd, len, 2, p->e)) < 0)
			return r;
		n = (uint64_t)len[0] << 8 | len[1];
		if (n < 2)
			return ERR_FORMAT;
		if ((r = reader_skip(rd, n - 2, p->e)) < 0)
			return r;
		if (marker == 0xda) {
			if ((r = jpeg_scan(p, rd, &marker)) < 0)
				return r;
			continue;
		}
		if ((r = reader_u8(rd, &c, p->e)) < 0 ||
		    (r = reader_u8(rd, &marker, p->e)) < 0)
			return r;
	}
	*end = reader_tell(rd);
	return 0;
}

static int
gif_blocks(struct parse *p, struct reader *rd)
{
	uint8_t n;
	int r;

	do {
		if ((r = reader_u8(rd, &n, p->e)) < 0 ||
		    (r = reader_skip(rd, n, p->e)) < 0)
			return r;
	} while (n != 0);
	return 0;
}

static int
gif_table(struct parse *p, struct reader *rd, uint8_t flags)
{
	return (flags & 0x80) == 0 ? 0 :
	    reader_skip(rd, 3ULL << ((flags & 7) + 1), p->e);
}

static int
walk_gif(struct parse *p, struct reader *rd, uint64_t *end)
{
	uint8_t c, flags;
	int r;

	if ((r = reader_skip(rd, 10, p->e)) < 0 ||
	    (r = reader_u8(rd, &flags, p->e)) < 0 ||
	    (r = reader_skip(rd, 2, p->e)) < 0 ||
	    (r = gif_table(p, rd, flags)) < 0)
		return r;
	for (;;) {
		if ((r = reader_u8(rd, &c, p->e)) < 0)
			return r;
		if (c == 0x3b)
			break;
		if (c == 0x21) {
			if ((r = reader_skip(rd, 1, p->e)) < 0)
				return r;
		} else if (c == 0x2c) {
			if ((r = reader_skip(rd, 8, p->e)) < 0 ||
			    (r = reader_u8(rd, &flags, p->e)) < 0 ||
			    (r = gif_table(p, rd, flags)) < 0 ||
			    (r = reader_skip(rd, 1, p->e)) < 0)
				return r;
		} else {
			return ERR_FORMAT;
		}
		if ((r = gif_blocks(p, rd)) < 0)
			return r;
	}
	*end = reader_tell(rd);
	return 0;
}

static int
stated_size(struct parse *p, struct reader *rd, uint64_t at, uint64_t extra,
    uint64_t *end)
{
	uint32_t n;
	int r;

	if ((r = reader_skip(rd, at, p->e)) < 0 ||
	    (r = reader_u32le(rd, &n, p->e)) < 0)
		return r;
	*end = (uint64_t)n + extra;
	return *end > p->size ? ERR_TRUNC : 0;
}

static int
walk_bmp(struct parse *p, struct reader *rd, uint64_t *end)
{
	return stated_size(p, rd, 2, 0, end);
}

static int
walk_webp(struct parse *p, struct reader *rd, uint64_t *end)
{
	return stated_size(p, rd, 4, 8, end);
}

static const struct kind kinds[] = {
    {"\x89PNG\r\n\x1a\n", 8, 64, walk_png},
    {"\xff\xd8\xff", 3, 24, walk_jpeg},
    {"GIF87a", 6, 48, walk_gif},
    {"GIF89a", 6, 48, walk_gif},
    {"BM", 2, 16, walk_bmp},
    {"RIFF", 4, 32, walk_webp},
};

static const struct kind *
find_kind(struct cursor head, uint64_t size)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];
		struct cursor c = head;
		uint32_t n, zero;

		if (!cursor_match(&c, (const uint8_t *)k->magic, k->n))
			continue;
		/* Two letters prove little: the stated size must fit. */
		if (k->n == 2 && (!cursor_u32le(&c, &n) || n > size ||
		    !cursor_u32le(&c, &zero) || zero != 0))
			continue;
		if (k->bits == 32 && (!cursor_skip(&c, 4) ||
		    !cursor_match(&c, (const uint8_t *)"WEBP", 4)))
			continue;
		return k;
	}
	return NULL;
}

static unsigned
image_bid(struct cursor head, uint64_t size)
{
	const struct kind *k = find_kind(head, size);

	return k != NULL ? k->bits : 0;
}

static int
image_parse(struct parse *p)
{
	uint8_t raw[16];
	const struct kind *k;
	struct cursor head;
	struct reader rd;
	uint64_t end = 0;
	int r;

	if ((r = format_head(p, raw, sizeof(raw), &head)) < 0 ||
	    (r = reader_init(&rd, p->src, 0, p->window, p->arena,
	    p->e)) < 0)
		return r;
	if ((k = find_kind(head, p->size)) == NULL)
		return 1;
	r = k->walk(p, &rd, &end);
	if (r == ERR_TRUNC || r == ERR_FORMAT) {
		err_reset(p->e);
		r = format_anomaly(p, r == ERR_TRUNC ? ANOMALY_TRUNCATED :
		    ANOMALY_MALFORMED, reader_tell(&rd), 0, NULL, 0);
		return r < 0 ? r : 1;
	}
	if (r < 0 || end == p->size)
		return r;
	/* The analyzer examines what is behind as an object. */
	return format_anomaly(p, ANOMALY_TRAILING, end, p->size - end, NULL,
	    0);
}

const struct format format_image = {
    .name = "image",
    .kind = FORMAT_DATA,
    .bid = image_bid,
    .parse = image_parse,
};
