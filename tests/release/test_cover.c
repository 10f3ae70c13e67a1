#include "tests/release/scan_fixture.h"

#include "base/bytesrc.h"
#include "formats/format.h"
#include "formats/registry.h"

/*
 * A format that exists in this test alone: "COVER" + a letter + 10 bytes of
 * header, 6 of padding, and what follows is explained by nothing.  'x' comes
 * to its end, 'i' does not, 't' tells what follows as trailing bytes, 'n' tells
 * no map at all, 'f' tells too many ranges.
 */
#define HEADER 16
#define PADDING 6

static unsigned
cover_bid(struct cursor head, uint64_t size)
{
	(void)size;
	return cursor_match(&head, (const uint8_t *)"COVER", 5) ? BID_MAGIC + 8 : 0;
}

static int
tell_flood(struct parse *p)
{
	int r = 0;

	for (uint64_t i = 0; i < 2 * LIMIT_COVER_RANGES && r >= 0; i++)
		r = format_cover(p, 2 * i, 1);
	return r;
}

static int
cover_parse(struct parse *p)
{
	uint8_t head[6];
	int r;

	if ((r = bytesrc_read(p->src, 0, head, sizeof(head), p->e)) < 0)
		return r;
	if (head[5] == 'n')
		return 0;
	if (head[5] == 'f')
		return tell_flood(p);
	if ((r = format_padding(p, HEADER, PADDING)) < 0 ||
	    (r = format_cover(p, 0, HEADER)) < 0)
		return r;
	if (head[5] == 't')
		r = format_anomaly(p, ANOMALY_TRAILING, HEADER + PADDING,
		    p->size - HEADER - PADDING, NULL, 0);
	return r < 0 ? r : head[5] == 'i';
}

static const struct format cover_format = {.name = "cover",
    .kind = FORMAT_MODEL, .bid = cover_bid, .parse = cover_parse};

static const struct scan_options plain = {.command = "scan", .fence = true,
    .extra = &cover_format};

/* os.system('id'), and 16 bytes that are nothing. */
static const char payload[] = "\x80\x04\x8c\x02os\x8c\x06system\x93"
    "\x8c\x02id\x85R.";
#define PAYLOAD (sizeof(payload) - 1)

static void
make(const char *name, char kind, const char *padding, const void *rest,
    size_t n)
{
	uint8_t object[256] = "COVER";

	object[5] = (uint8_t)kind;
	memset(object + 6, '-', HEADER - 6);
	memcpy(object + HEADER, padding, PADDING);
	memcpy(object + HEADER + PADDING, rest, n);
	scan_put(name, object, HEADER + PADDING + n);
}

#define ZEROS "\0\0\0\0\0\0"

static void
unexplained_bytes_are_a_finding_with_place_preview_and_digest(void **state)
{
	int f, o;

	(void)state;
	make("a", 'x', ZEROS, "\0\0\0secret, not a file", 21);
	scan_do(scan_path("a"), &plain);
	f = scan_found("/a", FINDING_UNEXPLAINED);
	assert_true(f >= 0);
	assert_int_equal(scan_findings[f].off, 22);
	assert_int_equal(scan_findings[f].len, 21);
	assert_string_equal(scan_detail(f, "preview_hex"),
	    "7365637265742c206e6f7420612066696c65");
	assert_string_equal(scan_detail(f, "sha256"), "4098d4f6b5f98c21"
	    "14379fc7f4eba23ef119abcf20610c38afa9c09b92b25fe3");
	assert_int_equal(scan_found("/a", FINDING_PADDING), -1);
	o = scan_object("/a");
	assert_int_equal(scan_objects[o].verdict, VERDICT_SUSPICIOUS);
	assert_true(scan_objects[o].mapped);
	assert_int_equal(scan_objects[o].cover.bytes[COVERAGE_EXPLAINED], 16);
	assert_int_equal(scan_objects[o].cover.bytes[COVERAGE_PADDING], 6);
	assert_int_equal(scan_objects[o].cover.bytes[COVERAGE_UNEXPLAINED],
	    21);
	assert_int_equal(scan_objects[o].cover.nbare, 2);
}

static void
a_payload_in_unexplained_bytes_is_found(void **state)
{
	(void)state;
	make("b", 'x', ZEROS, payload, PAYLOAD);
	scan_do(scan_path("b"), &plain);
	assert_true(scan_found("/b", FINDING_UNEXPLAINED) >= 0);
	assert_true(scan_found("/b!unexplained",
	    FINDING_PKL_CALL_DANGEROUS) >= 0);
	/* Where the parse did not end nothing was promised, but looked at. */
	make("b", 'i', ZEROS, payload, PAYLOAD);
	scan_do(scan_path("b"), &plain);
	assert_int_equal(scan_found("/b", FINDING_UNEXPLAINED), -1);
	assert_true(scan_found("/b!unexplained",
	    FINDING_PKL_CALL_DANGEROUS) >= 0);
}

