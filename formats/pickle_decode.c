#include <string.h>

#include "formats/pickle_decode.h"

static const struct {
	const char *name;	/* lower case, without "-", "_" and blanks */
	enum pickle_codec decode, encode;
	bool encodes;
} codecs[] = {
    {"utf8", PICKLE_SAME, PICKLE_SAME, true},
    {"u8", PICKLE_SAME, PICKLE_SAME, true},
    {"utf", PICKLE_SAME, PICKLE_SAME, true},
    {"ascii", PICKLE_SAME, PICKLE_SAME, true},
    {"usascii", PICKLE_SAME, PICKLE_SAME, true},
    {"utf8sig", PICKLE_SAME, PICKLE_SAME, true},
    {"cp1252", PICKLE_LATIN1_TO_UTF8, PICKLE_UTF8_TO_LATIN1, true},
    {"latin1", PICKLE_LATIN1_TO_UTF8, PICKLE_UTF8_TO_LATIN1, true},
    {"latin", PICKLE_LATIN1_TO_UTF8, PICKLE_UTF8_TO_LATIN1, true},
    {"l1", PICKLE_LATIN1_TO_UTF8, PICKLE_UTF8_TO_LATIN1, true},
    {"iso88591", PICKLE_LATIN1_TO_UTF8, PICKLE_UTF8_TO_LATIN1, true},
    {"utf16", PICKLE_UTF16, PICKLE_SAME, false},
    {"utf16le", PICKLE_UTF16, PICKLE_SAME, false},
    {"utf16be", PICKLE_UTF16BE, PICKLE_SAME, false},
    {"utf32", PICKLE_UTF32, PICKLE_SAME, false},
    {"utf32le", PICKLE_UTF32, PICKLE_SAME, false},
    {"unicodeescape", PICKLE_ESCAPES, PICKLE_SAME, true},
    {"rawunicodeescape", PICKLE_ESCAPES, PICKLE_SAME, true},
    {"stringescape", PICKLE_ESCAPES, PICKLE_SAME, true},
    {"rot13", PICKLE_ROT13, PICKLE_ROT13, true},
    {"hex", PICKLE_HEX, PICKLE_SAME, false},
    {"hexcodec", PICKLE_HEX, PICKLE_SAME, false},
    {"base64", PICKLE_BASE64, PICKLE_SAME, false},
    {"base64codec", PICKLE_BASE64, PICKLE_SAME, false},
    {"zlib", PICKLE_ZLIB, PICKLE_SAME, false},
    {"zip", PICKLE_ZLIB, PICKLE_SAME, false},
    {"zlibcodec", PICKLE_ZLIB, PICKLE_SAME, false},
};

bool
pickle_codec_named(const char *name, size_t n, bool encode,
    enum pickle_codec *ret)
{
	char plain[24];
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		char c = name[i];

		if (c == '-' || c == '_' || c == ' ')
			continue;
		if (m + 1 == sizeof(plain))
			return false;
		plain[m++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	plain[m] = '\0';
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (strcmp(plain, codecs[i].name) == 0 &&
		    (!encode || codecs[i].encodes)) {
			*ret = encode ? codecs[i].encode : codecs[i].decode;
			return true;
		}
	return false;
}

bool
pickle_codec_of_bytes(enum pickle_codec c)
{
	return c == PICKLE_HEX || c == PICKLE_BASE64 || c == PICKLE_ZLIB;
}

size_t
pickle_put_utf8(char *dst, uint32_t cp)
{
	if (cp < 0x80) {
		dst[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		dst[0] = (char)(0xc0 | cp >> 6);
		dst[1] = (char)(0x80 | (cp & 63));
		return 2;
	}
	if (cp < 0x10000) {
		dst[0] = (char)(0xe0 | cp >> 12);
		dst[1] = (char)(0x80 | (cp >> 6 & 63));
		dst[2] = (char)(0x80 | (cp & 63));
		return 3;
	}
	dst[0] = (char)(0xf0 | cp >> 18);
	dst[1] = (char)(0x80 | (cp >> 12 & 63));
	dst[2] = (char)(0x80 | (cp >> 6 & 63));
	dst[3] = (char)(0x80 | (cp & 63));
	return 4;
}

size_t
pickle_decode_max(enum pickle_codec c, size_t n)
{
	return c == PICKLE_LATIN1_TO_UTF8 || c == PICKLE_UTF16 ||
	    c == PICKLE_UTF16BE || c == PICKLE_ESCAPES ? 2 * n + 4 : n + 8;
}

static int
digit(char c, unsigned base)
{
	int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ?
	    c - 'a' + 10 : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;

	return v < (int)base ? v : -1;
}

static bool
from_hex(const char *p, size_t n, char *dst, size_t *out)
{
	int hi = -1, d;

	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == ' ' || p[i] == '\n' || p[i] == '\t')
			continue;
		if ((d = digit(p[i], 16)) < 0)
			return false;
		if (hi < 0) {
			hi = d;
		} else {
			dst[(*out)++] = (char)(uint8_t)(hi * 16 + d);
			hi = -1;
		}
	}
	return hi < 0;
}

