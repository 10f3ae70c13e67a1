#include <stdio.h>
#include <string.h>

#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "formats/lfs.h"
#include "formats/reg/claim.h"

static const struct {
	const char *name;
	enum reg_algorithm algorithm;
	size_t size;
} known[] = {
    [CLAIM_NONE] = {"", REG_SHA256, 0},
    [CLAIM_SHA256] = {"sha256", REG_SHA256, 32},
    [CLAIM_SHA512] = {"sha512", REG_SHA512, 64},
    [CLAIM_SHA1] = {"sha1", REG_SHA1, 20},
    [CLAIM_MD5] = {"md5", REG_MD5, 16},
    [CLAIM_BLAKE2B] = {"blake2b", REG_BLAKE2B, 64},
    [CLAIM_GIT] = {"git-sha1", REG_SHA1, 20},
};

const char *
claim_name(enum claim_hash h)
{
	return known[h].name;
}

size_t
claim_digits(enum claim_hash h)
{
	return 2 * known[h].size;
}

bool
claim_is_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(s[i] >= '0' && s[i] <= '9') &&
		    !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	return n > 0;
}

static void
put_hex(char *dst, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = digits[p[i] >> 4];
		dst[2 * i + 1] = digits[p[i] & 15];
	}
	dst[2 * n] = '\0';
}

int
claim_source(struct reg_parse *p, const struct bytesrc *src,
    enum claim_hash h, char hex[CLAIM_HEX])
{
	uint8_t out[64];
	char head[40];
	int n = 0, r;

	if (h == CLAIM_GIT)
		n = snprintf(head, sizeof(head), "blob %llu",
		    (unsigned long long)bytesrc_size(src)) + 1;
	r = p->tree->digest(p->tree->ctx, known[h].algorithm, head,
	    (size_t)n, src, out, p->e);
	if (r >= 0)
		put_hex(hex, out, known[h].size);
	return r < 0 ? r : 0;
}

int
claim_compute(struct reg_parse *p, const struct reg_file *f,
    enum claim_hash h, char hex[CLAIM_HEX])
{
	const struct reg_file *at = reg_follow(p->tree, f);
	struct reg_fact why = {"reason", "it ends early", 13};
	struct bytesrc *src = NULL;
	int r;

	if (h == CLAIM_SHA256 && at != NULL && at->has_sha256) {
		put_hex(hex, at->sha256, 32);
		return 0;
	}
	if ((r = reg_open(p, f, &src)) != 0)
		return r;
	r = claim_source(p, src, h, hex);
	bytesrc_free(src);
	if (r == ERR_TRUNC || r == ERR_IO) {
		err_reset(p->e);
		r = reg_tell(p, REG_PROBLEM_UNREAD, f, &why, 1);
		return r < 0 ? r : 1;
	}
	return r;
}

/* --- pointers of Git LFS --- */

int
claim_pointer(struct reg_parse *p, const struct reg_file *f,
    struct lfs_pointer *ret)
{
	const struct reg_file *at = reg_follow(p->tree, f);
	uint8_t raw[LFS_POINTER_MAX];
	struct cursor c;
	size_t n;
	int r;

	if (at == NULL || at->type != REG_FILE || at->size > sizeof(raw))
		return 0;
	if (at->absent || !reg_peek(p->tree, at, raw, sizeof(raw), &n)) {
		r = reg_unread(p, f, ERR_NOTFOUND);
		return r < 0 ? r : 0;
	}
	cursor_init(&c, raw, n, 0);
	return lfs_pointer(&c, ret);
}

const struct reg_file *
claim_object(struct reg_parse *p, const char oid[65])
{
	static const char *const where[] = {".git/", ""};
	const struct reg_file *f = NULL;
	char rel[128];

	for (size_t i = 0; i < 2 && f == NULL; i++) {
		(void)snprintf(rel, sizeof(rel), "%slfs/objects/%.2s/%.2s/%s",
		    where[i], oid, oid + 2, oid);
		f = reg_at(p, rel);
	}
	return f;
}

/* --- holding the two against each other --- */

static struct reg_fact
text_fact(const char *key, const char *s)
{
	return (struct reg_fact){key, s, strlen(s)};
}

