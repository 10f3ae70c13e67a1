#include <linux/magic.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "tests/unit/ledger_fixture.h"

static void
sha256(uint8_t ret[32], const void *p, size_t n)
{
	assert_int_equal(EVP_Digest(p, n, ret, NULL, EVP_sha256(), NULL), 1);
}

static void
a_new_ledger_is_empty_private_and_opens_again(void **state)
{
	struct fixture *f = *state;
	struct ledger_head head;
	uint8_t none[32], zeros[32] = {0};
	struct stat st;

	assert_int_equal(ledger_head(f->l, &head, NULL), 0);
	assert_int_equal(head.size, 0);
	sha256(none, "", 0);
	assert_memory_equal(head.root, none, 32);
	assert_memory_equal(head.chain, zeros, 32);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	shut(f);
	opens(f, 0);
}

static void
create_replaces_nothing(void **state)
{
	struct fixture *f = *state;
	struct ledger *l = NULL;

	append(f->l, 1);
	assert_int_equal(ledger_create(f->path, &l, NULL), ERR_EXISTS);
	assert_null(l);
	shut(f);
	opens(f, 1);
}

static void
bodies_come_back_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0, 3};

	append(f->l, 5);
	assert_int_equal(count_bodies(f->l), 5);
	assert_int_equal(ledger_each(f->l, on_body, &s, NULL), ERR_STOP);
	assert_int_equal(s.count, 3);
	shut(f);
	opens(f, 5);
}

/* By the formulas of the documentation, with SHA-256 alone. */
static void
the_head_is_what_sha256_says(void **state)
{
	struct fixture *f = *state;
	uint8_t in[128], leaf[3][32], chain[32] = {0}, left[32], root[32];
	struct ledger_head head;
	char body[64];
	size_t i, n;

	append(f->l, 3);
	for (i = 0; i < 3; i++) {
		n = strlen(body_of(body, i + 1));
		in[0] = 0;
		memcpy(in + 1, body, n);
		sha256(leaf[i], in, n + 1);
		in[0] = 1;
		memcpy(in + 1, chain, 32);
		memcpy(in + 33, leaf[i], 32);
		sha256(chain, in, 65);
	}
	in[0] = 1;
	memcpy(in + 1, leaf[0], 32);
	memcpy(in + 33, leaf[1], 32);
	sha256(left, in, 65);
	memcpy(in + 1, left, 32);
	memcpy(in + 33, leaf[2], 32);
	sha256(root, in, 65);
	assert_int_equal(ledger_head(f->l, &head, NULL), 0);
	assert_memory_equal(head.chain, chain, 32);
	assert_memory_equal(head.root, root, 32);
}

static void
network_file_systems_are_refused_by_name(void **state)
{
	(void)state;
	assert_string_equal(ledger_refused_fs(NFS_SUPER_MAGIC), "NFS");
	assert_string_equal(ledger_refused_fs(SMB_SUPER_MAGIC), "CIFS");
	assert_string_equal(ledger_refused_fs(CIFS_SUPER_MAGIC), "CIFS");
	assert_string_equal(ledger_refused_fs(SMB2_SUPER_MAGIC), "CIFS");
	assert_string_equal(ledger_refused_fs(FUSE_SUPER_MAGIC), "FUSE");
	/* f_type is signed on some machines. */
	assert_string_equal(
	    ledger_refused_fs((uint64_t)(int32_t)CIFS_SUPER_MAGIC), "CIFS");
	assert_null(ledger_refused_fs(EXT4_SUPER_MAGIC));
	assert_null(ledger_refused_fs(TMPFS_MAGIC));
	assert_null(ledger_refused_fs(OVERLAYFS_SUPER_MAGIC));
}

static void
a_head_that_moved_behind_us_is_not_extended(void **state)
{
	struct fixture *f = *state;
	struct ledger *other;
	struct err e = ERR_INIT;

	append(f->l, 2);
	assert_int_equal(ledger_open(f->path, false, &other, NULL), 0);
	append(other, 1);
	ledger_close(other);
	assert_int_equal(ledger_append(f->l, "{}", 2, NULL, &e), ERR_VERIFY);
	assert_non_null(strstr(e.msg, "open it again"));
	/* What it knew, it still gives. */
	assert_int_equal(count_bodies(f->l), 2);
	shut(f);
	opens(f, 3);
}

