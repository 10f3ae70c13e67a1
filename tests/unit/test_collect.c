#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "custody/evidence_read.h"
#include "tests/unit/bundle_fixture.h"
#include "tests/unit/collect_fixture.h"

/* A whole collection, sealed and verified. */
static struct bundle_keys keys;

static int
keys_setup(void **state)
{
	(void)state;
	bundle_keys_make(&keys);
	return 0;
}

static int
keys_teardown(void **state)
{
	(void)state;
	bundle_keys_release(&keys);
	return 0;
}

static char arg0[] = "exhibit", arg1[] = "coll\033ect";
static char *args[] = {arg0, arg1, NULL};

/* The scene's options, made whole; a writer without anything in it. */
static void
prepare(struct scene *s, const struct collect_source *sources, size_t n)
{
	const struct evidence_params p = {.fd = s->fd, .bag = "CASE-E01",
	    .digests = s->o.digests, .header_mtime = FIXTURE_TIME,
	    .external_id = "CASE-E01", .tool = "exhibit test"};

	s->o.sources = sources;
	s->o.nsources = n;
	s->o.case_id = "CASE";
	s->o.examiner = "Ada Example";
	s->o.cert_sha256 = signer_cert_sha256(keys.signer);
	s->o.examiner_pem = signer_pem(keys.signer);
	s->o.tsa_pem = signer_tsa_pem(keys.signer);
	s->o.local_tsa = true;
	s->o.argc = 2;
	s->o.argv = args;
	s->o.tool = "exhibit test";
	evidence_writer_free(s->w);
	s->w = NULL;
	assert_int_equal(ftruncate(s->fd, 0), 0);
	assert_int_equal(lseek(s->fd, 0, SEEK_SET), 0);
	assert_int_equal(evidence_writer_new(&p, &s->w, &s->e), 0);
}

static struct collect_totals
run(struct scene *s)
{
	struct collect_totals t;

	if (collect_run(&s->o, s->w, &t, &s->e) != 0)
		fail_msg("collect: %s", s->e.msg);
	return t;
}

static struct bundle
seal(struct scene *s)
{
	struct evidence_stamp stamp = {bundle_stamp, &keys};
	struct bundle b;

	if (evidence_finish(s->w, keys.signer, &stamp, &b.sealed, &s->e) != 0)
		fail_msg("finish: %s", s->e.msg);
	bundle_read(&b, s->fd);
	return b;
}

static void
verifies(const struct bundle *b)
{
	struct verify_result r;
	struct verify *v;

	assert_int_equal(verify_prepare(&v, NULL), 0);
	if (bundle_verify(v, b->p, b->n, &keys, &r) != 0)
		for (unsigned i = 0; i < VERIFY_STATEMENTS; i++)
			(void)printf("%u: %s\n", i, r.st[i].reason);
	assert_int_equal(verify_exit(&r), 0);
	verify_done(v);
}

/* The bytes of a member, as a string of its own. */
static char *
member(const struct bundle *b, const char *name)
{
	struct arena *a = arena_new(64 * MIB);
	struct bytesrc *src = bytesrc_mem(b->p, b->n, NULL);
	struct evidence_member m;
	char *text;

	assert_int_equal(evidence_find(src, a, name, &m, NULL), 1);
	assert_non_null(text = malloc(m.size + 1));
	memcpy(text, b->p + m.data_offset, m.size);
	text[m.size] = '\0';
	bytesrc_free(src);
	arena_free(a);
	return text;
}

