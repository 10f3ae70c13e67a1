#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "custody/digest.h"
#include "custody/merkle.h"

/* The test vectors of Certificate Transparency's reference tree. */
static const struct {
	const char *data;
	size_t n;
	const char *root;	/* of the tree up to here */
} leaves[] = {
    {"", 0, "6e340b9cffb37a989ca544e6bb780a2c"
	"78901d3fb33738768511a30617afa01d"},
    {"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9d"
	"baf70ad9e621f4bd8d98662f00e3c125"},
    {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264"
	"db0fa9b51af5e0ba159158f329e06e77"},
    {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398f"
	"a2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3"
	"bca12c9aefca1612bfce4c13a86264d4"},
    {"\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f"
	"98dfb16fbce75277b5232a127f2087ef"},
    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static void
roots_are_those_of_the_reference(void **state)
{
	struct merkle m;
	uint8_t leaf[32], root[32];
	char hex[65];

	(void)state;
	merkle_init(&m);
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		assert_int_equal(merkle_leaf(leaf, leaves[i].data,
		    leaves[i].n, NULL), 0);
		assert_int_equal(merkle_add(&m, leaf, NULL), 0);
		assert_int_equal(merkle_root(&m, root, NULL), 0);
		digest_hex(hex, root, 32);
		assert_string_equal(hex, leaves[i].root);
	}
}

static void
the_root_of_nothing_is_the_digest_of_nothing(void **state)
{
	struct digests empty;
	struct merkle m;
	uint8_t root[32];

	(void)state;
	merkle_init(&m);
	assert_int_equal(merkle_root(&m, root, NULL), 0);
	assert_int_equal(digest_mem("", 0, DIGEST_SHA256, &empty, NULL), 0);
	assert_memory_equal(root, empty.sha256, 32);
}

/* RFC 9162 2.1.1, recursively: the largest power of two splits the list. */
static void
slow_root(uint8_t ret[32], size_t from, size_t to)
{
	uint8_t l[32], r[32];
	size_t k = 1;

	if (to - from == 1) {
		const uint8_t b[2] = {(uint8_t)from, (uint8_t)(from >> 8)};

		assert_int_equal(merkle_leaf(ret, b, 2, NULL), 0);
		return;
	}
	while (2 * k < to - from)
		k *= 2;
	slow_root(l, from, from + k);
	slow_root(r, from + k, to);
	assert_int_equal(merkle_node(ret, l, r, NULL), 0);
}

static void
every_size_gives_the_recursive_root(void **state)
{
	uint8_t leaf[32], root[32], slow[32];
	struct merkle m;

	(void)state;
	merkle_init(&m);
	for (size_t i = 0; i < 300; i++) {
		const uint8_t b[2] = {(uint8_t)i, (uint8_t)(i >> 8)};

		assert_int_equal(merkle_leaf(leaf, b, 2, NULL), 0);
		assert_int_equal(merkle_add(&m, leaf, NULL), 0);
		assert_int_equal(merkle_root(&m, root, NULL), 0);
		slow_root(slow, 0, i + 1);
		assert_memory_equal(root, slow, 32);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(roots_are_those_of_the_reference),
	    cmocka_unit_test(the_root_of_nothing_is_the_digest_of_nothing),
	    cmocka_unit_test(every_size_gives_the_recursive_root),
	};

	if (digest_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