static void
bodies_that_do_not_fit_are_refused(void **state)
{
	struct fixture *f = *state;
	char *big = malloc(LEDGER_BODY_MAX + 1);

	assert_non_null(big);
	memset(big, 'x', LEDGER_BODY_MAX + 1);
	assert_int_equal(
	    ledger_append(f->l, big, LEDGER_BODY_MAX + 1, NULL, NULL),
	    ERR_LIMIT);
	assert_int_equal(ledger_append(f->l, big, 0, NULL, NULL), ERR_LIMIT);
	assert_int_equal(ledger_append(f->l, "a\xff", 2, NULL, NULL), ERR_ARG);
	assert_int_equal(ledger_append(f->l, "a\0b", 3, NULL, NULL), ERR_ARG);
	assert_int_equal(ledger_append(f->l, big, LEDGER_BODY_MAX, NULL, NULL),
	    0);
	free(big);
	shut(f);
	assert_int_equal(ledger_open(f->path, false, &f->l, NULL), 0);
}

static void
an_exhibit_is_sealed_once(void **state)
{
	struct fixture *f = *state;
	struct ledger_item item = {"C-E01", {1, 2, 3}, 4096};
	struct err e = ERR_INIT;
	char body[64];

	body_of(body, 1);
	assert_int_equal(
	    ledger_append_seal(f->l, body, strlen(body), &item, NULL, NULL), 0);
	assert_int_equal(ledger_append_seal(f->l, "{}", 2, &item, NULL, &e),
	    ERR_EXISTS);
	assert_non_null(strstr(e.msg, "'C-E01' is sealed already"));
	item.exhibit = "C-E02";
	item.size = UINT64_MAX;
	assert_int_equal(ledger_append_seal(f->l, "{}", 2, &item, NULL, NULL),
	    ERR_LIMIT);
	/* Neither left an event behind. */
	shut(f);
	opens(f, 1);
}

static void
settings_and_parties_are_kept(void **state)
{
	struct fixture *f = *state;
	uint8_t cert[32] = {7}, other[32] = {8};
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(ledger_get(f->l, "keys", &b, NULL), ERR_NOTFOUND);
	assert_int_equal(ledger_set(f->l, "keys", "/a", NULL), 0);
	assert_int_equal(ledger_set(f->l, "keys", "/b", NULL), 0);
	append(f->l, 1);
	assert_int_equal(ledger_party_add(f->l, "tsa", cert, "PEM", 1, NULL),
	    0);
	assert_int_equal(ledger_party_add(f->l, "tsa", cert, "PEM", 1, NULL),
	    ERR_DENIED);
	assert_int_equal(ledger_party_add(f->l, "tsa", other, "PEM", 9, NULL),
	    ERR_DENIED); /* there is no event 9 */
	shut(f);
	opens(f, 1);
	assert_int_equal(ledger_get(f->l, "keys", &b, NULL), 0);
	assert_int_equal(ledger_party_pem(f->l, "tsa", cert, &b, NULL), 0);
	assert_string_equal(buf_str(&b), "/bPEM");
	assert_int_equal(ledger_party_pem(f->l, "tsa", other, &b, NULL),
	    ERR_NOTFOUND);
	assert_int_equal(ledger_party_pem(f->l, "examiner", cert, &b, NULL),
	    ERR_NOTFOUND);
	buf_release(&b);
}

static void
a_link_is_not_followed_but_a_linked_directory_is(void **state)
{
	struct fixture *f = *state;
	char link[128], path[160];
	struct ledger *l = NULL;

	append(f->l, 1);
	shut(f);
	snprintf(link, sizeof(link), "%s/link", f->dir);
	assert_int_equal(symlink("case.db", link), 0);
	assert_true(ledger_open(link, false, &l, NULL) < 0);
	unlink(link);
	assert_int_equal(symlink(".", link), 0);
	snprintf(path, sizeof(path), "%s/case.db", link);
	assert_int_equal(ledger_open(path, false, &l, NULL), 0);
	ledger_close(l);
	unlink(link);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LEDGER_TEST(a_new_ledger_is_empty_private_and_opens_again),
	    LEDGER_TEST(create_replaces_nothing),
	    LEDGER_TEST(bodies_come_back_byte_for_byte),
	    LEDGER_TEST(the_head_is_what_sha256_says),
	    LEDGER_TEST(network_file_systems_are_refused_by_name),
	    LEDGER_TEST(a_head_that_moved_behind_us_is_not_extended),
	    LEDGER_TEST(bodies_that_do_not_fit_are_refused),
	    LEDGER_TEST(an_exhibit_is_sealed_once),
	    LEDGER_TEST(settings_and_parties_are_kept),
	    LEDGER_TEST(a_link_is_not_followed_but_a_linked_directory_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
