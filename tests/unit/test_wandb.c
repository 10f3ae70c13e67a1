#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "tests/lib/reg_case.h"

#define LOG "w/run-1-abc/run-abc.wandb"

/* --- a log of our own: protobuf, chunks of LevelDB, zlib's CRC --- */

static uint32_t
crc32_of(const uint8_t *p, size_t n)
{
	uint32_t c = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (unsigned k = 0; k < 8; k++)
			c = (c >> 1) ^ (0xedb88320 & (0 - (c & 1)));
	}
	return c ^ 0xffffffff;
}

static void
field(struct buf *b, unsigned number, const void *p, size_t n)
{
	unsigned tag = number << 3 | 2;

	if (tag > 127)
		buf_putc(b, (char)((tag & 127) | 128));
	buf_putc(b, (char)(tag > 127 ? tag >> 7 : tag));
	if (n > 127)
		buf_putc(b, (char)((n & 127) | 128));
	buf_putc(b, (char)(n > 127 ? n >> 7 : n));
	buf_put(b, p, n);
}

static void
text(struct buf *b, unsigned number, const char *s)
{
	field(b, number, s, strlen(s));
}

static void
chunk(struct buf *log, uint8_t type, const uint8_t *p, size_t n)
{
	struct buf body;
	uint32_t crc;

	buf_init(&body, MIB);
	buf_putc(&body, (char)type);
	buf_put(&body, p, n);
	crc = crc32_of(body.p, body.len);
	for (unsigned i = 0; i < 4; i++)
		buf_putc(log, (char)(crc >> (8 * i)));
	buf_putc(log, (char)n);
	buf_putc(log, (char)(n >> 8));
	buf_put(log, body.p, body.len);
	buf_release(&body);
}

/* A run, and an artifact with one file, the second in two parts. */
static void
build(struct reg_case *c)
{
	struct buf log, record, run, git, entry, manifest, artifact;

	reg_case_init(c);
	buf_init(&log, MIB);
	buf_init(&record, MIB);
	buf_init(&run, MIB);
	buf_init(&git, MIB);
	buf_init(&entry, MIB);
	buf_init(&manifest, MIB);
	buf_init(&artifact, MIB);
	buf_put(&log, ":W&B\xe1\xbe\0", 7);
	text(&git, 1, "https://git.example/r");
	text(&git, 2, "c0ffee");
	text(&run, 1, "abc");
	text(&run, 2, "acme");
	text(&run, 3, "fraud");
	field(&run, 21, git.p, git.len);
	field(&record, 17, run.p, run.len);
	chunk(&log, 1, record.p, record.len);
	text(&entry, 1, "model.bin");
	/* base64 of the MD5 of "weights" */
	text(&entry, 2, "Y/Tx6bclNw9FlyBXXNX5Uw==");
	field(&manifest, 4, entry.p, entry.len);
	text(&artifact, 4, "model");
	text(&artifact, 5, "best");
	text(&artifact, 6, "d00d");
	text(&artifact, 11, "latest");
	field(&artifact, 12, manifest.p, manifest.len);
	buf_clear(&record);
	field(&record, 8, artifact.p, artifact.len);
	chunk(&log, 2, record.p, 20);
	chunk(&log, 4, record.p + 20, record.len - 20);
	reg_case_put(c, LOG, log.p, log.len);
	reg_case_text(c, "w/run-1-abc/files/model.bin", "weights");
	reg_case_text(c, "w/run-1-abc/files/diff.patch", "+x");
	reg_case_text(c, "w/run-1-abc/files/wandb-metadata.json",
	    "{\"email\":\"a@b.example\",\"host\":\"gpu1\","
	    "\"startedAt\":\"2026-07-01T00:00:00.5Z\","
	    "\"git\":{\"remote\":\"r\",\"commit\":\"c0ffee\"}}");
	buf_release(&log);
	buf_release(&record);
	buf_release(&run);
	buf_release(&git);
	buf_release(&entry);
	buf_release(&manifest);
	buf_release(&artifact);
}