/* Groups of bits, most significant first: base 64 and base 32. */
static bool
from_bits(const char *p, size_t n, unsigned width, char *dst, size_t *out)
{
	static const char letters64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
	    "mnopqrstuvwxyz0123456789+/", letters32[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const char *letters = width == 6 ? letters64 : letters32, *hit;
	uint32_t acc = 0;
	unsigned bits = 0;
	char c;

	*out = 0;
	for (size_t i = 0; i < n && p[i] != '='; i++) {
		c = p[i] == '-' ? '+' : p[i] == '_' ? '/' : p[i];
		if (width == 5 && c >= 'a' && c <= 'z')
			c = (char)(c - 32);
		if (c == '\0' || (hit = strchr(letters, c)) == NULL)
			continue;
		acc = acc << width | (uint32_t)(hit - letters);
		if ((bits += width) >= 8) {
			bits -= 8;
			dst[(*out)++] = (char)(uint8_t)(acc >> bits);
		}
	}
	return *out > 0;
}

/* Five digits of base 85 to four bytes; a short group is padded with 84. */
static bool
from_85(const char *p, size_t n, bool ascii85, char *dst, size_t *out)
{
	static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
	    "ghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
	uint64_t acc = 0;
	unsigned have = 0, d;
	const char *hit;

	*out = 0;
	for (size_t i = 0; i <= n; i++) {
		if (i == n) {
			if (have == 0)
				break;
			d = 84;
		} else if (ascii85) {
			if (p[i] < '!' || p[i] > 'u')
				continue;
			d = (unsigned)(p[i] - '!');
		} else {
			if (p[i] == '\0' ||
			    (hit = strchr(letters, p[i])) == NULL)
				return false;
			d = (unsigned)(hit - letters);
		}
		acc = acc * 85 + d;
		if (++have < 5 && i < n)
			continue;
		for (unsigned k = have; k < 5 && i == n; k++)
			acc = acc * 85 + 84;
		for (unsigned k = 0; k < (i == n ? have - 2 : 4) && k < 4;
		    k++)
			dst[(*out)++] = (char)(uint8_t)(acc >> (24 - 8 * k));
		acc = 0;
		have = 0;
	}
	return true;
}

static bool
from_utf16(const char *p, size_t n, bool big, char *dst, size_t *out)
{
	uint32_t unit, high = 0;

	*out = 0;
	for (size_t i = 0; i + 1 < n; i += 2) {
		unit = big ? (uint32_t)((uint8_t)p[i] << 8 |
		    (uint8_t)p[i + 1]) : (uint32_t)((uint8_t)p[i + 1] << 8 |
		    (uint8_t)p[i]);
		if (i == 0 && unit == 0xfeff)
			continue;
		if (unit >= 0xd800 && unit < 0xdc00) {
			high = unit;
			continue;
		}
		if (high != 0 && unit >= 0xdc00 && unit < 0xe000)
			unit = 0x10000 + ((high - 0xd800) << 10) +
			    (unit - 0xdc00);
		high = 0;
		*out += pickle_put_utf8(dst + *out, unit);
	}
	return n % 2 == 0;
}

static bool
from_utf32(const char *p, size_t n, char *dst, size_t *out)
{
	uint32_t cp;

	*out = 0;
	for (size_t i = 0; i + 3 < n; i += 4) {
		cp = (uint32_t)(uint8_t)p[i] | (uint32_t)(uint8_t)p[i + 1] << 8 |
		    (uint32_t)(uint8_t)p[i + 2] << 16 |
		    (uint32_t)(uint8_t)p[i + 3] << 24;
		if (cp > 0x10ffff)
			return false;
		if (i > 0 || cp != 0xfeff)
			*out += pickle_put_utf8(dst + *out, cp);
	}
	return n % 4 == 0;
}

/* \xHH, \uHHHH, \UHHHHHHHH, octal, and the letters. */
static bool
from_escapes(const char *p, size_t n, char *dst, size_t *out)
{
	static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
	const char *hit;
	uint32_t cp;
	size_t digits, base;

	*out = 0;
	for (size_t i = 0; i < n;) {
		if (p[i] != '\\' || i + 1 == n) {
			dst[(*out)++] = p[i++];
			continue;
		}
		i++;
		if (p[i] != '\0' && (hit = strchr(from, p[i])) != NULL) {
			dst[(*out)++] = to[hit - from];
			i++;
			continue;
		}
		base = digit(p[i], 8) >= 0 ? 8 : 16;
		digits = p[i] == 'x' ? 2 : p[i] == 'u' ? 4 : p[i] == 'U' ? 8 :
		    base == 8 ? 3 : 0;
		if (digits == 0)
			return false;
		i += base == 16;
		cp = 0;
		for (; digits > 0 && i < n && digit(p[i], (unsigned)base) >= 0;
		    digits--, i++)
			cp = cp * (uint32_t)base +
			    (uint32_t)digit(p[i], (unsigned)base);
		if (cp > 0x10ffff)
			return false;
		*out += pickle_put_utf8(dst + *out, cp);
	}
	return true;
}

static void
rot13(const char *p, size_t n, char *dst)
{
	for (size_t i = 0; i < n; i++) {
		char c = p[i], low = (char)(c | 32);

		if (low >= 'a' && low <= 'm')
			c = (char)(c + 13);
		else if (low >= 'n' && low <= 'z')
			c = (char)(c - 13);
		dst[i] = c;
	}
}

static void
from_percent(const char *p, size_t n, char *dst, size_t *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '%' && n - i > 2 && digit(p[i + 1], 16) >= 0 &&
		    digit(p[i + 2], 16) >= 0) {
			dst[(*out)++] = (char)(uint8_t)(digit(p[i + 1], 16) *
			    16 + digit(p[i + 2], 16));
			i += 2;
		} else {
			dst[(*out)++] = p[i];
		}
	}
}

