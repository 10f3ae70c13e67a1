#ifndef FORMATS_PICKLE_DECODE_H_
#define FORMATS_PICKLE_DECODE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The text codecs that Python's codecs, base64, binascii and urllib.parse
 * offer for writing bytes as other bytes (RFC 4648, RFC 1924 for base 85,
 * RFC 3986 section 2.1), over ASCII and UTF-8 memory.
 */
enum pickle_codec {
	PICKLE_SAME,		/* ASCII, UTF-8 */
	PICKLE_LATIN1_TO_UTF8,
	PICKLE_UTF8_TO_LATIN1,
	PICKLE_UTF16,		/* a byte order mark, or little endian */
	PICKLE_UTF16BE,
	PICKLE_UTF32,
	PICKLE_ESCAPES,		/* unicode_escape and its kin */
	PICKLE_ROT13,
	PICKLE_HEX,
	PICKLE_BASE64,		/* both alphabets; what is foreign is skipped */
	PICKLE_BASE32,
	PICKLE_BASE85,
	PICKLE_ASCII85,
	PICKLE_PERCENT,
	PICKLE_ZLIB,		/* by name alone: not decoded here */
};

/*
 * pickle_codec_named: the codec of codecs.encode(x, name) or, if not
 * ${encode}, codecs.decode(x, name); false when it is none of ours.
 */
bool pickle_codec_named(const char *name, size_t n, bool encode,
    enum pickle_codec *ret);
/* Does decoding with it give bytes (not text)? */
bool pickle_codec_of_bytes(enum pickle_codec c);

/*
 * pickle_decode: n bytes to ${dst}, which has room for pickle_decode_max; *out
 * is how many they became.  False when the codec refuses them.
 */
size_t pickle_decode_max(enum pickle_codec c, size_t n);
bool pickle_decode(enum pickle_codec c, const char *p, size_t n, char *dst,
    size_t *out);

/* pickle_put_utf8: at most 4 bytes; surrogates pass. */
size_t pickle_put_utf8(char *dst, uint32_t cp);

#endif /* !FORMATS_PICKLE_DECODE_H_ */