static void
zeros_and_honest_padding_are_silent(void **state)
{
	int o;

	(void)state;
	make("c", 'x', ZEROS, ZEROS, 6);
	scan_do(scan_path("c"), &plain);
	assert_int_equal(scan_nfindings, 0);
	o = scan_object("/c");
	assert_int_equal(scan_objects[o].verdict, VERDICT_CLEAN);
	assert_int_equal(scan_objects[o].cover.bytes[COVERAGE_UNEXPLAINED],
	    6);
	make("c", 'n', "hidden", "anything", 8);
	scan_do(scan_path("c"), &plain);
	assert_int_equal(scan_nfindings, 0);
	assert_false(scan_objects[scan_object("/c")].mapped);
}

static void
padding_that_holds_something_is_a_finding(void **state)
{
	int f;

	(void)state;
	make("d", 'x', "\0\0\1\0\0\0", "", 0);
	scan_do(scan_path("d"), &plain);
	f = scan_found("/d", FINDING_PADDING);
	assert_true(f >= 0);
	assert_int_equal(scan_findings[f].off, 16);
	assert_string_equal(scan_detail(f, "preview_hex"), "01000000");
	assert_int_equal(scan_found("/d", FINDING_UNEXPLAINED), -1);
}

static void
bytes_told_as_an_anomaly_are_told_once(void **state)
{
	int f;

	(void)state;
	make("e", 't', ZEROS, payload, PAYLOAD);
	scan_do(scan_path("e"), &plain);
	f = scan_found("/e", FINDING_TRAILING);
	assert_true(f >= 0);
	assert_int_equal(strlen(scan_detail(f, "sha256")), 64);
	assert_int_equal(scan_found("/e", FINDING_UNEXPLAINED), -1);
	assert_true(scan_found("/e!unexplained",
	    FINDING_PKL_CALL_DANGEROUS) >= 0);
}

static void
a_flood_of_ranges_is_said_and_accuses_nobody(void **state)
{
	(void)state;
	make("f", 'f', "hidden", "anything", 8);
	scan_do(scan_path("f"), &plain);
	assert_true(scan_found("/f", FINDING_LIMIT) >= 0);
	assert_int_equal(scan_found("/f", FINDING_UNEXPLAINED), -1);
	assert_false(scan_objects[scan_object("/f")].complete);
}

static void
carve_writes_what_was_found_once_and_by_its_digest(void **state)
{
	struct scan_options o = plain;
	char name[128];
	struct stat st;

	(void)state;
	make("g", 'x', ZEROS, payload, PAYLOAD);
	make("h", 'x', "\0hide\0", payload, PAYLOAD);
	assert_int_equal(mkdir(scan_path("out"), 0700), 0);
	o.carve = true;
	o.carve_dir = open(scan_path("out"), O_RDONLY | O_DIRECTORY);
	assert_true(o.carve_dir >= 0);
	scan_do(scan_path("g"), &o);
	assert_int_equal(scan_ncarved, 1);
	assert_true(scan_ends(scan_carved[0].path, "/g!unexplained"));
	assert_int_equal(scan_carved[0].off, 22);
	assert_int_equal(scan_carved[0].len, PAYLOAD);
	(void)snprintf(name, sizeof(name), "out/%s.bin",
	    scan_detail(scan_found("/g", FINDING_UNEXPLAINED), "sha256"));
	assert_int_equal(stat(scan_path(name), &st), 0);
	assert_int_equal(st.st_size, PAYLOAD);
	/* Padding too short to hold anything that runs is not written. */
	scan_do(scan_path("h"), &o);
	assert_int_equal(scan_ncarved, 1);
	(void)close(o.carve_dir);
	/* One file for the same bytes in two objects, and nothing else. */
	assert_int_equal(unlink(scan_path(name)), 0);
	assert_int_equal(rmdir(scan_path("out")), 0);
}

static void
a_folder_that_cannot_be_written_is_said(void **state)
{
	struct scan_options o = plain;

	(void)state;
	make("i", 'x', ZEROS, payload, PAYLOAD);
	o.carve = true;
	o.carve_dir = open("/proc/self", O_RDONLY | O_DIRECTORY);
	assert_true(o.carve_dir >= 0);
	scan_do(scan_path("i"), &o);
	assert_int_equal(scan_ncarved, 0);
	assert_true(scan_found("/i!unexplained", FINDING_CARVE_FAILED) >= 0);
	assert_true(scan_found("/i!unexplained",
	    FINDING_PKL_CALL_DANGEROUS) >= 0);
	(void)close(o.carve_dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		unexplained_bytes_are_a_finding_with_place_preview_and_digest),
	    cmocka_unit_test(a_payload_in_unexplained_bytes_is_found),
	    cmocka_unit_test(zeros_and_honest_padding_are_silent),
	    cmocka_unit_test(padding_that_holds_something_is_a_finding),
	    cmocka_unit_test(bytes_told_as_an_anomaly_are_told_once),
	    cmocka_unit_test(a_flood_of_ranges_is_said_and_accuses_nobody),
	    cmocka_unit_test(
		carve_writes_what_was_found_once_and_by_its_digest),
	    cmocka_unit_test(a_folder_that_cannot_be_written_is_said),
	};

	return cmocka_run_group_tests(tests, scan_setup, scan_teardown);
}