static void
a_collection_is_a_bundle_that_verifies(void **state)
{
	struct scene *s = *state;
	struct collect_source sources[2];
	struct collect_totals t;
	struct bundle b;
	char *files, *completion, *log, *errors, name[PATH_MAX + 64];

	put_dir(s, "w");
	put_text(s, "w/model", "weights");
	put_dir(s, "l");
	put_text(s, "l/log", "line\n");
	sources[0] = (struct collect_source){.class = BAG_WEIGHTS,
	    .path = at(s, "w")};
	sources[1] = (struct collect_source){.class = BAG_API_LOGS,
	    .path = at(s, "l")};
	s->o.digests = DIGEST_SHA256 | DIGEST_SHA512;
	prepare(s, sources, 2);
	t = run(s);
	assert_int_equal(t.objects, 4);
	assert_int_equal(t.stored, 2);
	assert_int_equal(t.bytes, 12);
	assert_int_equal(t.errors, 0);
	b = seal(s);
	verifies(&b);
	(void)snprintf(name, sizeof(name), "data/api-logs/%s/l/log",
	    s->dir + 1);
	files = member(&b, name);
	assert_string_equal(files, "line\n");
	free(files);
	files = member(&b, BAG_FILES);
	has(files, name);
	has(files, "\"sha512\":\"");
	log = member(&b, BAG_LOG);
	has(log, "\"what\":\"began\"");
	has(log, "\"what\":\"ended\"");
	errors = member(&b, BAG_ERRORS);
	assert_string_equal(errors, "");
	completion = member(&b, BAG_COMPLETION);
	has(completion, "\"result\": \"complete\"");
	has(completion, "\"objects\": 4");
	free(files);
	free(log);
	free(errors);
	free(completion);
	bundle_release(&b);
}

static void
each_line_of_a_record_is_json(void **state)
{
	static const char *const tags[] = {BAG_FILES, BAG_ERRORS, BAG_LOG};
	struct scene *s = *state;
	struct collect_source sources[2];
	struct bundle b;

	put_text(s, "a\nb\377\"", "x");
	sources[0] = (struct collect_source){.class = BAG_WEIGHTS,
	    .path = s->dir};
	sources[1] = (struct collect_source){.class = BAG_WEIGHTS,
	    .path = "/no\n/such"};
	prepare(s, sources, 2);
	(void)run(s);
	b = seal(s);
	verifies(&b);
	for (size_t i = 0; i < 3; i++) {
		char *text = member(&b, tags[i]), *p, *end;
		unsigned lines = 0;

		for (p = text; (end = strchr(p, '\n')) != NULL; p = end + 1) {
			assert_true(is_json(p, (size_t)(end - p)));
			lines++;
		}
		assert_string_equal(p, "");
		assert_true(lines > 0);
		free(text);
	}
	bundle_release(&b);
}

static void
what_could_not_be_read_makes_it_incomplete_but_a_bundle(void **state)
{
	struct scene *s = *state;
	struct collect_source source = {.class = BAG_TRAINING,
	    .path = "/none/of/that"};
	struct collect_totals t;
	struct bundle b;
	char *text;

	prepare(s, &source, 1);
	t = run(s);
	assert_int_equal(t.errors, 1);
	assert_int_equal(t.stored, 0);
	b = seal(s);
	verifies(&b);
	text = member(&b, BAG_COMPLETION);
	has(text, "\"result\": \"incomplete\"");
	has(text, "\"errors\": 1");
	free(text);
	text = member(&b, BAG_ERRORS);
	has(text, "/none/of/that");
	free(text);
	bundle_release(&b);
}

static void
the_longest_names_are_in_a_bundle_that_verifies(void **state)
{
	struct scene *s = *state;
	struct collect_source source = {.class = BAG_WEIGHTS,
	    .path = s->dir};
	struct collect_totals t;
	struct bundle b;
	char name[256];
	int fd, next;

	memset(name, 'n', 255);
	name[255] = '\0';
	assert_true((fd = open(s->dir, O_RDONLY | O_CLOEXEC)) >= 0);
	for (unsigned i = 0; i < 15; i++) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(fd);
		fd = next;
	}
	for (size_t n = 150; n < 250; n++) {
		name[n] = '\0';
		next = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		assert_true(next >= 0);
		(void)close(next);
		name[n] = 'n';
	}
	(void)close(fd);
	prepare(s, &source, 1);
	t = run(s);
	assert_true(t.stored > 0 && t.errors > 0);
	assert_int_equal(t.stored + t.errors, 100);
	b = seal(s);
	verifies(&b);
	bundle_release(&b);
}

