#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_requirements;

static struct format_case c;

#define BID(text) \
	format_case_bid(&format_requirements, text, sizeof(text) - 1)

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_requirements, p, n, 0);
	free(p);
}

static bool
foreign(const char *line)
{
	format_case_run(&c, &format_requirements, line, strlen(line), 0);
	assert_int_equal(c.rc, 0);
	return format_case_has(&c, ANOMALY_REQUIREMENT_FOREIGN);
}

static void
usual_packages_have_nothing_odd(void **state)
{
	(void)state;
	run("requirements/good");
	assert_int_equal(c.rc, 0);
	/* PyTorch's wheels are a note. */
	assert_int_equal(c.anomalies, 1);
	assert_true(format_case_has(&c, ANOMALY_REQUIREMENT_DIRECT));
}

static void
other_sources_are_told(void **state)
{
	static const char *const odd[] = {
	    "--index-url https://pypi.example.top/simple",
	    "--extra-index-url=https://pypi.example.top/simple",
	    "--index-url http://pypi.org/simple",
	    "--index-url https://pypi.org@example.top/simple",
	    "--index-url https://pypi.org:x@example.top/simple",
	    "--index-url https://pypi.org.example.top/simple",
	    "-i https://example.top/", "-f https://example.top/",
	    "--find-links /tmp/wheels", "--trusted-host example.top",
	    "torch @ https://example.top/t.whl",
	    "pkg[extra]@https://example.top/t.whl",
	    "git+http://example.top/r.git", "git+ssh://git@example.top/r",
	    "https://example.top/pkg.tar.gz", "./pkg.whl", "/tmp/pkg.whl",
	    "file:///tmp/pkg", "-e ../outside", "-r ../../other.txt",
	    "hg+https://example.top/r"};
	static const char *const fine[] = {"torch==2.1.0", "numpy", "a[b]>=1",
	    "x~=2.0 ; python_version > '3'", "torch==2.1 \\",
	    "    --hash=sha256:00", "-r base.txt", "# -i http://x/",
	    "git+https://github.com/huggingface/transformers@main",
	    "x @ https://github.com/a/b/archive/1.zip",
	    "--index-url https://pypi.org/simple",
	    "--find-links https://data.pyg.org/whl/torch-2.1.0.html"};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (!foreign(odd[i]))
			fail_msg("%s", odd[i]);
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (foreign(fine[i]))
			fail_msg("%s", fine[i]);
}

static void
only_lists_of_packages_are_claimed(void **state)
{
	static const char *const no[] = {"hello world\nand more\n",
	    "cat\ndog\nbird\n", "a: b\n", "{\"a\": 1}\n",
	    "torch==2.1\nthis is a sentence\n", "[PAD]\n[UNK]\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (format_case_bid(&format_requirements, no[i],
		    strlen(no[i])) != 0)
			fail_msg("%s", no[i]);
	assert_true(BID("# list\nnumpy\ntorch>=2\n") > 12);
	assert_true(BID("--index-url https://x/\nnumpy\n") > 12);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"requirements/good",
	    "requirements/truncated", "requirements/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_requirements,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(usual_packages_have_nothing_odd),
	    cmocka_unit_test(other_sources_are_told),
	    cmocka_unit_test(only_lists_of_packages_are_claimed),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
