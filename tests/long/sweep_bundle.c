#include "base/arena.h"
#include "custody/evidence_read.h"
#include "custody/tarhdr.h"
#include "tests/unit/bundle_fixture.h"

/*
 * The exhaustive sweep over a small sealed bundle: every single-bit flip,
 * every truncation, every extension by 1 to 2048 bytes of 00 and FF, every
 * member left out, doubled, and exchanged with every other.  Each must make
 * verification fail (exit code 3: a statement fails, not merely "not
 * checked").  Prints one line for each kind; exit 0 if nothing passed.
 */
#define MEMBERS 40
#define MORE 2048

struct sweep {
	struct bundle_keys keys;
	struct bundle b;
	struct verify *v;
	uint8_t *scratch;		/* twice the bundle, and MORE */
	size_t off[MEMBERS + 1];	/* where members start; the end */
	size_t members;
	uint64_t cases, undetected, unchanged, all_undetected;
};

static void
try_bytes(struct sweep *s, const uint8_t *p, size_t n)
{
	struct verify_result r;

	s->cases++;
	if (n == s->b.n && memcmp(p, s->b.p, n) == 0)
		s->unchanged++;
	else if (bundle_verify(s->v, p, n, &s->keys, &r) != 3)
		s->undetected++;
}

static void
report(struct sweep *s, const char *what)
{
	(void)printf("%s %llu, undetected %llu\n", what,
	    (unsigned long long)s->cases, (unsigned long long)s->undetected);
	(void)fflush(stdout);
	MUST(s->cases > 0 && s->unchanged == 0);
	s->all_undetected += s->undetected;
	s->cases = s->undetected = 0;
}

static void
flips(struct sweep *s)
{
	uint8_t *p = s->scratch;

	memcpy(p, s->b.p, s->b.n);
	for (size_t i = 0; i < s->b.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			p[i] = (uint8_t)(s->b.p[i] ^ 1U << bit);
			try_bytes(s, p, s->b.n);
			p[i] = s->b.p[i];
		}
	report(s, "flips");
}

static void
truncations(struct sweep *s)
{
	for (size_t n = 0; n < s->b.n; n++)
		try_bytes(s, s->b.p, n);
	report(s, "truncations");
}

static void
extensions(struct sweep *s)
{
	memcpy(s->scratch, s->b.p, s->b.n);
	for (unsigned fill = 0; fill < 256; fill += 255) {
		memset(s->scratch + s->b.n, (int)fill, MORE);
		for (size_t n = 1; n <= MORE; n++)
			try_bytes(s, s->scratch, s->b.n + n);
	}
	report(s, "extensions");
}

static void
find_members(struct sweep *s)
{
	struct bytesrc *src = bytesrc_mem(s->b.p, s->b.n, NULL);
	struct arena *a = arena_new(MIB);
	struct evidence_walk *w;
	struct evidence_member m;

	MUST(src != NULL && a != NULL);
	MUST(evidence_walk_new(src, a, &w, NULL) == 0);
	while (evidence_walk_next(w, &m, NULL) > 0) {
		MUST(s->members < MEMBERS);
		s->off[s->members++] = (size_t)m.header_offset;
		s->off[s->members] = (size_t)(m.data_offset + m.size +
		    tarhdr_padding(m.size));
	}
	MUST(s->off[s->members] + 1024 == s->b.n);
	arena_free(a);
	bytesrc_free(src);
}

static size_t
append(struct sweep *s, size_t at, size_t member)
{
	size_t n = s->off[member + 1] - s->off[member];

	memcpy(s->scratch + at, s->b.p + s->off[member], n);
	return at + n;
}

static void
try_end(struct sweep *s, size_t at)
{
	memset(s->scratch + at, 0, 1024);
	try_bytes(s, s->scratch, at + 1024);
}

static void
deletions(struct sweep *s)
{
	size_t at;

	for (size_t gone = 0; gone < s->members; gone++) {
		at = 0;
		for (size_t i = 0; i < s->members; i++)
			if (i != gone)
				at = append(s, at, i);
		try_end(s, at);
	}
	report(s, "deletions");
}

static void
duplications(struct sweep *s)
{
	size_t at;

	/* Each member once more, at every place. */
	for (size_t twice = 0; twice < s->members; twice++)
		for (size_t where = 0; where <= s->members; where++) {
			at = 0;
			for (size_t i = 0; i <= s->members; i++) {
				if (i == where)
					at = append(s, at, twice);
				if (i < s->members)
					at = append(s, at, i);
			}
			try_end(s, at);
		}
	report(s, "duplications");
}

static void
swaps(struct sweep *s)
{
	size_t at;

	for (size_t a = 0; a < s->members; a++)
		for (size_t b = a + 1; b < s->members; b++) {
			at = 0;
			for (size_t i = 0; i < s->members; i++)
				at = append(s, at,
				    i == a ? b : i == b ? a : i);
			try_end(s, at);
		}
	report(s, "swaps");
}

int
main(void)
{
	struct sweep s = {0};
	struct verify_result r;

	bundle_keys_make(&s.keys);
	bundle_make(&s.b, &s.keys, DIGEST_SHA256, true);
	MUST(verify_prepare(&s.v, NULL) == 0);
	MUST((s.scratch = malloc(2 * s.b.n + MORE)) != NULL);
	MUST(bundle_verify(s.v, s.b.p, s.b.n, &s.keys, &r) == 0);
	find_members(&s);
	(void)printf("a bundle of %zu bytes, %zu members\n", s.b.n,
	    s.members);
	flips(&s);
	truncations(&s);
	extensions(&s);
	deletions(&s);
	duplications(&s);
	swaps(&s);
	verify_done(s.v);
	free(s.scratch);
	bundle_release(&s.b);
	bundle_keys_release(&s.keys);
	return s.all_undetected == 0 ? 0 : 1;
}