static void
acquisition_says_who_what_and_with_which_ledger(void **state)
{
	struct scene *s = *state;
	struct collect_source source = {.class = BAG_REGISTRY,
	    .path = "/none\377"};
	struct bundle b;
	char *text, hex[65], part[128];

	prepare(s, &source, 1);
	s->o.witness = "Wes";
	s->o.reference_ns = 1774353600000000000;
	s->o.purpose = "warrant \033[1m7";
	s->o.has_head = true;
	s->o.head_size = 42;
	memset(s->o.head_root, 0xab, 32);
	(void)run(s);
	b = seal(s);
	text = member(&b, BAG_ACQUISITION);
	assert_true(is_json(text, strlen(text)));
	digest_hex(hex, signer_cert_sha256(keys.signer), 32);
	has(text, hex);
	has(text, "\"case\": \"CASE\"");
	has(text, "\"bag\": \"CASE-E01\"");
	has(text, "\"name\": \"Ada Example\"");
	has(text, "\"purpose\": \"warrant \\\\x1B[1m7\"");
	has(text, "\"coll\\\\x1Bect\"");
	has(text, "\"given_hex\": \"2f6e6f6e65ff\"");
	has(text, "\"mount\": null");
	has(text, "\"witness\": \"Wes\"");
	has(text, "\"clock_minus_reference_ns\": \"");
	has(text, "\"crypto\": \"OpenSSL ");
	has(text, "\"size\": 42");
	memset(hex, 0, sizeof(hex));
	for (unsigned i = 0; i < 32; i++)
		memcpy(hex + 2 * i, "ab", 2);
	(void)snprintf(part, sizeof(part), "\"root\": \"%s\"", hex);
	has(text, part);
	has(text, "\"class\": \"registry\"");
	has(text, "local authority");
	free(text);
	bundle_release(&b);
}

static void
what_is_not_known_is_null(void **state)
{
	struct scene *s = *state;
	struct collect_source source = {.class = BAG_WEIGHTS,
	    .path = s->dir};
	struct bundle b;
	char *text;

	prepare(s, &source, 1);
	s->o.case_id = NULL;
	s->o.local_tsa = false;
	(void)run(s);
	b = seal(s);
	text = member(&b, BAG_ACQUISITION);
	has(text, "\"case\": null");
	has(text, "\"purpose\": null");
	has(text, "\"ledger_head\": null");
	lacks(text, "local authority");
	free(text);
	bundle_release(&b);
}

static void
certificates_travel_with_the_bundle(void **state)
{
	struct scene *s = *state;
	struct collect_source source = {.class = BAG_WEIGHTS,
	    .path = s->dir};
	struct bundle b;
	char *text;

	prepare(s, &source, 1);
	(void)run(s);
	b = seal(s);
	text = member(&b, BAG_PKI "examiner.pem");
	assert_string_equal(text, signer_pem(keys.signer));
	free(text);
	text = member(&b, BAG_PKI "tsa.pem");
	assert_string_equal(text, signer_tsa_pem(keys.signer));
	free(text);
	bundle_release(&b);
}

static void
a_bundle_that_cannot_be_written_is_an_error(void **state)
{
	struct scene *s = *state;
	struct collect_source source = {.class = BAG_WEIGHTS,
	    .path = s->dir};
	struct collect_totals t = {.objects = 99};
	uint8_t *p = pattern(MIB);

	put(s, "f", p, MIB);
	prepare(s, &source, 1);
	evidence_writer_free(s->w);
	(void)close(s->fd);
	assert_true((s->fd = open("/dev/full", O_WRONLY | O_CLOEXEC)) >= 0);
	{
		const struct evidence_params params = {.fd = s->fd,
		    .bag = "CASE-E01", .digests = DIGEST_SHA256,
		    .header_mtime = FIXTURE_TIME, .tool = "exhibit test"};

		assert_int_equal(evidence_writer_new(&params, &s->w, &s->e),
		    0);
	}
	assert_true(collect_run(&s->o, s->w, &t, &s->e) < 0);
	assert_int_equal(s->e.sys, ENOSPC);
	assert_int_equal(t.objects, 99);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(a_collection_is_a_bundle_that_verifies),
	    SCENE_TEST(each_line_of_a_record_is_json),
	    SCENE_TEST(what_could_not_be_read_makes_it_incomplete_but_a_bundle),
	    SCENE_TEST(the_longest_names_are_in_a_bundle_that_verifies),
	    SCENE_TEST(acquisition_says_who_what_and_with_which_ledger),
	    SCENE_TEST(what_is_not_known_is_null),
	    SCENE_TEST(certificates_travel_with_the_bundle),
	    SCENE_TEST(a_bundle_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, keys_setup, keys_teardown);
}
