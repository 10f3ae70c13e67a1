#include <string.h>

#include "base/err.h"
#include "custody/digest.h"
#include "custody/merkle.h"

void
merkle_init(struct merkle *m)
{
	memset(m, 0, sizeof(*m));
}

static int
hash2(uint8_t ret[32], uint8_t prefix, const void *a, size_t an,
    const void *b, size_t bn, struct err *e)
{
	struct digests out;
	struct digest *d;
	int r;

	if ((d = digest_new(DIGEST_SHA256, e)) == NULL)
		return ERR_CRYPTO;
	if ((r = digest_put(d, &prefix, 1, e)) >= 0 &&
	    (r = digest_put(d, a, an, e)) >= 0 &&
	    (r = digest_put(d, b, bn, e)) >= 0 &&
	    (r = digest_now(d, &out, e)) >= 0)
		memcpy(ret, out.sha256, 32);
	digest_free(d);
	return r;
}

int
merkle_leaf(uint8_t ret[32], const void *p, size_t n, struct err *e)
{
	return hash2(ret, 0x00, p, n, "", 0, e);
}

int
merkle_node(uint8_t ret[32], const uint8_t l[32], const uint8_t r[32],
    struct err *e)
{
	return hash2(ret, 0x01, l, 32, r, 32, e);
}

/*
 * sub[i] is the root of a perfect subtree of 2^i leaves where bit i of size
 * is set: adding a leaf is adding one to a binary number.
 */
int
merkle_add(struct merkle *m, const uint8_t leaf[32], struct err *e)
{
	uint8_t h[32];
	unsigned i;
	int r;

	memcpy(h, leaf, 32);
	for (i = 0; (m->size >> i & 1) != 0; i++)
		if ((r = merkle_node(h, m->sub[i], h, e)) < 0)
			return r;
	memcpy(m->sub[i], h, 32);
	m->size++;
	return 0;
}

int
merkle_root(const struct merkle *m, uint8_t ret[32], struct err *e)
{
	struct digests empty;
	uint8_t h[32];
	bool any = false;
	int r;

	if (m->size == 0) {
		if ((r = digest_mem("", 0, DIGEST_SHA256, &empty, e)) < 0)
			return r;
		memcpy(ret, empty.sha256, 32);
		return 0;
	}
	for (unsigned i = 0; i < 64; i++) {
		if ((m->size >> i & 1) == 0)
			continue;
		if (!any)
			memcpy(h, m->sub[i], 32);
		else if ((r = merkle_node(h, m->sub[i], h, e)) < 0)
			return r;
		any = true;
	}
	memcpy(ret, h, 32);
	return 0;
}
