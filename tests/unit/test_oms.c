#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "tests/lib/reg_case.h"

/* A signed model of two files; ${ignore} and ${more} go into the statement. */
static void
sign(struct reg_case *c, const char *ignore, const char *more)
{
	char a[65], b[65], text[4096];
	uint8_t raw[64];
	struct buf sig;

	(void)snprintf(a, sizeof(a), "%s", reg_case_digest(REG_SHA256, "",
	    "config", 6));
	(void)snprintf(b, sizeof(b), "%s", reg_case_digest(REG_SHA256, "",
	    "weights", 7));
	assert_true(text_unhex(raw, a, 64) && text_unhex(raw + 32, b, 64));
	(void)snprintf(text, sizeof(text), "{\"_type\":"
	    "\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"m\","
	    "\"digest\":{\"sha256\":\"%s\"}}],\"predicateType\":"
	    "\"https://model_signing/signature/v1.0\",\"predicate\":{"
	    "\"serialization\":{\"method\":\"files\",\"hash_type\":\"sha256\","
	    "\"allow_symlinks\":false,\"ignore_paths\":[%s]},\"resources\":["
	    "{\"name\":\"config.json\",\"algorithm\":\"sha256\",\"digest\":"
	    "\"%s\"},{\"name\":\"sub/w.bin\",\"algorithm\":\"sha256\","
	    "\"digest\":\"%s\"}%s]}}", reg_case_digest(REG_SHA256, "", raw,
	    64), ignore, a, b, more);
	buf_init(&sig, MIB);
	buf_puts(&sig, "{\"mediaType\":"
	    "\"application/vnd.dev.sigstore.bundle.v0.3+json\","
	    "\"verificationMaterial\":{\"publicKey\":{\"hint\":\"abc\"}},"
	    "\"dsseEnvelope\":{\"payloadType\":"
	    "\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"\"}],"
	    "\"payload\":\"");
	buf_base64(&sig, text, strlen(text));
	buf_puts(&sig, "\"}}");
	reg_case_put(c, "m/model.sig", sig.p, sig.len);
	buf_release(&sig);
}

static void
build(struct reg_case *c)
{
	reg_case_init(c);
	reg_case_text(c, "m/config.json", "config");
	reg_case_text(c, "m/sub/w.bin", "weights");
	reg_case_text(c, "m/.gitattributes", "x");
	sign(c, "", "");
}

static void
a_signed_model_agrees_and_the_signature_is_not_checked(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_run(&c, "model-signing");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.problems, 0);
	assert_true(reg_case_has(&c, "event source=m/model.sig "
	    "status=not checked key=signature value=abc "
	    "description=application/vnd.dev.sigstore.bundle.v0.3+json"));
	assert_int_equal(reg_case_count(&c, "artifact "), 2);
	reg_case_release(&c);
}

static void
what_differs_from_the_statement_is_told(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_text(&c, "m/sub/w.bin", "Weights");
	reg_case_text(&c, "m/modeling.py", "1");
	reg_case_run(&c, "model-signing");
	assert_int_equal(reg_case_count(&c, "DIGEST path=m/sub/w.bin "), 1);
	assert_true(reg_case_has(&c, "EXTRA path=m/modeling.py"));
	reg_case_drop(&c, "m/config.json");
	reg_case_run(&c, "model-signing");
	assert_true(reg_case_has(&c,
	    "MISSING path=m/model.sig named=config.json"));
	assert_int_equal(c.problems, 3);
	reg_case_release(&c);
}

static void
code_that_the_signature_leaves_out_is_told(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	reg_case_text(&c, "m/extra/__init__.py", "1");
	reg_case_text(&c, "m/extra/notes.txt", "1");
	sign(&c, "\"extra/\"", "");
	reg_case_run(&c, "model-signing");
	assert_true(reg_case_has(&c, "CODE path=m/extra/__init__.py "
	    "reason=the signature leaves it out"));
	assert_int_equal(c.problems, 1);
	reg_case_release(&c);
}

static void
odd_resources_are_refused(void **state)
{
	static const char zero[] = "00000000000000000000000000000000"
	    "00000000000000000000000000000000";
	struct reg_case c;
	char more[512];

	(void)state;
	build(&c);
	(void)snprintf(more, sizeof(more), ",{\"name\":\"../x\","
	    "\"algorithm\":\"sha256\",\"digest\":\"%s\"}", zero);
	sign(&c, "", more);
	reg_case_run(&c, "model-signing");
	assert_true(reg_case_has(&c, "MALFORMED path=m/model.sig "
	    "reason=a name that no file of the model has named=../x"));
	/* The subject no longer covers the list. */
	assert_int_equal(reg_case_count(&c, "DISAGREES path=m/model.sig "
	    "subject="), 1);
	(void)snprintf(more, sizeof(more), ",{\"name\":\"config.json\","
	    "\"algorithm\":\"sha256\",\"digest\":\"%s\"}", zero);
	sign(&c, "", more);
	reg_case_run(&c, "model-signing");
	assert_true(reg_case_has(&c, "DISAGREES path=m/model.sig "
	    "reason=a name stands twice named=config.json"));
	(void)snprintf(more, sizeof(more), ",{\"name\":\"config.json\","
	    "\"algorithm\":\"blake3\",\"digest\":\"%s\"}", zero);
	sign(&c, "", more);
	reg_case_run(&c, "model-signing");
	assert_int_equal(reg_case_count(&c, "UNREAD path=m/model.sig"), 1);
	reg_case_release(&c);
}

static void
bundles_that_end_early_are_survived(void **state)
{
	struct reg_case c;

	(void)state;
	build(&c);
	assert_null(reg_case_sweep(&c, "model-signing", "m/model.sig", 500,
	    1));
	reg_case_release(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_signed_model_agrees_and_the_signature_is_not_checked),
	    cmocka_unit_test(what_differs_from_the_statement_is_told),
	    cmocka_unit_test(code_that_the_signature_leaves_out_is_told),
	    cmocka_unit_test(odd_resources_are_refused),
	    cmocka_unit_test(bundles_that_end_early_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