static void
a_run_and_its_artifact_are_read(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_run(&c, "wandb");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.problems, 0);
	assert_true(reg_case_has(&c, "run source=" LOG " run=abc "
	    "experiment=fraud commit=c0ffee "
	    "repository=https://git.example/r user=acme"));
	assert_true(reg_case_has(&c, "version source=" LOG " model=best "
	    "alias=latest run=abc experiment=fraud algorithm=wandb "
	    "digest=d00d key=artifact-type value=model"));
	assert_int_equal(reg_case_count(&c, "artifact source=" LOG
	    " model=best run=abc experiment=fraud artifact=model.bin "
	    "member=w/run-1-abc/files/model.bin algorithm=md5"), 1);
	assert_true(reg_case_has(&c, "run source=w/run-1-abc/files/"
	    "wandb-metadata.json run=abc commit=c0ffee repository=r "
	    "user=a@b.example created=1782864000500000000 key=host "
	    "value=gpu1"));
	assert_true(reg_case_has(&c, "event source=w/run-1-abc/files/"
	    "diff.patch run=abc member=w/run-1-abc/files/diff.patch size=2 "
	    "key=uncommitted-change"));
	reg_case_release(&c);
}

static void
a_file_that_is_not_the_artifacts_is_told(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_text(&c, "w/run-1-abc/files/model.bin", "Weights");
	reg_case_run(&c, "wandb");
	assert_int_equal(reg_case_count(&c,
	    "DIGEST path=w/run-1-abc/files/model.bin "), 1);
	reg_case_release(&c);
}

static void
a_changed_byte_breaks_a_checksum(void **state)
{
	struct reg_case c;
	size_t n;

	(void)state;
	build(&c);
	reg_case_bytes(&c, LOG, &n)[20] ^= 1;
	reg_case_run(&c, "wandb");
	assert_int_equal(c.rc, 1);
	assert_true(reg_case_has(&c, "MALFORMED path=" LOG
	    " off=7 reason=a checksum is wrong"));
	reg_case_release(&c);
}

static void
records_over_many_blocks_are_put_together(void **state)
{
	static uint8_t filler[32768];
	struct buf log, record, run, item;
	struct reg_case c;

	(void)state;
	reg_case_init(&c);
	buf_init(&log, MIB);
	buf_init(&record, MIB);
	buf_init(&run, MIB);
	buf_init(&item, MIB);
	buf_put(&log, ":W&B\xe1\xbe\0", 7);
	/* To three bytes before the end of the block. */
	chunk(&log, 1, filler, 0);
	memset(filler, 0, sizeof(filler));
	filler[0] = 0x92;	/* field 18, a message of many bytes */
	filler[1] = 0x01;
	filler[2] = (uint8_t)((32768 - 3 - 14 - 7 - 5) & 127) | 128;
	filler[3] = (uint8_t)((32768 - 3 - 14 - 7 - 5) >> 7 & 127) | 128;
	filler[4] = (32768 - 3 - 14 - 7 - 5) >> 14;
	chunk(&log, 1, filler, 32768 - 3 - 14 - 7);
	assert_int_equal(log.len, 32768 - 3);
	buf_put(&log, "\0\0\0", 3);
	text(&run, 1, "abc");
	field(&record, 17, run.p, run.len);
	chunk(&log, 1, record.p, record.len);
	reg_case_put(&c, LOG, log.p, log.len);
	reg_case_run(&c, "wandb");
	assert_int_equal(c.rc, 0);
	assert_true(reg_case_has(&c, "run source=" LOG " run=abc"));
	buf_release(&log);
	buf_release(&record);
	buf_release(&run);
	buf_release(&item);
	reg_case_release(&c);
}

static void
logs_that_end_early_are_survived(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	assert_null(reg_case_sweep(&c, "wandb", LOG, 500, 1));
	reg_case_release(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_run_and_its_artifact_are_read),
	    cmocka_unit_test(a_file_that_is_not_the_artifacts_is_told),
	    cmocka_unit_test(a_changed_byte_breaks_a_checksum),
	    cmocka_unit_test(records_over_many_blocks_are_put_together),
	    cmocka_unit_test(logs_that_end_early_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
