#include "analyzer/triggers/promptchar.h"

struct range {
	uint32_t from, to;
};

static bool
within(const struct range *r, size_t n, uint32_t cp)
{
	for (size_t i = 0; i < n && r[i].from <= cp; i++)
		if (cp <= r[i].to)
			return true;
	return false;
}
#define WITHIN(r, cp) within(r, sizeof(r) / sizeof((r)[0]), cp)

bool
promptchar_blank(uint32_t cp)
{
	return cp == ' ' || cp == '\t' || cp == '\n' || cp == '\r' ||
	    cp == 0xa0 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x3000;
}

bool
promptchar_alone(uint32_t cp)
{
	static const struct range alone[] = {
		{0x0e01, 0x0eff},	/* Thai, Lao */
		{0x1000, 0x109f},	/* Myanmar */
		{0x1780, 0x17ff},	/* Khmer */
		{0x2e80, 0x2fdf}, {0x3001, 0x30ff}, {0x3400, 0x4dbf},
		{0x4e00, 0x9fff}, {0xf900, 0xfaff}, {0xff01, 0xff0f},
		{0xff1a, 0xff20}, {0x20000, 0x3ffff},
	};

	return cp >= 0x0e01 && WITHIN(alone, cp);
}

uint32_t
promptchar_lower(uint32_t cp)
{
	if (cp < 0x80)
		return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
	if (cp >= 0xc0 && cp <= 0xde && cp != 0xd7)
		return cp + 32;
	if ((cp >= 0x100 && cp <= 0x137) || (cp >= 0x14a && cp <= 0x177) ||
	    (cp >= 0x460 && cp <= 0x481) || (cp >= 0x48a && cp <= 0x4bf) ||
	    (cp >= 0x1e00 && cp <= 0x1e95) || (cp >= 0x1ea0 && cp <= 0x1eff))
		return cp == 0x130 ? 'i' : cp | 1;
	if ((cp >= 0x139 && cp <= 0x148) || (cp >= 0x179 && cp <= 0x17e))
		return cp + (cp & 1);
	if ((cp >= 0x391 && cp <= 0x3a9 && cp != 0x3a2) ||
	    (cp >= 0x410 && cp <= 0x42f))
		return cp + 32;
	if (cp >= 0x400 && cp <= 0x40f)
		return cp + 80;
	return cp;
}

bool
promptchar_mark(uint32_t cp)
{
	switch (cp) {
	case '.': case ',': case ';': case ':': case '!': case '?': case '"':
	case '\'': case '(': case ')': case 0xab: case 0xbb: case 0x2018:
	case 0x2019: case 0x201c: case 0x201d: case 0x201e: case 0x2026:
		return true;
	default:
		return false;
	}
}

enum promptchar_script
promptchar_script(uint32_t cp)
{
	if (cp < 0x80)
		return (cp | 32) >= 'a' && (cp | 32) <= 'z' ?
		    PROMPTCHAR_LATIN : PROMPTCHAR_NONE;
	if (cp < 0xc0 || cp == 0xd7 || cp == 0xf7)
		return PROMPTCHAR_NONE;
	if (cp <= 0x24f || (cp >= 0x1e00 && cp <= 0x1eff))
		return PROMPTCHAR_LATIN;
	if (cp >= 0x370 && cp <= 0x3ff)
		return PROMPTCHAR_GREEK;
	if (cp >= 0x400 && cp <= 0x52f)
		return PROMPTCHAR_CYRILLIC;
	if (cp >= 0x531 && cp <= 0x587)
		return PROMPTCHAR_ARMENIAN;
	if (cp >= 0x590 && cp <= 0x1fff)
		return PROMPTCHAR_OTHER;
	if ((cp >= 0x3041 && cp <= 0xd7ff) || (cp >= 0xf900 && cp <= 0xfdff) ||
	    (cp >= 0x20000 && cp <= 0x3ffff))
		return PROMPTCHAR_OTHER;
	return PROMPTCHAR_NONE;
}

bool
promptchar_rtl(uint32_t cp)
{
	return (cp >= 0x590 && cp <= 0x8ff && cp != 0x61c) ||
	    (cp >= 0xfb1d && cp <= 0xfdff) || (cp >= 0xfe70 && cp <= 0xfefc);
}

static bool
invisible(uint32_t cp)
{
	static const struct range r[] = {
		{0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c},
		{0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180e, 0x180e},
		{0x200b, 0x200d}, {0x202a, 0x202e}, {0x2060, 0x2064},
		{0x2066, 0x2069}, {0x3164, 0x3164}, {0xfe00, 0xfe0f},
		{0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xe0000, 0xe007f},
		{0xe0100, 0xe01ef},
	};

	return cp >= 0xad && WITHIN(r, cp);
}

/* Joiners, selectors: spelling behind what they belong to. */
static bool
joins(uint32_t cp, uint32_t before)
{
	bool emoji = before >= 0x2100 || before == '#' || before == '*' ||
	    (before >= '0' && before <= '9') || before == 0xa9 ||
	    before == 0xae || before == 0x203c || before == 0x2049;

	switch (cp) {
	case 0x200d:
		return emoji || (before >= 0x600 && before <= 0xfff);
	case 0x200c:
		return before >= 0x600 && before <= 0x10ff;
	case 0x200b: case 0x2060:
		return promptchar_alone(before);
	case 0x180e:
		return before >= 0x1800 && before <= 0x18af;
	case 0x115f: case 0x1160: case 0x3164: case 0xffa0:
		return before >= 0x1100;
	case 0x17b4: case 0x17b5:
		return before >= 0x1780 && before <= 0x17ff;
	default:
		break;
	}
	if (cp >= 0xfe00 && cp <= 0xfe0f)
		return emoji || (before >= 0x1800 && before <= 0x18af);
	if (cp >= 0xe0100)
		return before >= 0x3400;
	if (cp >= 0xe0000)
		return before == 0x1f3f4 || before >= 0xe0000;
	return false;
}

bool
promptchar_odd(uint32_t cp, uint32_t before, bool rtl)
{
	if (cp < 0x20)
		return cp != '\t' && cp != '\n' && cp != '\r';
	if (cp == 0x7f)
		return true;
	if (!invisible(cp))
		return false;
	if (cp == 0xfeff && before == 0)
		return false;	/* a byte order mark where it belongs */
	if (rtl && (cp == 0x61c || (cp >= 0x202a && cp <= 0x202e) ||
	    (cp >= 0x2066 && cp <= 0x2069)))
		return false;
	return !joins(cp, before);
}

size_t
promptchar_put(uint8_t *dst, uint32_t cp)
{
	if (cp < 0x80) {
		dst[0] = (uint8_t)cp;
		return 1;
	}
	if (cp < 0x800) {
		dst[0] = (uint8_t)(0xc0 | cp >> 6);
		dst[1] = (uint8_t)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		dst[0] = (uint8_t)(0xe0 | cp >> 12);
		dst[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
		dst[2] = (uint8_t)(0x80 | (cp & 0x3f));
		return 3;
	}
	dst[0] = (uint8_t)(0xf0 | cp >> 18);
	dst[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
	dst[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
	dst[3] = (uint8_t)(0x80 | (cp & 0x3f));
	return 4;
}
