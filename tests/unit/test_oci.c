#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/reg_case.h"

/* An OCI layout with one ModelKit: config, weights, manifest, index. */
struct layout {
	struct reg_case c;
	char config[65], weights[65], manifest[65];
	char blob[256];
};

#define KIT "{\"package\":{\"name\":\"fraud\",\"version\":\"6\"}," \
    "\"datasets\":[{\"name\":\"train\",\"path\":\"./t.csv\"}]}"

static void
put(struct layout *k, char hex[65], const char *text)
{
	(void)snprintf(hex, 65, "%s", reg_case_digest(REG_SHA256, "", text,
	    strlen(text)));
	(void)snprintf(k->blob, sizeof(k->blob), "o/blobs/sha256/%s", hex);
	reg_case_text(&k->c, k->blob, text);
}

static void
build(struct layout *k)
{
	char text[2048];

	reg_case_init(&k->c);
	put(k, k->config, KIT);
	put(k, k->weights, "weights");
	(void)snprintf(text, sizeof(text), "{\"schemaVersion\":2,"
	    "\"config\":{\"mediaType\":"
	    "\"application/vnd.kitops.modelkit.config.v1+json\","
	    "\"digest\":\"sha256:%s\",\"size\":%zu},\"layers\":["
	    "{\"mediaType\":\"application/vnd.kitops.modelkit.model.v1.tar\","
	    "\"digest\":\"sha256:%s\",\"size\":7}]}", k->config, strlen(KIT),
	    k->weights);
	put(k, k->manifest, text);
	(void)snprintf(text, sizeof(text), "{\"schemaVersion\":2,"
	    "\"manifests\":[{\"mediaType\":"
	    "\"application/vnd.oci.image.manifest.v1+json\",\"digest\":"
	    "\"sha256:%s\",\"size\":%zu,\"annotations\":{"
	    "\"org.opencontainers.image.ref.name\":\"prod\"}}]}",
	    k->manifest, strlen(text));
	reg_case_text(&k->c, "o/index.json", text);
	reg_case_text(&k->c, "o/oci-layout",
	    "{\"imageLayoutVersion\":\"1.0.0\"}");
}

static void
a_layout_is_followed_from_its_index(void **state)
{
	struct layout k;
	char line[1024];

	(void)state;
	build(&k);
	reg_case_run(&k.c, "oci");
	assert_int_equal(k.c.rc, 0);
	assert_int_equal(k.c.problems, 0);
	(void)snprintf(line, sizeof(line), "alias source=o/index.json "
	    "version=sha256:%s alias=prod", k.manifest);
	assert_true(reg_case_has(&k.c, line));
	(void)snprintf(line, sizeof(line), "model source=o/blobs/sha256/%s "
	    "model=fraud version=6", k.config);
	assert_true(reg_case_has(&k.c, line));
	(void)snprintf(line, sizeof(line), "artifact "
	    "source=o/blobs/sha256/%s version=prod member=o/blobs/sha256/%s "
	    "size=7 algorithm=sha256 digest=%s recomputed=%s agrees=true "
	    "key=mediaType value=application/vnd.kitops.modelkit.model.v1."
	    "tar", k.manifest, k.weights, k.weights, k.weights);
	assert_true(reg_case_has(&k.c, line));
	assert_int_equal(reg_case_count(&k.c, "event"), 0);
	reg_case_release(&k.c);
}

static void
blobs_that_differ_or_are_missing_are_told(void **state)
{
	struct layout k;
	char path[128];
	size_t n;

	(void)state;
	build(&k);
	(void)snprintf(path, sizeof(path), "o/blobs/sha256/%s", k.weights);
	reg_case_bytes(&k.c, path, &n)[0] = 'W';
	reg_case_text(&k.c, "o/blobs/sha256/notes", "1");
	reg_case_run(&k.c, "oci");
	assert_int_equal(reg_case_count(&k.c, "DIGEST path=o/blobs/"), 1);
	assert_true(reg_case_has(&k.c, "EXTRA path=o/blobs/sha256/notes"));
	assert_int_equal(k.c.problems, 2);
	reg_case_drop(&k.c, path);
	reg_case_run(&k.c, "oci");
	assert_int_equal(reg_case_count(&k.c, "MISSING "), 1);
	reg_case_release(&k.c);
}

