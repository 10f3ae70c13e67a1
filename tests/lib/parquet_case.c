#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/lib/make.h"
#include "tests/lib/parquet_case.h"
#include "tests/lib/rows_case.h"

struct parquet_make parquet_case;

struct buf *
parquet_case_buf(void)
{
	static struct buf bufs[16];
	static unsigned at;
	struct buf *b = &bufs[at++ % 16];

	buf_release(b);
	buf_init(b, 1 << 20);
	return b;
}

struct make_page
parquet_case_data(int64_t values, int encoding, const struct buf *b)
{
	return (struct make_page){.values = values, .encoding = encoding,
	    .p = b->p, .n = b->len};
}

void
parquet_case_column(const struct make_node *leaf,
    const struct make_page *page, int codec, int64_t rows)
{
	static struct make_node node[2];

	node[0] = (struct make_node){"schema", -1, 0, 1, -1, 0, 0, 0, 0};
	node[1] = *leaf;
	parquet_make_begin(&parquet_case, node, 2);
	(void)parquet_make_chunk(&parquet_case, codec);
	parquet_make_page(&parquet_case, page);
	parquet_make_group(&parquet_case, rows);
	parquet_make_end(&parquet_case);
}

/* A line without its first ${n} words. */
static const char *
behind(const char *line, unsigned n)
{
	while (n-- > 0)
		line = strchr(line, ' ') + 1;
	return line;
}

static char *
transcript(bool told)
{
	const struct buf *out = &parquet_case.out;
	struct rows_case_file f = {"a.parquet", out->p, out->len};
	char *all = rows_case_text("parquet", &f, 1, 0), *line, *end, *ret;
	const char *why;
	struct buf b;

	if (!rows_case_laws("parquet", &f, 1, 0, &why) ||
	    !rows_case_laws("parquet", &f, 1, 3, &why))
		fail_msg("%s", why);
	buf_init(&b, 1 << 20);
	for (line = all; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		if (line[0] == '!')
			buf_puts(&b, told ? "" : "! ");
		else if (told)
			continue;
		buf_puts(&b, behind(line, line[0] == '!' ? 3 :
		    line[0] == '=' ? 0 : 4));
		buf_putc(&b, '\n');
	}
	free(all);
	ret = strdup(buf_str(&b));
	buf_release(&b);
	return ret;
}

static void
compare(bool told, const char *want)
{
	char *got = transcript(told);

	assert_string_equal(got, want == NULL ? "" : want);
	free(got);
	parquet_make_release(&parquet_case);
}

void
parquet_case_check(const char *want)
{
	compare(false, want);
}

void
parquet_case_told(const char *want)
{
	compare(true, want);
}

/* --- the sample --- */

static const struct make_node sample[] = {
	{"schema", -1, 0, 3, -1, 0, 0, 0, 0},
	{"id", INT64, 0, 0, -1, 0, 0, 0, 0},
	{"text", BYTES, 1, 0, 0, 0, 0, 0, 0},
	{"tags", -1, 1, 1, 3, 0, 0, 0, 0},
	{"list", -1, 2, 1, -1, 0, 0, 0, 0},
	{"element", -1, 1, 2, -1, 0, 0, 0, 0},
	{"name", BYTES, 1, 0, 0, 0, 0, 0, 0},
	{"n", INT32, 0, 0, -1, 0, 0, 0, 0},
};

static void
put_levels(struct make_page *p, const uint32_t *rep, const uint32_t *def,
    size_t n, unsigned width)
{
	struct buf *r = parquet_case_buf(), *d = parquet_case_buf();

	if (rep != NULL) {
		make_hybrid(r, rep, n, 1, false);
		p->rep = r;
	}
	make_hybrid(d, def, n, width, true);
	p->def = d;
}

/* Rows 0 to 3: [{a,1},null], null, [], [{null,2}]. */
static void
put_nested(int type)
{
	static const uint32_t rep[] = {0, 1, 0, 0, 0};
	static const uint32_t name[] = {4, 2, 0, 1, 3};
	static const uint32_t number[] = {3, 2, 0, 1, 3};
	struct buf *a = parquet_case_buf(), *b = parquet_case_buf();
	struct make_page p;

	make_strings(a, (const char *const[]){"a"}, 1);
	p = parquet_case_data(5, PLAIN, a);
	p.type = type;
	p.rows = 4;
	p.nulls = 4;
	put_levels(&p, rep, name, 5, 3);
	(void)parquet_make_chunk(&parquet_case, 0);
	parquet_make_page(&parquet_case, &p);
	make_delta(b, (const int64_t[]){1, 2}, 2);
	p = parquet_case_data(5, DELTA, b);
	p.type = type;
	p.rows = 4;
	p.nulls = 3;
	p.crc = true;
	put_levels(&p, rep, number, 5, 2);
	(void)parquet_make_chunk(&parquet_case, 1);
	parquet_make_page(&parquet_case, &p);
}

void
parquet_case_sample(void)
{
	static const uint32_t def[] = {1, 0, 1, 1}, at[] = {1, 0, 1};
	struct buf *ids = parquet_case_buf(), *words = parquet_case_buf();
	struct buf *b = parquet_case_buf();
	struct make_page p;

	make_delta(ids, (const int64_t[]){10, 11, 12, 13}, 4);
	make_strings(words, (const char *const[]){"yes", "no"}, 2);
	buf_putc(b, 1);
	make_hybrid(b, at, 3, 1, false);
	parquet_make_begin(&parquet_case, sample, 8);
	for (int type = 0; type <= 3; type += 3) {
		(void)parquet_make_chunk(&parquet_case, 0);
		p = parquet_case_data(4, DELTA, ids);
		parquet_make_page(&parquet_case, &p);
		(void)parquet_make_chunk(&parquet_case, 6);
		p = parquet_case_data(2, PLAIN, words);
		p.type = 2;
		parquet_make_page(&parquet_case, &p);
		p = parquet_case_data(4, RLE_DICT, b);
		p.type = type;
		p.rows = 4;
		p.nulls = 1;
		put_levels(&p, NULL, def, 4, 1);
		parquet_make_page(&parquet_case, &p);
		put_nested(type);
		parquet_make_group(&parquet_case, 4);
	}
	parquet_make_end(&parquet_case);
}
