#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/finding.h"
#include "analyzer/weights.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/format.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * The deep pass over bytes of any type: two runs say the same, places lie
 * inside of the tensor, what is carved is not empty and not longer than the
 * tensor has bytes.  The first byte chooses the type, the second how often the
 * rest is repeated (tests want thousands of elements).
 */
struct told {
	uint64_t hash, len;
	unsigned findings;
};

static void
mix(struct told *t, const void *p, size_t n)
{
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++)
		t->hash = (t->hash ^ s[i]) * 1099511628211ULL;
}

static int
on_finding(void *ctx, const struct finding *f)
{
	struct told *t = ctx;

	if (f->off > t->len || f->len > t->len - f->off) {
		(void)fprintf(stderr, "%s lies outside\n",
		    finding_info(f->id)->name);
		abort();
	}
	mix(t, &f->id, sizeof(f->id));
	mix(t, &f->off, sizeof(f->off));
	mix(t, &f->len, sizeof(f->len));
	for (unsigned i = 0; i < f->ndetails; i++)
		if (f->details[i].text != NULL)
			mix(t, f->details[i].text, f->details[i].len);
	t->findings++;
	return 0;
}

static int
on_member(void *ctx, const struct ev_member *m)
{
	struct told *t = ctx;
	uint8_t b;

	if (m->size == 0 || m->size > t->len ||
	    bytesrc_size(m->src) != m->size ||
	    bytesrc_read(m->src, m->size - 1, &b, 1, NULL) < 0)
		abort();
	mix(t, m->name, m->name_len);
	mix(t, &b, 1);
	return 0;
}

static struct told
pass(const uint8_t *p, size_t n, const char *dtype)
{
	static const struct weights_events ev = {on_finding, on_member};
	struct told t = {14695981039346656037ULL, n, 0};
	struct err e = ERR_INIT;
	struct weights *w = weights_new(&ev, &t, WEIGHTS_ALL, &e);
	struct bytesrc *src = bytesrc_mem(p, n, &e);
	struct weights_tensor x = {.name = "w", .name_len = 1,
	    .dtype = dtype, .src = src, .len = n, .row = 64};

	if (w == NULL || src == NULL || weights_tensor(w, &x, &e) < 0 ||
	    weights_end(w, &e) < 0)
		abort();
	bytesrc_free(src);
	weights_free(w);
	return t;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const types[] = {"F32", "F16", "BF16", "F64", "U8",
	    "I32", "I64", "F8_E4M3"};
	struct told first, second;
	size_t times, len;
	uint8_t *all;

	if (n < 3)
		return 0;
	len = n - 2;
	times = 1 + p[1] % 8 * (16384 / len);
	if ((all = malloc(len * times)) == NULL)
		return 0;
	for (size_t i = 0; i < times; i++)
		memcpy(all + i * len, p + 2, len);
	first = pass(all, len * times, types[p[0] % 8]);
	second = pass(all, len * times, types[p[0] % 8]);
	free(all);
	if (first.hash != second.hash || first.findings != second.findings) {
		(void)fprintf(stderr, "two runs differ\n");
		abort();
	}
	return 0;
}