static bool
to_latin1(const char *p, size_t n, char *dst, size_t *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)p[i];

		if (c >= 0xc2 && c <= 0xc3 && i + 1 < n)
			c = (uint8_t)(c << 6 | ((uint8_t)p[++i] & 63));
		else if (c >= 0x80)
			return false;
		dst[(*out)++] = (char)c;
	}
	return true;
}

bool
pickle_decode(enum pickle_codec c, const char *p, size_t n, char *dst,
    size_t *out)
{
	*out = n;
	switch (c) {
	case PICKLE_SAME:
		memcpy(dst, p, n);
		return true;
	case PICKLE_LATIN1_TO_UTF8:
		*out = 0;
		for (size_t i = 0; i < n; i++)
			*out += pickle_put_utf8(dst + *out, (uint8_t)p[i]);
		return true;
	case PICKLE_UTF8_TO_LATIN1:
		return to_latin1(p, n, dst, out);
	case PICKLE_UTF16:
		return from_utf16(p, n, false, dst, out);
	case PICKLE_UTF16BE:
		return from_utf16(p, n, true, dst, out);
	case PICKLE_UTF32:
		return from_utf32(p, n, dst, out);
	case PICKLE_ESCAPES:
		return from_escapes(p, n, dst, out);
	case PICKLE_ROT13:
		rot13(p, n, dst);
		return true;
	case PICKLE_HEX:
		return from_hex(p, n, dst, out);
	case PICKLE_BASE64:
		return from_bits(p, n, 6, dst, out);
	case PICKLE_BASE32:
		return from_bits(p, n, 5, dst, out);
	case PICKLE_BASE85:
		return from_85(p, n, false, dst, out);
	case PICKLE_ASCII85:
		return from_85(p, n, true, dst, out);
	case PICKLE_PERCENT:
		from_percent(p, n, dst, out);
		return true;
	case PICKLE_ZLIB:
		break;
	}
	return false;
}
