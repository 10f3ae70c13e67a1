#include <string.h>

#include "analyzer/srcdigest.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/anydigest.h"
#include "custody/digest.h"
#include "formats/reg/reg.h"

int
srcdigest(const struct bytesrc *src, uint8_t ret[32], struct err *e)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	uint64_t off = 0, size = bytesrc_size(src);
	struct digest *d;
	struct digests out;
	int r = 0;
	size_t n;

	if ((d = digest_new(DIGEST_SHA256, e)) == NULL)
		return ERR_CRYPTO;
	while (off < size && r >= 0) {
		n = size - off < sizeof(chunk) ? (size_t)(size - off) :
		    sizeof(chunk);
		if ((r = bytesrc_read(src, off, chunk, n, e)) >= 0)
			r = digest_put(d, chunk, n, e);
		off += n;
	}
	if (r >= 0 && (r = digest_now(d, &out, e)) >= 0)
		memcpy(ret, out.sha256, 32);
	digest_free(d);
	return r;
}

_Static_assert((int)ANYDIGEST_SHA256 == REG_SHA256 &&
    (int)ANYDIGEST_SHA512 == REG_SHA512 &&
    (int)ANYDIGEST_SHA1 == REG_SHA1 && (int)ANYDIGEST_MD5 == REG_MD5 &&
    (int)ANYDIGEST_BLAKE2B == REG_BLAKE2B, "the two name the same digests");

int
srcdigest_any(unsigned a, const void *prefix, size_t n,
    const struct bytesrc *src, uint8_t out[64], struct err *e)
{
	return a < ANYDIGEST_COUNT ? anydigest_source((enum anydigest)a,
	    prefix, n, src, out, e) :
	    err_set(e, ERR_UNSUPPORTED, "unknown digest");
}
