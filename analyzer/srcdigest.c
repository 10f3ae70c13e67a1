#include <string.h>

#include "analyzer/srcdigest.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/digest.h"

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
