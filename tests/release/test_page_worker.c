#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/intake/page_worker.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

static struct page_worker worker;
static struct buf next, ids;

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	buf_init(&next, MIB);
	buf_init(&ids, MIB);
	return page_worker_start(&worker, &e);
}

static int
teardown(void **state)
{
	(void)state;
	page_worker_stop(&worker);
	buf_release(&next);
	buf_release(&ids);
	return 0;
}

static int
ask(const char *page)
{
	int fd = memfd_create("page", MFD_CLOEXEC), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, page, strlen(page)),
	    (ssize_t)strlen(page));
	buf_clear(&next);
	buf_clear(&ids);
	r = page_worker_ask(&worker, fd, &next, &ids, NULL);
	(void)close(fd);
	return r;
}

static void
token_and_ids_come_page_after_page(void **state)
{
	(void)state;
	assert_int_equal(ask("{\"experiments\":[{\"experiment_id\":\"12\"},"
	    "{\"experiment_id\":3},{\"name\":\"none\"}],"
	    "\"next_page_token\":\"abc==\"}"), 0);
	assert_string_equal(buf_str(&next), "abc==");
	assert_int_equal(ids.len, 5);
	assert_memory_equal(ids.p, "12\0003", 5);
	assert_int_equal(ask("{\"registered_models\":[]}"), 0);
	assert_int_equal(next.len, 0);
	assert_int_equal(ids.len, 0);
}

static void
what_is_no_page_is_said_and_the_next_one_read(void **state)
{
	static const char *const pages[] = {"", "[1,2", "[]", "<html>",
	    "{\"next_page_token\":\"x\"} junk"};

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		assert_int_equal(ask(pages[i]), ERR_FORMAT);
	assert_int_equal(ask("{\"next_page_token\":\"y\"}"), 0);
	assert_string_equal(buf_str(&next), "y");
}

static void
tokens_that_cannot_be_used_end_nothing_silently(void **state)
{
	struct buf b;

	(void)state;
	assert_int_equal(ask("{\"next_page_token\":7}"), ERR_FORMAT);
	assert_int_equal(ask("{\"next_page_token\":\"a\\u0000b\"}"),
	    ERR_FORMAT);
	assert_int_equal(ask("{\"next_page_token\":null}"), 0);
	assert_int_equal(next.len, 0);
	/* One that no question could carry. */
	buf_init(&b, MIB);
	buf_puts(&b, "{\"next_page_token\":\"");
	for (unsigned i = 0; i < 20000; i++)
		buf_putc(&b, 'a');
	buf_puts(&b, "\"}");
	assert_int_equal(ask(buf_str(&b)), ERR_FORMAT);
	buf_release(&b);
}

static void
a_worker_that_is_gone_is_an_error(void **state)
{
	int status;

	(void)state;
	proc_kill(&worker.p);
	(void)proc_wait(&worker.p, &status);
	assert_int_equal(ask("{}"), ERR_CHILD);
}

#define PAGE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    PAGE(token_and_ids_come_page_after_page),
	    PAGE(what_is_no_page_is_said_and_the_next_one_read),
	    PAGE(tokens_that_cannot_be_used_end_nothing_silently),
	    PAGE(a_worker_that_is_gone_is_an_error)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