static int
missing(struct reg_parse *p, const struct claim *c, struct reg_row *row)
{
	struct reg_fact fact = {"named", c->name, c->name_len};
	int r;

	reg_set(row, REG_STATUS, "missing");
	r = reg_send(p, row);
	return r < 0 ? r : reg_tell(p, REG_PROBLEM_MISSING, c->by, &fact, 1);
}

static int
not_a_digest(struct reg_parse *p, const struct claim *c)
{
	const struct reg_fact fact[] = {{"named", c->name, c->name_len},
	    {"digest", c->digest, c->digest_len}};

	return reg_tell(p, REG_PROBLEM_MALFORMED, c->by, fact, 2);
}

static int
other_bytes(struct reg_parse *p, const struct reg_file *f,
    const struct claim *c, const char *found)
{
	const struct reg_fact fact[] = {{"registry", c->digest,
	    c->digest_len}, text_fact("found", found),
	    text_fact("algorithm", known[c->hash].name),
	    {"named", c->name, c->name_len}};

	return reg_tell(p, REG_PROBLEM_DIGEST, f, fact,
	    c->name != NULL ? 4 : 3);
}

static int
other_size(struct reg_parse *p, const struct reg_file *f,
    const struct claim *c, uint64_t size)
{
	char said[24], found[24];
	struct reg_fact fact[2];

	(void)snprintf(said, sizeof(said), "%llu",
	    (unsigned long long)c->size);
	(void)snprintf(found, sizeof(found), "%llu",
	    (unsigned long long)size);
	fact[0] = text_fact("registry", said);
	fact[1] = text_fact("found", found);
	return reg_tell(p, REG_PROBLEM_SIZE, f, fact, 2);
}

static int
pointer(struct reg_parse *p, const struct reg_file *f, const char *oid)
{
	struct reg_fact fact = text_fact("sha256", oid);

	return reg_tell(p, REG_PROBLEM_POINTER, f, &fact, 1);
}

static void
describe(const struct reg_file *f, const struct claim *c, struct reg_row *row)
{
	if (f != NULL)
		fields_text(&row->v[REG_MEMBER], f->path, f->path_len);
	if (c->sized)
		fields_u64(&row->v[REG_SIZE], c->size);
	if (c->hash == CLAIM_NONE)
		return;
	reg_set(row, REG_ALGORITHM, known[c->hash].name);
	fields_text(&row->v[REG_DIGEST], c->digest, c->digest_len);
}

int
claim_settle(struct reg_parse *p, const struct reg_file *f,
    const struct claim *c, const char *found, uint64_t size,
    struct reg_row *row)
{
	bool same = true, fits = !c->sized || c->size == size;
	struct lfs_pointer lfs;
	int r;

	describe(f, c, row);
	if (c->hash != CLAIM_NONE) {
		same = strlen(found) == c->digest_len &&
		    memcmp(found, c->digest, c->digest_len) == 0;
		reg_set(row, REG_RECOMPUTED, found);
	}
	fields_bool(&row->v[REG_AGREES], same && fits);
	if ((r = reg_send(p, row)) < 0 || (same && fits))
		return r;
	if ((r = claim_pointer(p, f, &lfs)) != 0)
		return r < 0 ? r : pointer(p, f, lfs.oid);
	return same ? other_size(p, f, c, size) :
	    other_bytes(p, f, c, found);
}

int
claim_check(struct reg_parse *p, const struct reg_file *f,
    const struct claim *c, struct reg_row *row)
{
	const struct reg_file *at = reg_follow(p->tree, f);
	char hex[CLAIM_HEX] = "";
	int r;

	describe(f, c, row);
	if (at == NULL || at->type != REG_FILE)
		return missing(p, c, row);
	if (c->hash != CLAIM_NONE && (c->digest_len !=
	    claim_digits(c->hash) || !claim_is_hex(c->digest,
	    c->digest_len))) {
		r = reg_send(p, row);
		return r < 0 ? r : not_a_digest(p, c);
	}
	if (c->hash != CLAIM_NONE &&
	    (r = claim_compute(p, f, c->hash, hex)) != 0)
		return r < 0 ? r : reg_send(p, row);
	return claim_settle(p, f, c, hex, at->size, row);
}