static void
a_size_that_the_manifest_lies_about_is_told(void **state)
{
	struct layout k;
	char text[512];

	(void)state;
	build(&k);
	(void)snprintf(text, sizeof(text), "{\"manifests\":[{\"digest\":"
	    "\"sha256:%s\",\"size\":8}]}", k.weights);
	reg_case_text(&k.c, "o/index.json", text);
	reg_case_run(&k.c, "oci");
	assert_int_equal(reg_case_count(&k.c, "SIZE path=o/blobs/"), 1);
	/* What no manifest names is a row. */
	assert_int_equal(reg_case_count(&k.c, "event"), 2);
	reg_case_release(&k.c);
}

static void
ollama_names_with_a_dash(void **state)
{
	const char *hex = reg_case_digest(REG_SHA256, "", "{{ .Prompt }}",
	    13);
	char path[128], text[512], line[1024];
	struct reg_case c;

	(void)state;
	reg_case_init(&c);
	(void)snprintf(path, sizeof(path), "models/blobs/sha256-%s", hex);
	reg_case_text(&c, path, "{{ .Prompt }}");
	(void)snprintf(text, sizeof(text), "{\"layers\":[{\"mediaType\":"
	    "\"application/vnd.ollama.image.template\",\"digest\":"
	    "\"sha256:%s\",\"size\":13}]}", hex);
	reg_case_text(&c, "models/manifests/registry.ollama.ai/library/l/3b",
	    text);
	reg_case_text(&c, "models/blobs/sha256-00-partial-0", "x");
	reg_case_run(&c, "oci");
	assert_int_equal(c.problems, 0);
	(void)snprintf(line, sizeof(line), "artifact source=models/manifests/"
	    "registry.ollama.ai/library/l/3b "
	    "model=registry.ollama.ai/library/l version=3b member=%s size=13 "
	    "algorithm=sha256 digest=%s recomputed=%s agrees=true "
	    "key=mediaType value=application/vnd.ollama.image.template", path,
	    hex, hex);
	assert_true(reg_case_has(&c, line));
	assert_int_equal(reg_case_count(&c, "event"), 1);
	reg_case_release(&c);
}

static void
indexes_in_a_circle_end(void **state)
{
	struct reg_case c;
	struct layout k;

	(void)state;
	build(&k);
	assert_null(reg_case_sweep(&k.c, "oci", "o/index.json", 300, 1));
	(void)snprintf(k.blob, sizeof(k.blob), "o/blobs/sha256/%s",
	    k.manifest);
	assert_null(reg_case_sweep(&k.c, "oci", k.blob, 300, 2));
	reg_case_release(&k.c);
	/* A blob cannot hold its own digest, but one with a wrong name can. */
	reg_case_init(&c);
	reg_case_text(&c, "blobs/sha256/ba7816bf8f01cfea414140de5dae2223b00361"
	    "a396177a9cb410ff61f20015ad", "{\"manifests\":[{\"mediaType\":"
	    "\"application/vnd.oci.image.index.v1+json\",\"digest\":"
	    "\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
	    "f20015ad\"},{\"mediaType\":"
	    "\"application/vnd.oci.image.index.v1+json\",\"digest\":"
	    "\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
	    "f20015ad\"}]}");
	reg_case_text(&c, "index.json", "{\"manifests\":[{\"mediaType\":"
	    "\"application/vnd.oci.image.index.v1+json\",\"digest\":"
	    "\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
	    "f20015ad\"}]}");
	reg_case_run(&c, "oci");
	assert_int_equal(c.rc, 1);
	assert_true(reg_case_count(&c, "UNREAD") > 0);
	assert_true(c.rows < 2000);
	reg_case_release(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_layout_is_followed_from_its_index),
	    cmocka_unit_test(blobs_that_differ_or_are_missing_are_told),
	    cmocka_unit_test(a_size_that_the_manifest_lies_about_is_told),
	    cmocka_unit_test(ollama_names_with_a_dash),
	    cmocka_unit_test(indexes_in_a_circle_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
